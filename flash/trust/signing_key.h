/* What a signing key holds. Internal to flash/trust/; others see keys.h. */
#pragma once

#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>

#include "flash/trust/keys.h"

struct signing_key {
	mbedtls_pk_context private_key;
	mbedtls_x509_crt certificates; /* the signer's, and behind it intermediates */
	enum key_kind kind;
};
