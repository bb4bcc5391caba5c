/* The key by which a boot loader knows what it may start: RSA-2048, as a Raspberry Pi has its
 * digest in fuses. It signs digests and nothing else; images are signed by the keys of keys.h. */
#pragma once

#include <stdint.h>

#include "flash/base/err.h"
#include "flash/trust/digest.h"

enum { BOOT_KEY_SIGNATURE_BYTES = 256 };

struct boot_key;

/* Load an unencrypted PEM or DER file. Fails with ERR_USAGE for what is no private key, or no RSA
 * key of 2048 bits; with ERR_IO when it cannot be read. */
int boot_key_load(const char *path, struct boot_key **out, struct err *e);
void boot_key_free(struct boot_key *k);
static inline void boot_key_freep(struct boot_key **k)
{
	boot_key_free(*k);
}

/* PKCS#1 v1.5 over a SHA-256 (RFC 8017, section 8.2): the same bytes each time. context is a struct
 * boot_key. Fails with ERR_IO when memory or random bytes for blinding are short. */
int boot_key_sign(void *context, const uint8_t sha256[SHA256_BYTES],
		  uint8_t signature[BOOT_KEY_SIGNATURE_BYTES], struct err *e);
