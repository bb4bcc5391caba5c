/* What differs between mbedTLS 2.28 and 3.6, hidden: the rest of flash/trust/ is the same for both.
 */
#pragma once

#include <mbedtls/md.h>
#include <mbedtls/pk.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>

#include "flash/trust/random.h"

#if MBEDTLS_VERSION_MAJOR > 3
#error "mbedTLS 4 has no pk, rsa and ecp interface to build with; use 2.28 or 3.6"
#endif

/* Parse a private key. n_bytes counts the NUL that must end a PEM text. */
static inline int compat_pk_parse_key(mbedtls_pk_context *pk, const unsigned char *key,
				      size_t n_bytes)
{
#if MBEDTLS_VERSION_MAJOR >= 3
	return mbedtls_pk_parse_key(pk, key, n_bytes, NULL, 0, random_fill, NULL);
#else
	return mbedtls_pk_parse_key(pk, key, n_bytes, NULL, 0);
#endif
}

/* 0 when the private key belongs to the public one. */
static inline int compat_pk_check_pair(mbedtls_pk_context *public_key,
				       mbedtls_pk_context *private_key)
{
#if MBEDTLS_VERSION_MAJOR >= 3
	return mbedtls_pk_check_pair(public_key, private_key, random_fill, NULL);
#else
	return mbedtls_pk_check_pair(public_key, private_key);
#endif
}

/* Sign a digest. out has room for MBEDTLS_PK_SIGNATURE_MAX_SIZE bytes. */
static inline int compat_pk_sign(mbedtls_pk_context *pk, mbedtls_md_type_t md,
				 const unsigned char *digest, size_t n_digest_bytes,
				 unsigned char *out, size_t *out_n_bytes)
{
#if MBEDTLS_VERSION_MAJOR >= 3
	return mbedtls_pk_sign(pk, md, digest, n_digest_bytes, out, MBEDTLS_PK_SIGNATURE_MAX_SIZE,
			       out_n_bytes, random_fill, NULL);
#else
	return mbedtls_pk_sign(pk, md, digest, n_digest_bytes, out, out_n_bytes, random_fill, NULL);
#endif
}

/* The serial number of a certificate to be written, big-endian and positive. */
static inline int compat_x509write_set_serial(mbedtls_x509write_cert *crt, unsigned char *serial,
					      size_t n_bytes)
{
#if MBEDTLS_VERSION_MAJOR >= 3
	return mbedtls_x509write_crt_set_serial_raw(crt, serial, n_bytes);
#else
	mbedtls_mpi value;

	mbedtls_mpi_init(&value);
	int failure = mbedtls_mpi_read_binary(&value, serial, n_bytes);
	if (failure == 0)
		failure = mbedtls_x509write_crt_set_serial(crt, &value);
	mbedtls_mpi_free(&value);
	return failure;
#endif
}
