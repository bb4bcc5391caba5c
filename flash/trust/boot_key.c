/* The key of what a boot loader starts. See boot_key.h. */
#include "flash/trust/boot_key.h"

#include <mbedtls/pk.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/trust/cert.h"
#include "flash/trust/mbedtls_compat.h"

enum { KEY_FILE_MAX_BYTES = 64 << 10, KEY_BITS = 8 * BOOT_KEY_SIGNATURE_BYTES };

struct boot_key {
	mbedtls_pk_context pk;
};

void boot_key_free(struct boot_key *k)
{
	if (!k)
		return;
	mbedtls_pk_free(&k->pk);
	free(k);
}

static int parse(struct boot_key *k, const char *path, struct err *e)
{
	CLEANUP(freep) uint8_t *text = NULL;
	size_t n_bytes = 0;

	if (fdio_load(path, KEY_FILE_MAX_BYTES, &text, &n_bytes, e) < 0)
		return -1;
	int failure = compat_pk_parse_key(&k->pk, text, cert_text_bytes(text, n_bytes));
	explicit_bzero(text, n_bytes);
	if (failure == MBEDTLS_ERR_PK_PASSWORD_REQUIRED)
		return err_set(e, ERR_USAGE, "%s is encrypted; decrypt it with openssl pkey", path);
	if (failure != 0)
		return err_set(e, ERR_USAGE, "%s holds no readable private key: mbedTLS -0x%04x",
			       path, (unsigned)-failure);
	return 0;
}

int boot_key_load(const char *path, struct boot_key **out, struct err *e)
{
	CLEANUP(boot_key_freep) struct boot_key *k = calloc(1, sizeof *k);

	if (!k)
		return err_errno(e, "loading a boot key");
	mbedtls_pk_init(&k->pk);
	if (parse(k, path, e) < 0)
		return -1;
	if (mbedtls_pk_get_type(&k->pk) != MBEDTLS_PK_RSA ||
	    mbedtls_pk_get_bitlen(&k->pk) != KEY_BITS)
		return err_set(
			e, ERR_USAGE,
			"%s is no RSA key of %d bits, which is all that a boot loader takes; "
			"make one with openssl genrsa %d",
			path, KEY_BITS, KEY_BITS);
	*out = TAKE(k);
	return 0;
}

int boot_key_sign(void *context, const uint8_t sha256[SHA256_BYTES],
		  uint8_t signature[BOOT_KEY_SIGNATURE_BYTES], struct err *e)
{
	struct boot_key *k = context;
	uint8_t bytes[MBEDTLS_PK_SIGNATURE_MAX_SIZE];
	size_t n_bytes = 0;
	int failure =
		compat_pk_sign(&k->pk, MBEDTLS_MD_SHA256, sha256, SHA256_BYTES, bytes, &n_bytes);

	if (failure != 0 || n_bytes != BOOT_KEY_SIGNATURE_BYTES)
		return err_set(e, ERR_IO, "signing with a boot key: mbedTLS -0x%04x",
			       (unsigned)-failure);
	memcpy(signature, bytes, BOOT_KEY_SIGNATURE_BYTES);
	return 0;
}
