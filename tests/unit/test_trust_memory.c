/* Trust when memory runs out: an error each time, and never a signature that holds. Linked with
 * --wrap, see the Makefile; against static libraries of mbedTLS (make check-mbedtls3) its
 * allocations fail as well. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "flash/trust/keys.h"
#include "flash/trust/trust.h"
#include "tests/lib/pki.h"

void *__real_malloc(size_t n_bytes);
void *__real_calloc(size_t n, size_t n_bytes);
void *__real_realloc(void *p, size_t n_bytes);
void *__wrap_malloc(size_t n_bytes);
void *__wrap_calloc(size_t n, size_t n_bytes);
void *__wrap_realloc(void *p, size_t n_bytes);

/* The allocation that fails, counted from now; 0: none does. */
static size_t fail_at;

static bool fails(void)
{
	bool is_failing = fail_at > 0 && --fail_at == 0;

	if (is_failing)
		errno = ENOMEM;
	return is_failing;
}

void *__wrap_malloc(size_t n_bytes)
{
	return fails() ? NULL : __real_malloc(n_bytes);
}

void *__wrap_calloc(size_t n, size_t n_bytes)
{
	return fails() ? NULL : __real_calloc(n, n_bytes);
}

void *__wrap_realloc(void *p, size_t n_bytes)
{
	return fails() ? NULL : __real_realloc(p, n_bytes);
}

static int verify(const struct pki *p, struct err *e)
{
	CLEANUP(freep) uint8_t *der = NULL;
	size_t der_bytes = 0;
	size_t wanted = fail_at;
	struct attempt a = {.crls = {"none", "int-none"}};
	struct trust_verdict v = {.n_signers = 99};

	fail_at = 0;
	pki_load(p, "deep", ".p7s", &der, &der_bytes);
	fail_at = wanted;
	int status = pki_verify_bytes(p, &a, der, der_bytes, &v, e);
	assert_int_equal(v.n_signers, status == 0 ? 1 : 99);
	return status;
}

static int sign(const struct pki *p, struct err *e)
{
	CLEANUP(signing_key_freep) struct signing_key *k = NULL;
	CLEANUP(buf_release) struct buf out = {0};
	char key_path[256];
	char certificate_path[256];

	if (signing_key_load(
		    pki_path(p, "deep", ".key", key_path, sizeof key_path),
		    pki_path(p, "deep-chain", ".pem", certificate_path, sizeof certificate_path),
		    &k, e) < 0)
		return -1;
	return trust_sign(&k, 1, p->content, p->content_bytes, &out, e);
}

static int make_keys(const struct pki *p, struct err *e)
{
	char folder[256];
	struct keygen_request r = {.ca_days = 2, .signer_days = 1};

	r.folder = pki_path(p, "memory", "", folder, sizeof folder);
	return keygen(&r, e);
}

/* Let the first allocation fail, then the second, until there is none left to fail. Returns how
 * many there were; fails the test when one of them was not noticed. */
static size_t count_allocations(const struct pki *p,
				int (*operation)(const struct pki *p, struct err *e))
{
	for (size_t n = 1;; n++) {
		struct err e = {0};
		fail_at = n;
		int status = operation(p, &e);
		bool has_failed = fail_at == 0;
		fail_at = 0;
		if (!has_failed) {
			assert_int_equal(status, 0);
			return n - 1;
		}
		if (status == 0 || e.code == ERR_NONE || !e.text[0])
			fail_msg("allocation %zu failed and nobody noticed", n);
	}
}

static void verifying_fails_with_every_allocation(void **state)
{
	assert_true(count_allocations(*state, verify) > 3);
}

static void signing_fails_with_every_allocation(void **state)
{
	assert_true(count_allocations(*state, sign) > 10);
}

static void keygen_fails_with_every_allocation(void **state)
{
	assert_true(count_allocations(*state, make_keys) > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verifying_fails_with_every_allocation),
		cmocka_unit_test(signing_fails_with_every_allocation),
		cmocka_unit_test(keygen_fails_with_every_allocation),
	};

	return cmocka_run_group_tests(tests, pki_setup, pki_teardown);
}
