/* Questions to a parsed certificate. See cert.h. */
#include "flash/trust/cert.h"

#include <mbedtls/pk.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "flash/trust/oid.h"

enum {
	POINT_IS_UNCOMPRESSED = 0x04,      /* SEC 1 section 2.3.3 */
	USAGE_DIGITAL_SIGNATURE = 0x80,    /* RFC 5280 section 4.2.1.3: the first bit */
	PUBLIC_KEY_MAX_BYTES = 2048 + 256, /* an RSA key of mbedTLS's largest size, twice over */
};

size_t cert_text_bytes(const uint8_t *text, size_t n_bytes)
{
	static const char pem[] = "-----BEGIN ";

	return n_bytes + (memmem(text, n_bytes, pem, sizeof pem - 1) ? 1 : 0);
}

char *cert_name(const mbedtls_x509_name *name, char text[TRUST_NAME_BYTES])
{
	if (mbedtls_x509_dn_gets(text, TRUST_NAME_BYTES, name) < 0)
		(void)snprintf(text, TRUST_NAME_BYTES, "(a name too long to show)");
	for (char *c = text; *c; c++) {
		if (*c < ' ' || *c > '~')
			*c = '?';
	}
	return text;
}

/* The value of the extension with that identifier. */
static bool extension(const mbedtls_x509_crt *crt, struct der oid, struct der *out)
{
	struct der outer = cert_der(&crt->v3_ext);
	struct der list = {0};
	struct der item = {0};
	struct der id = {0};
	struct der flag = {0};

	if (!der_take(&outer, DER_SEQUENCE, &list))
		return false;
	while (der_take(&list, DER_SEQUENCE, &item)) {
		if (!der_take(&item, DER_OID, &id) || !der_equals(id, oid))
			continue;
		(void)der_take(&item, DER_BOOLEAN, &flag); /* critical or not, we understand it */
		return der_take(&item, DER_OCTET_STRING, out) && item.n_bytes == 0;
	}
	return false;
}

/* The public key's algorithm and its parameter, and the bits of the key. */
static bool take_key(const mbedtls_x509_crt *crt, struct der *algorithm, struct der *out_bits)
{
	struct der raw = cert_der(&crt->pk_raw);
	struct der key = {0};

	return der_take(&raw, DER_SEQUENCE, &key) && der_take(&key, DER_SEQUENCE, algorithm) &&
	       der_take(&key, DER_BIT_STRING, out_bits);
}

static bool ec_key_kind(struct der algorithm, struct der bits, enum key_kind *out)
{
	struct der curve = {0};

	if (!der_take(&algorithm, DER_OID, &curve))
		return false;
	if (bits.n_bytes < 2 || bits.bytes[1] != POINT_IS_UNCOMPRESSED)
		return false;
	if (!der_equals(curve, oid_p256) && !der_equals(curve, oid_p384))
		return false;
	*out = der_equals(curve, oid_p256) ? KEY_P256 : KEY_P384;
	return true;
}

bool cert_key_kind(const mbedtls_x509_crt *crt, enum key_kind *out)
{
	struct der algorithm = {0};
	struct der bits = {0};
	struct der id = {0};

	if (!take_key(crt, &algorithm, &bits) || !der_take(&algorithm, DER_OID, &id))
		return false;
	if (der_equals(id, oid_ec_key))
		return ec_key_kind(algorithm, bits, out);
	if (!der_equals(id, oid_rsa) || mbedtls_pk_get_bitlen(&crt->pk) < RSA_MIN_BITS)
		return false;
	*out = KEY_RSA3072;
	return true;
}

int cert_key_digest(const mbedtls_x509_crt *crt, uint8_t out[SHA256_BYTES], struct err *e)
{
	uint8_t key[PUBLIC_KEY_MAX_BYTES];
	/* Written from the end of the buffer; not changed, whatever 2.28's prototype says. */
	int n = mbedtls_pk_write_pubkey_der((mbedtls_pk_context *)&crt->pk, key, sizeof key);

	if (n < 0)
		return err_set(e, ERR_UNTRUSTED, "a public key cannot be encoded: mbedTLS -0x%04x",
			       (unsigned)-n);
	return digest_sha256(key + sizeof key - n, (size_t)n, out, e);
}

bool cert_is_ca(const mbedtls_x509_crt *crt)
{
	struct der value = {0};
	struct der constraints = {0};
	struct der flag = {0};

	return extension(crt, oid_basic_constraints, &value) &&
	       der_take(&value, DER_SEQUENCE, &constraints) &&
	       der_take(&constraints, DER_BOOLEAN, &flag) && der_is_small_integer(flag, 0xff);
}

/* Is oid in the list of extended key usages? */
static bool has_extended_usage(struct der value, struct der oid)
{
	struct der list = {0};
	struct der id = {0};

	if (!der_take(&value, DER_SEQUENCE, &list))
		return false;
	while (der_take(&list, DER_OID, &id)) {
		if (der_equals(id, oid))
			return true;
	}
	return false;
}

const char *cert_signing_flaw(const mbedtls_x509_crt *crt)
{
	struct der value = {0};
	struct der bits = {0};

	if (!extension(crt, oid_key_usage, &value))
		return "does not say what its key may be used for (keyUsage)";
	if (!der_take(&value, DER_BIT_STRING, &bits) || bits.n_bytes < 2 ||
	    !(bits.bytes[1] & USAGE_DIGITAL_SIGNATURE))
		return "is not for digital signatures (keyUsage)";
	if (!extension(crt, oid_extended_key_usage, &value))
		return "is not for code signing: it has no extended key usage";
	if (has_extended_usage(value, oid_any_extended_key_usage))
		return "is for any usage, which is refused: it must be for code signing";
	if (!has_extended_usage(value, oid_code_signing))
		return "is not for code signing (extendedKeyUsage)";
	return NULL;
}

bool cert_allows_code_signing(const mbedtls_x509_crt *crt)
{
	struct der value = {0};

	return !extension(crt, oid_extended_key_usage, &value) ||
	       has_extended_usage(value, oid_code_signing);
}

bool cert_subject_key_id(const mbedtls_x509_crt *crt, struct der *out)
{
	struct der value = {0};

	return extension(crt, oid_subject_key_id, &value) &&
	       der_take(&value, DER_OCTET_STRING, out);
}

int64_t cert_time_s(const mbedtls_x509_time *t)
{
	struct tm tm = {
		.tm_year = t->year - 1900,
		.tm_mon = t->mon - 1,
		.tm_mday = t->day,
		.tm_hour = t->hour,
		.tm_min = t->min,
		.tm_sec = t->sec,
	};

	return timegm(&tm);
}
