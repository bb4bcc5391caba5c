/* Making a CA and a signer certified by it. See keys.h. */
#include <errno.h>
#include <mbedtls/ecp.h>
#include <mbedtls/rsa.h>
#include <mbedtls/x509.h>
#include <mbedtls/x509_crt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/trust/cert.h"
#include "flash/trust/der.h"
#include "flash/trust/keys.h"
#include "flash/trust/mbedtls_compat.h"
#include "flash/trust/oid.h"

enum {
	SERIAL_BYTES = 16,        /* RFC 5280 section 4.1.2.2: at most 20, and positive */
	COMMON_NAME_MAX = 48,     /* with " signer" within RFC 5280's 64 */
	DAYS_MAX = 36500,         /* a century */
	PEM_MAX_BYTES = 16 << 10, /* an RSA-3072 key needs 2.5 KiB */
	DISTINGUISHED_NAME_BYTES = 80,
	TIME_BYTES = 32,
	RSA_EXPONENT = 65537, /* RFC 8017 leaves it open; everyone takes F4 */
	N_FILES = 4,
};

/* One of the two: a key, its certificate, and the names of their files. */
struct identity {
	mbedtls_pk_context key;
	bool is_ca;
	unsigned days;
	char subject[DISTINGUISHED_NAME_BYTES];
	char key_pem[PEM_MAX_BYTES];
	char certificate_pem[PEM_MAX_BYTES];
};

struct pair {
	struct identity ca;
	struct identity signer;
};

static void pair_free(struct pair *p)
{
	if (!p)
		return;
	mbedtls_pk_free(&p->ca.key);
	mbedtls_pk_free(&p->signer.key);
	explicit_bzero(p, sizeof *p);
	free(p);
}

static void pair_freep(struct pair **p)
{
	pair_free(*p);
}

static int crypto_failure(struct err *e, const char *what, int failure)
{
	return err_set(e, ERR_IO, "%s failed: mbedTLS -0x%04x", what, (unsigned)-failure);
}

static int make_key(mbedtls_pk_context *key, enum key_kind kind, struct err *e)
{
	mbedtls_ecp_group_id curve =
		kind == KEY_P384 ? MBEDTLS_ECP_DP_SECP384R1 : MBEDTLS_ECP_DP_SECP256R1;
	mbedtls_pk_type_t type = kind == KEY_RSA3072 ? MBEDTLS_PK_RSA : MBEDTLS_PK_ECKEY;
	int failure = mbedtls_pk_setup(key, mbedtls_pk_info_from_type(type));

	if (failure == 0 && kind == KEY_RSA3072)
		failure = mbedtls_rsa_gen_key(mbedtls_pk_rsa(*key), random_fill, NULL, RSA_MIN_BITS,
					      RSA_EXPONENT);
	else if (failure == 0)
		failure = mbedtls_ecp_gen_key(curve, mbedtls_pk_ec(*key), random_fill, NULL);
	return failure == 0 ? 0 : crypto_failure(e, "making a key", failure);
}

/* ---- certificates -----------------------------------------------------------------------------
 */

static int set_validity(mbedtls_x509write_cert *crt, unsigned days)
{
	time_t start = time(NULL);
	time_t end = start + (time_t)days * 24 * 60 * 60;
	struct tm tm;
	char from[TIME_BYTES];
	char to[TIME_BYTES];

	(void)strftime(from, sizeof from, "%Y%m%d%H%M%S", gmtime_r(&start, &tm));
	(void)strftime(to, sizeof to, "%Y%m%d%H%M%S", gmtime_r(&end, &tm));
	return mbedtls_x509write_crt_set_validity(crt, from, to);
}

static int set_serial(mbedtls_x509write_cert *crt)
{
	unsigned char serial[SERIAL_BYTES];

	if (random_fill(NULL, serial, sizeof serial) < 0)
		return MBEDTLS_ERR_X509_FATAL_ERROR;
	serial[0] = (serial[0] & 0x7f) | 0x40; /* positive, and never shorter */
	return compat_x509write_set_serial(crt, serial, sizeof serial);
}

static int set_extension(mbedtls_x509write_cert *crt, struct der oid, bool is_critical,
			 const struct buf *value)
{
	if (value->is_failed)
		return MBEDTLS_ERR_X509_ALLOC_FAILED;
	return mbedtls_x509write_crt_set_extension(crt, (const char *)oid.bytes, oid.n_bytes,
						   is_critical, value->bytes, value->n_bytes);
}

/* For a CA: certifies signers and nothing that certifies others. */
static int set_basic_constraints(mbedtls_x509write_cert *crt, bool is_ca)
{
	CLEANUP(buf_release) struct buf value = {0};
	struct buf content = {0};
	const uint8_t is_true = 0xff;
	const uint8_t path_length = 0;

	if (is_ca) {
		der_append(&content, DER_BOOLEAN, &is_true, 1);
		der_append(&content, DER_INTEGER, &path_length, 1);
	}
	der_append_buf(&value, DER_SEQUENCE, &content);
	return set_extension(crt, oid_basic_constraints, true, &value);
}

static int set_code_signing(mbedtls_x509write_cert *crt)
{
	CLEANUP(buf_release) struct buf value = {0};
	struct buf content = {0};

	der_append(&content, DER_OID, oid_code_signing.bytes, oid_code_signing.n_bytes);
	der_append_buf(&value, DER_SEQUENCE, &content);
	return set_extension(crt, oid_extended_key_usage, false, &value);
}

static int set_usage(mbedtls_x509write_cert *crt, bool is_ca)
{
	int failure = mbedtls_x509write_crt_set_key_usage(
		crt, is_ca ? MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN
			   : MBEDTLS_X509_KU_DIGITAL_SIGNATURE);

	if (failure == 0)
		failure = set_basic_constraints(crt, is_ca);
	if (failure == 0 && !is_ca)
		failure = set_code_signing(crt);
	if (failure == 0)
		failure = mbedtls_x509write_crt_set_subject_key_identifier(crt);
	if (failure == 0 && !is_ca)
		failure = mbedtls_x509write_crt_set_authority_key_identifier(crt);
	return failure;
}

static int set_names(mbedtls_x509write_cert *crt, const char *subject, const char *issuer)
{
	int failure = mbedtls_x509write_crt_set_subject_name(crt, subject);

	return failure ? failure : mbedtls_x509write_crt_set_issuer_name(crt, issuer);
}

static int make_certificate(struct identity *i, struct identity *issuer, enum key_kind kind,
			    struct err *e)
{
	CLEANUP(mbedtls_x509write_crt_free) mbedtls_x509write_cert crt = {0};

	mbedtls_x509write_crt_init(&crt);
	mbedtls_x509write_crt_set_version(&crt, MBEDTLS_X509_CRT_VERSION_3);
	mbedtls_x509write_crt_set_md_alg(&crt,
					 kind == KEY_P384 ? MBEDTLS_MD_SHA384 : MBEDTLS_MD_SHA256);
	mbedtls_x509write_crt_set_subject_key(&crt, &i->key);
	mbedtls_x509write_crt_set_issuer_key(&crt, &issuer->key);
	int failure = set_names(&crt, i->subject, issuer->subject);
	if (failure == 0)
		failure = set_serial(&crt);
	if (failure == 0)
		failure = set_validity(&crt, i->days);
	if (failure == 0)
		failure = set_usage(&crt, i->is_ca);
	if (failure == 0)
		failure = mbedtls_x509write_crt_pem(&crt, (unsigned char *)i->certificate_pem,
						    sizeof i->certificate_pem, random_fill, NULL);
	return failure == 0 ? 0 : crypto_failure(e, "making a certificate", failure);
}

static int make_identity(struct identity *i, struct identity *issuer, enum key_kind kind,
			 struct err *e)
{
	if (make_key(&i->key, kind, e) < 0)
		return -1;
	int failure =
		mbedtls_pk_write_key_pem(&i->key, (unsigned char *)i->key_pem, sizeof i->key_pem);
	if (failure != 0)
		return crypto_failure(e, "writing a key", failure);
	return make_certificate(i, issuer, kind, e);
}

static int pair_new(const struct keygen_request *r, struct pair **out, struct err *e)
{
	CLEANUP(pair_freep) struct pair *p = calloc(1, sizeof *p);
	const char *name = r->name ? r->name : "lkflash";

	if (!p)
		return err_errno(e, "making keys");
	mbedtls_pk_init(&p->ca.key);
	mbedtls_pk_init(&p->signer.key);
	p->ca.is_ca = true;
	p->ca.days = r->ca_days;
	p->signer.days = r->signer_days;
	(void)snprintf(p->ca.subject, sizeof p->ca.subject, "CN=%s CA", name);
	(void)snprintf(p->signer.subject, sizeof p->signer.subject, "CN=%s signer", name);
	if (make_identity(&p->ca, &p->ca, r->kind, e) < 0 ||
	    make_identity(&p->signer, &p->ca, r->kind, e) < 0)
		return -1;
	*out = TAKE(p);
	return 0;
}

/* ---- files ------------------------------------------------------------------------------------
 */

struct file {
	const char *name;
	mode_t mode;
	char *path; /* owned */
	const char *text;
	bool is_written;
};

struct files {
	struct file list[N_FILES];
	bool is_kept; /* all of them are written */
};

/* Half a set of keys is of no use, and would be in the way of the next attempt. */
static void files_release(struct files *f)
{
	for (size_t i = 0; i < N_FILES; i++) {
		if (f->list[i].is_written && !f->is_kept)
			(void)unlink(f->list[i].path);
		free(f->list[i].path);
	}
}

static int files_name(struct files *f, const char *folder, struct err *e)
{
	struct stat st;

	for (size_t i = 0; i < N_FILES; i++) {
		if (asprintf(&f->list[i].path, "%s/%s", folder, f->list[i].name) < 0) {
			f->list[i].path = NULL;
			return err_errno(e, "%s", folder);
		}
		if (lstat(f->list[i].path, &st) == 0)
			return err_set(e, ERR_USAGE,
				       "%s exists and is not overwritten; choose another folder",
				       f->list[i].path);
		if (errno != ENOENT)
			return err_errno(e, "%s", f->list[i].path);
	}
	return 0;
}

static int files_write(struct files *f, struct err *e)
{
	for (size_t i = 0; i < N_FILES; i++) {
		struct file *file = &f->list[i];
		if (fdio_save(file->path, file->text, strlen(file->text), file->mode, e) < 0)
			return -1;
		file->is_written = true;
	}
	f->is_kept = true;
	return 0;
}

/* Letters, digits and a few more: nothing that has a meaning in a distinguished name. */
static bool is_common_name(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= COMMON_NAME_MAX && name[0] != ' ' && name[n - 1] != ' ' &&
	       strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 ._-") ==
		       n;
}

static int check_request(const struct keygen_request *r, struct err *e)
{
	if (r->name && !is_common_name(r->name))
		return err_set(
			e, ERR_USAGE,
			"\"%s\" cannot name keys: use 1 to %d letters, digits, spaces, dots, "
			"underscores and hyphens",
			r->name, COMMON_NAME_MAX);
	if (r->ca_days < 1 || r->ca_days > DAYS_MAX)
		return err_set(e, ERR_USAGE, "the CA's validity of %u days is not 1 to %d",
			       r->ca_days, DAYS_MAX);
	if (r->signer_days < 1 || r->signer_days > r->ca_days)
		return err_set(e, ERR_USAGE,
			       "the signer's validity of %u days is not 1 to the CA's %u",
			       r->signer_days, r->ca_days);
	return 0;
}

int keygen(const struct keygen_request *r, struct err *e)
{
	CLEANUP(pair_freep) struct pair *p = NULL;
	CLEANUP(files_release)
	struct files f = {.list = {{.name = "ca.key", .mode = 0600},
				   {.name = "sign.key", .mode = 0600},
				   {.name = "ca.pem", .mode = 0644},
				   {.name = "sign.pem", .mode = 0644}}};

	if (check_request(r, e) < 0 || files_name(&f, r->folder, e) < 0 || pair_new(r, &p, e) < 0)
		return -1;
	f.list[0].text = p->ca.key_pem;
	f.list[1].text = p->signer.key_pem;
	f.list[2].text = p->ca.certificate_pem;
	f.list[3].text = p->signer.certificate_pem;
	if (fdio_mkdir(r->folder, 0700, e) < 0)
		return -1;
	return files_write(&f, e);
}
