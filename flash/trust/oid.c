/* Object identifiers. See oid.h. */
#include "flash/trust/oid.h"

#define OID(...)                                                                                   \
	{                                                                                          \
		(const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})             \
	}

/* 1.2.840.113549.1.7.2 and .1.9.3 to .5 */
#define PKCS 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01
const struct der oid_signed_data = OID(PKCS, 0x07, 0x02);
const struct der oid_content_type = OID(PKCS, 0x09, 0x03);
const struct der oid_message_digest = OID(PKCS, 0x09, 0x04);
const struct der oid_signing_time = OID(PKCS, 0x09, 0x05);
const struct der oid_rsa = OID(PKCS, 0x01, 0x01);

/* 2.25 and the UUID f7add8d4-d371-5542-9f9f-edb1bb259766 as one arc (X.667 section 7). */
const struct der oid_manifest = OID(0x69, 0x83, 0xef, 0xad, 0xec, 0xb5, 0x9a, 0xb7, 0x8a, 0xd5,
				    0x85, 0x9f, 0xcf, 0xfb, 0xb6, 0x9b, 0xd9, 0x96, 0xae, 0x66);

/* 2.16.840.1.101.3.4.2 */
const struct der oid_sha256 = OID(0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01);
const struct der oid_sha384 = OID(0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02);

/* 1.2.840.10045 */
#define X9_62 0x2a, 0x86, 0x48, 0xce, 0x3d
const struct der oid_ecdsa_sha256 = OID(X9_62, 0x04, 0x03, 0x02);
const struct der oid_ecdsa_sha384 = OID(X9_62, 0x04, 0x03, 0x03);
const struct der oid_ec_key = OID(X9_62, 0x02, 0x01);
const struct der oid_p256 = OID(X9_62, 0x03, 0x01, 0x07);
const struct der oid_p384 = OID(0x2b, 0x81, 0x04, 0x00, 0x22); /* 1.3.132.0.34 */

/* 2.5.29 and 1.3.6.1.5.5.7.3 */
const struct der oid_subject_key_id = OID(0x55, 0x1d, 0x0e);
const struct der oid_key_usage = OID(0x55, 0x1d, 0x0f);
const struct der oid_basic_constraints = OID(0x55, 0x1d, 0x13);
const struct der oid_extended_key_usage = OID(0x55, 0x1d, 0x25);
const struct der oid_any_extended_key_usage = OID(0x55, 0x1d, 0x25, 0x00);
const struct der oid_code_signing = OID(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x03);
