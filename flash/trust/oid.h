/* The object identifiers that signatures and certificates need: the content of their DER. They are
 * compared as bytes, because mbedTLS 2.28 cannot print an arc of more than 32 bits. */
#pragma once

#include "flash/trust/der.h"

extern const struct der oid_signed_data;    /* CMS, RFC 5652 section 5.1 */
extern const struct der oid_content_type;   /* RFC 5652 section 11.1 */
extern const struct der oid_message_digest; /* RFC 5652 section 11.2 */
extern const struct der oid_signing_time;   /* RFC 5652 section 11.3 */
extern const struct der oid_manifest;       /* our eContentType, TRUST_OID_TEXT */

extern const struct der oid_sha256; /* RFC 5754 section 2 */
extern const struct der oid_sha384;
extern const struct der oid_ecdsa_sha256; /* RFC 5754 section 3.3 */
extern const struct der oid_ecdsa_sha384;
extern const struct der oid_rsa; /* PKCS#1 v1.5, RFC 8017 appendix A.1 */

extern const struct der oid_ec_key; /* RFC 5480 section 2.1.1 */
extern const struct der oid_p256;
extern const struct der oid_p384;

extern const struct der oid_basic_constraints;  /* RFC 5280 section 4.2.1.9 */
extern const struct der oid_key_usage;          /* RFC 5280 section 4.2.1.3 */
extern const struct der oid_extended_key_usage; /* RFC 5280 section 4.2.1.12 */
extern const struct der oid_subject_key_id;     /* RFC 5280 section 4.2.1.2 */
extern const struct der oid_code_signing;
extern const struct der oid_any_extended_key_usage;
