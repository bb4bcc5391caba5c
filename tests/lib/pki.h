/* The world of certificates that tests/lib/pki.sh makes, and attempts to have its signatures
 * trusted. For cmocka tests; include it after cmocka.h. */
#pragma once

#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/trust/trust.h"

enum { DAY_S = 24 * 60 * 60, PKI_LIST_MAX = 4 };

struct pki {
	char folder[64];
	uint8_t *content; /* owned */
	size_t content_bytes;
	int64_t now_s; /* just after everything became valid */
};

static int pki_remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

/* Run a program, its output kept out of the test's, and wait for it. */
static inline int pki_run(char *const *argv)
{
	posix_spawn_file_actions_t actions;
	pid_t pid = 0;
	int status = 0;

	if (posix_spawn_file_actions_init(&actions) != 0 ||
	    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) !=
		    0)
		return -1;
	int failure = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (failure != 0 || waitpid(pid, &status, 0) < 0)
		return -1;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static inline char *pki_path(const struct pki *p, const char *name, const char *suffix, char *path,
			     size_t path_bytes)
{
	(void)snprintf(path, path_bytes, "%s/%s%s", p->folder, name, suffix);
	return path;
}

static inline void pki_load(const struct pki *p, const char *name, const char *suffix,
			    uint8_t **out, size_t *out_n_bytes)
{
	char path[256];
	struct err e;

	assert_int_equal(fdio_load(pki_path(p, name, suffix, path, sizeof path), 1 << 20, out,
				   out_n_bytes, &e),
			 0);
}

/* For cmocka_run_group_tests. */
static inline int pki_setup(void **state)
{
	struct pki *p = calloc(1, sizeof *p);
	char *argv[] = {(char *)"tests/lib/pki.sh", NULL, NULL};

	if (!p)
		return -1;
	(void)snprintf(p->folder, sizeof p->folder, "/tmp/lkflash-pki.XXXXXX");
	argv[1] = mkdtemp(p->folder);
	*state = p;
	if (!argv[1] || pki_run(argv) < 0)
		return -1;
	pki_load(p, "content", "", &p->content, &p->content_bytes);
	p->now_s = time(NULL) + 1;
	return 0;
}

static inline int pki_teardown(void **state)
{
	struct pki *p = *state;

	(void)nftw(p->folder, pki_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(p->content);
	free(p);
	return 0;
}

/* An attempt to have a signature trusted. What is left zero is as usual: the CA "ca", no revocation
 * list, a threshold of 1, the time just after the certificates became valid, a floor long ago. */
struct attempt {
	const char *signature;          /* NAME.p7s */
	const char *cas[PKI_LIST_MAX];  /* NAME.pem */
	const char *crls[PKI_LIST_MAX]; /* NAME.crl */
	unsigned threshold;
	int64_t days_later; /* of the clock */
	int64_t floor_days_later;
	const char *content; /* instead of the right one */
};

static inline int pki_load_store(const struct pki *p, const struct attempt *a,
				 struct trust_store **out, struct err *e)
{
	static char paths[2 * PKI_LIST_MAX][256];
	const char *cas[PKI_LIST_MAX] = {0};
	const char *crls[PKI_LIST_MAX] = {0};
	struct trust_files files = {.ca_paths = cas, .crl_paths = crls};
	const char *const only_ca[] = {"ca", NULL};
	const char *const *names = a->cas[0] ? a->cas : only_ca;

	for (size_t i = 0; names[i]; i++)
		cas[files.n_ca_paths++] = pki_path(p, names[i], ".pem", paths[i], sizeof paths[i]);
	for (size_t i = 0; a->crls[i]; i++)
		crls[files.n_crl_paths++] =
			pki_path(p, a->crls[i], ".crl", paths[PKI_LIST_MAX + i], sizeof paths[i]);
	return trust_store_load(&files, out, e);
}

static inline int pki_verify_bytes(const struct pki *p, const struct attempt *a, const uint8_t *der,
				   size_t der_bytes, struct trust_verdict *out, struct err *e)
{
	CLEANUP(trust_store_freep) struct trust_store *s = NULL;
	struct trust_policy policy = {.threshold = a->threshold,
				      .now_s = p->now_s + a->days_later * DAY_S,
				      .floor_s = p->now_s - (int64_t)10 * DAY_S};
	struct signed_bytes b = {der, der_bytes, p->content, p->content_bytes};

	if (a->floor_days_later)
		policy.floor_s = p->now_s + a->floor_days_later * DAY_S;
	if (pki_load_store(p, a, &s, e) < 0)
		return -1;
	if (a->content)
		b = (struct signed_bytes){der, der_bytes, a->content, strlen(a->content)};
	return trust_verify(s, &policy, &b, out, e);
}

static inline int pki_verify(const struct pki *p, const struct attempt *a,
			     struct trust_verdict *out, struct err *e)
{
	CLEANUP(freep) uint8_t *der = NULL;
	size_t der_bytes = 0;

	pki_load(p, a->signature, ".p7s", &der, &der_bytes);
	return pki_verify_bytes(p, a, der, der_bytes, out, e);
}

/* The number of signers that count; fails the test when the signature is not trusted. */
static inline size_t pki_accepted(const struct pki *p, struct attempt a)
{
	struct trust_verdict verdict = {0};
	struct err e;

	if (pki_verify(p, &a, &verdict, &e) < 0)
		fail_msg("%s was refused: %s", a.signature, e.text);
	return verdict.n_signers;
}

static inline void pki_assert_says(const struct err *e, const char *words)
{
	if (e->code != ERR_UNTRUSTED || !strstr(e->text, words))
		fail_msg("code %d, \"%s\" instead of \"%s\"", (int)e->code, e->text, words);
}

/* Fails the test when the signature is trusted, or refused in other words. */
static inline void pki_refused(const struct pki *p, struct attempt a, const char *words)
{
	struct trust_verdict verdict = {.n_signers = 99};
	struct err e;

	assert_int_equal(pki_verify(p, &a, &verdict, &e), -1);
	pki_assert_says(&e, words);
	assert_int_equal(verdict.n_signers, 99);
}

/* The number of changes to the signature that are not noticed: each byte is xored with 1, then 2,
 * and so on to last_bit. */
static inline size_t pki_count_free_bits(const struct pki *p, struct buf *b, unsigned last_bit)
{
	CLEANUP(trust_store_freep) struct trust_store *s = NULL;
	struct attempt a = {0};
	struct trust_policy policy = {.now_s = p->now_s};
	const struct signed_bytes all = {b->bytes, b->n_bytes, p->content, p->content_bytes};
	struct trust_verdict v = {0};
	struct err e = {0};
	size_t n_free = 0;

	assert_int_equal(pki_load_store(p, &a, &s, &e), 0);
	for (size_t i = 0; i < b->n_bytes; i++) {
		for (unsigned bit = 1; bit <= last_bit; bit <<= 1) {
			b->bytes[i] ^= (uint8_t)bit;
			n_free += trust_verify(s, &policy, &all, &v, &e) == 0;
			b->bytes[i] ^= (uint8_t)bit;
		}
	}
	return n_free;
}
