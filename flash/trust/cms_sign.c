/* Making a CMS SignedData over a manifest. Nothing in it depends on when it is made. Section
 * numbers are RFC 5652's. */
#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/trust/cert.h"
#include "flash/trust/cms.h"
#include "flash/trust/mbedtls_compat.h"
#include "flash/trust/oid.h"
#include "flash/trust/signing_key.h"
#include "flash/trust/trust.h"

/* What is collected before the whole is put together. */
struct parts {
	struct buf digest_algorithms[SIGNERS_MAX]; /* whole elements, one a key */
	struct buf signers[SIGNERS_MAX];
	size_t n_signers;
	struct der certificates[CMS_CERTIFICATES_MAX]; /* borrowed from the keys */
	size_t n_certificates;
};

static void parts_release(struct parts *p)
{
	for (size_t i = 0; i < SIGNERS_MAX; i++) {
		buf_release(&p->digest_algorithms[i]);
		buf_release(&p->signers[i]);
	}
}

static struct der der_of(const struct buf *b)
{
	return (struct der){b->bytes, b->n_bytes};
}

static void append_oid(struct buf *out, struct der oid)
{
	der_append(out, DER_OID, oid.bytes, oid.n_bytes);
}

static void append_integer(struct buf *out, uint8_t value)
{
	der_append(out, DER_INTEGER, &value, 1);
}

static enum digest_kind digest_for(const struct signing_key *k)
{
	return k->kind == KEY_P384 ? DIGEST_SHA384 : DIGEST_SHA256;
}

/* RFC 5754 section 2: without parameters. */
static void append_digest_algorithm(struct buf *out, const struct signing_key *k)
{
	struct buf content = {0};

	append_oid(&content, k->kind == KEY_P384 ? oid_sha384 : oid_sha256);
	der_append_buf(out, DER_SEQUENCE, &content);
}

/* RFC 5754 section 3: NULL for RSA, nothing for ECDSA. */
static void append_signature_algorithm(struct buf *out, const struct signing_key *k)
{
	struct buf content = {0};

	switch (k->kind) {
	case KEY_P256:
		append_oid(&content, oid_ecdsa_sha256);
		break;
	case KEY_P384:
		append_oid(&content, oid_ecdsa_sha384);
		break;
	case KEY_RSA3072:
		append_oid(&content, oid_rsa);
		der_append(&content, DER_NULL, NULL, 0);
		break;
	}
	der_append_buf(out, DER_SEQUENCE, &content);
}

/* An attribute with the one value that a tag and some bytes make. */
static void append_attribute(struct buf *out, struct der id, uint8_t tag, struct der value)
{
	struct buf set = {0};
	struct buf content = {0};

	der_append(&set, tag, value.bytes, value.n_bytes);
	append_oid(&content, id);
	der_append_buf(&content, DER_SET, &set);
	der_append_buf(out, DER_SEQUENCE, &content);
}

/* The SET of signed attributes, as it is signed (5.4). */
static int append_attributes(struct buf *out, const struct signing_key *k, const void *content,
			     size_t content_bytes, struct err *e)
{
	CLEANUP(buf_release) struct buf type = {0};
	CLEANUP(buf_release) struct buf digest = {0};
	enum digest_kind kind = digest_for(k);
	uint8_t bytes[DIGEST_MAX_BYTES];

	if (digest_of(kind, content, content_bytes, bytes, e) < 0)
		return -1;
	append_attribute(&type, oid_content_type, DER_OID, oid_manifest);
	append_attribute(&digest, oid_message_digest, DER_OCTET_STRING,
			 (struct der){bytes, digest_size_bytes(kind)});
	if (buf_check(&type, e) < 0 || buf_check(&digest, e) < 0)
		return -1;
	struct der items[] = {der_of(&type), der_of(&digest)};
	der_append_set(out, DER_SET, items, sizeof items / sizeof *items);
	return buf_check(out, e);
}

static int append_signature(struct buf *out, struct signing_key *k, const struct buf *attributes,
			    struct err *e)
{
	enum digest_kind kind = digest_for(k);
	uint8_t digest[DIGEST_MAX_BYTES];
	uint8_t signature[MBEDTLS_PK_SIGNATURE_MAX_SIZE];
	size_t n_bytes = 0;

	if (digest_of(kind, attributes->bytes, attributes->n_bytes, digest, e) < 0)
		return -1;
	int failure = compat_pk_sign(&k->private_key,
				     kind == DIGEST_SHA384 ? MBEDTLS_MD_SHA384 : MBEDTLS_MD_SHA256,
				     digest, digest_size_bytes(kind), signature, &n_bytes);
	if (failure != 0)
		return err_set(e, ERR_IO, "signing failed: mbedTLS -0x%04x", (unsigned)-failure);
	der_append(out, DER_OCTET_STRING, signature, n_bytes);
	return 0;
}

/* 5.3, the certificate named by issuer and serial number. */
static void append_signer_id(struct buf *out, const struct signing_key *k)
{
	const mbedtls_x509_crt *crt = &k->certificates;
	struct buf id = {0};

	buf_append(&id, crt->issuer_raw.p, crt->issuer_raw.len);
	der_append(&id, DER_INTEGER, crt->serial.p, crt->serial.len);
	der_append_buf(out, DER_SEQUENCE, &id);
}

/* 5.3, SignerInfo */
static int append_signer(struct buf *out, struct signing_key *k, const void *content,
			 size_t content_bytes, struct err *e)
{
	CLEANUP(buf_release) struct buf attributes = {0};
	CLEANUP(buf_release) struct buf info = {0};

	if (append_attributes(&attributes, k, content, content_bytes, e) < 0)
		return -1;
	append_integer(&info, CMS_SIGNER_BY_ISSUER);
	append_signer_id(&info, k);
	append_digest_algorithm(&info, k);
	size_t start = info.n_bytes;
	buf_append(&info, attributes.bytes, attributes.n_bytes);
	if (buf_check(&info, e) < 0)
		return -1;
	info.bytes[start] = DER_CONTEXT_0;
	append_signature_algorithm(&info, k);
	if (append_signature(&info, k, &attributes, e) < 0)
		return -1;
	der_append_buf(out, DER_SEQUENCE, &info);
	return buf_check(out, e);
}

static bool has_certificate(const struct parts *p, struct der raw)
{
	for (size_t i = 0; i < p->n_certificates; i++) {
		if (der_equals(p->certificates[i], raw))
			return true;
	}
	return false;
}

/* The signer's certificate and its intermediates, those that keys share once; a root is nothing
 * that a verifier would take from here. */
static int add_certificates(struct parts *p, const struct signing_key *k, struct err *e)
{
	for (const mbedtls_x509_crt *crt = &k->certificates; crt; crt = crt->next) {
		bool is_root = der_equals(cert_der(&crt->subject_raw), cert_der(&crt->issuer_raw));
		if ((is_root && crt != &k->certificates) || has_certificate(p, cert_der(&crt->raw)))
			continue;
		if (p->n_certificates == CMS_CERTIFICATES_MAX)
			return err_set(e, ERR_USAGE,
				       "the keys have more than %d certificates; leave some "
				       "intermediates out",
				       CMS_CERTIFICATES_MAX);
		p->certificates[p->n_certificates++] = cert_der(&crt->raw);
	}
	return 0;
}

static int check_keys(struct signing_key *const *keys, size_t n_keys, struct err *e)
{
	if (n_keys < 1 || n_keys > SIGNERS_MAX)
		return err_set(e, ERR_USAGE, "%zu keys cannot sign: give 1 to %d", n_keys,
			       SIGNERS_MAX);
	for (size_t i = 1; i < n_keys; i++) {
		for (size_t j = 0; j < i; j++) {
			if (der_equals(cert_der(&keys[i]->certificates.pk_raw),
				       cert_der(&keys[j]->certificates.pk_raw)))
				return err_set(e, ERR_USAGE,
					       "signing keys %zu and %zu are the same; give each "
					       "once",
					       j + 1, i + 1);
		}
	}
	return 0;
}

/* 5.1, SignedData in its ContentInfo (3). */
static void append_signed_data(struct buf *out, struct parts *p)
{
	struct der digests[SIGNERS_MAX];
	struct der signers[SIGNERS_MAX];
	struct buf type = {0};
	struct buf data = {0};
	struct buf outer = {0};
	struct buf info = {0};

	for (size_t i = 0; i < p->n_signers; i++) {
		digests[i] = der_of(&p->digest_algorithms[i]);
		signers[i] = der_of(&p->signers[i]);
	}
	append_integer(&data, CMS_VERSION);
	der_append_set(&data, DER_SET, digests, p->n_signers);
	append_oid(&type, oid_manifest);
	der_append_buf(&data, DER_SEQUENCE, &type);
	der_append_set(&data, DER_CONTEXT_0, p->certificates, p->n_certificates);
	der_append_set(&data, DER_SET, signers, p->n_signers);
	der_append_buf(&outer, DER_SEQUENCE, &data);
	append_oid(&info, oid_signed_data);
	der_append_buf(&info, DER_CONTEXT_0, &outer);
	der_append_buf(out, DER_SEQUENCE, &info);
}

int trust_sign(struct signing_key *const *keys, size_t n_keys, const void *content,
	       size_t content_bytes, struct buf *out, struct err *e)
{
	CLEANUP(parts_release) struct parts p = {0};

	if (check_keys(keys, n_keys, e) < 0)
		return -1;
	for (size_t i = 0; i < n_keys; i++) {
		if (add_certificates(&p, keys[i], e) < 0 ||
		    append_signer(&p.signers[i], keys[i], content, content_bytes, e) < 0)
			return -1;
		append_digest_algorithm(&p.digest_algorithms[i], keys[i]);
		if (buf_check(&p.digest_algorithms[i], e) < 0)
			return -1;
		p.n_signers++;
	}
	append_signed_data(out, &p);
	return buf_check(out, e);
}
