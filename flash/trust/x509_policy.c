/* Which certificate may sign images. mbedTLS builds the chain and checks its signatures; everything
 * it would let pass by default is decided here. See x509_policy.h. */
#include "flash/trust/x509_policy.h"

#include <stdio.h>
#include <time.h>

#include "flash/trust/cert.h"

enum {
	DATE_BYTES = 40,
	/* What mbedTLS says by the system's clock. We look at the same dates by our own. */
	TIME_FLAGS = MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE |
		     MBEDTLS_X509_BADCRL_EXPIRED | MBEDTLS_X509_BADCRL_FUTURE,
	WEAK_FLAGS = MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK |
		     MBEDTLS_X509_BADCERT_BAD_KEY,
	CRL_FLAGS = MBEDTLS_X509_BADCRL_NOT_TRUSTED | MBEDTLS_X509_BADCRL_BAD_MD |
		    MBEDTLS_X509_BADCRL_BAD_PK | MBEDTLS_X509_BADCRL_BAD_KEY,
};

static const mbedtls_x509_crt_profile profile = {
	.allowed_mds = MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256) |
		       MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA384) |
		       MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA512),
	.allowed_pks = MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_RSA) |
		       MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_ECKEY) |
		       MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_ECDSA),
	.allowed_curves = MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1) |
			  MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP384R1) |
			  MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP521R1),
	.rsa_min_bitlen = RSA_MIN_BITS,
};

/* What mbedTLS's verification told about each certificate of the chain. */
struct findings {
	struct x509_chain chain;
	uint32_t flags[X509_CHAIN_MAX];
};

/* The verify callback: called for each certificate, from the trusted one (largest depth) down. */
static int note(void *context, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
	struct findings *f = context;

	if (depth < 0 || depth >= X509_CHAIN_MAX)
		return MBEDTLS_ERR_X509_FATAL_ERROR;
	*flags &= ~(uint32_t)TIME_FLAGS;
	f->chain.certs[depth] = crt;
	f->flags[depth] = *flags;
	if (f->chain.n_certs <= (size_t)depth)
		f->chain.n_certs = (size_t)depth + 1;
	return 0;
}

/* "the signing certificate CN=..." or "the CA certificate CN=..." */
static const char *describe(const struct x509_chain *chain, size_t depth,
			    char text[TRUST_NAME_BYTES + 32])
{
	char name[TRUST_NAME_BYTES];

	(void)snprintf(text, TRUST_NAME_BYTES + 32, "the %s certificate %s",
		       depth == 0 ? "signing" : "CA",
		       cert_name(&chain->certs[depth]->subject, name));
	return text;
}

static int refuse_flags(const struct x509_chain *chain, size_t depth, uint32_t flags, struct err *e)
{
	char what[TRUST_NAME_BYTES + 32];
	char issuer[TRUST_NAME_BYTES];

	(void)describe(chain, depth, what);
	(void)cert_name(&chain->certs[depth]->issuer, issuer);
	if (flags & MBEDTLS_X509_BADCERT_REVOKED)
		return err_set(e, ERR_UNTRUSTED, "%s was revoked by %s; get an image signed anew",
			       what, issuer);
	if (flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED)
		return err_set(e, ERR_UNTRUSTED,
			       "no trusted CA issued %s (its issuer is %s); trust that CA with "
			       "--trust, if you do",
			       what, issuer);
	if (flags & WEAK_FLAGS)
		return err_set(e, ERR_UNTRUSTED,
			       "%s has or was signed with an algorithm or key that is too weak or "
			       "not known; use SHA-2 with ECDSA, or RSA of at least 3072 bits",
			       what);
	if (flags & CRL_FLAGS)
		return err_set(
			e, ERR_UNTRUSTED,
			"the revocation list for %s is not by its issuer %s; get a right one", what,
			issuer);
	return err_set(e, ERR_UNTRUSTED, "%s is refused: mbedTLS flags 0x%x", what,
		       (unsigned)flags);
}

static int build_chain(const struct trust_store *s, mbedtls_x509_crt *list, struct findings *f,
		       struct err *e)
{
	uint32_t flags = 0;
	/* mbedTLS only reads the store, whatever its prototype says. */
	int failure = mbedtls_x509_crt_verify_with_profile(
		list, (mbedtls_x509_crt *)&s->cas,
		s->has_crls ? (mbedtls_x509_crl *)&s->crls : NULL, &profile, NULL, &flags, note, f);

	for (size_t depth = 0; depth < f->chain.n_certs; depth++) {
		if (f->flags[depth] != 0)
			return refuse_flags(&f->chain, depth, f->flags[depth], e);
	}
	if (failure != 0 || flags != 0 || f->chain.n_certs == 0)
		return err_set(e, ERR_UNTRUSTED,
			       "the chain of the signing certificate cannot be checked: mbedTLS "
			       "-0x%04x, flags 0x%x",
			       (unsigned)-failure, (unsigned)flags);
	return 0;
}

/* ---- time -------------------------------------------------------------------------------------
 */

bool x509_is_clock_believed(const struct trust_policy *p)
{
	return p->now_s >= p->floor_s;
}

static bool has_ended(const struct trust_policy *p, const mbedtls_x509_time *end)
{
	return cert_time_s(end) < (x509_is_clock_believed(p) ? p->now_s : p->floor_s);
}

/* Without a clock to believe, what is not yet valid may well be by now. */
static bool has_begun(const struct trust_policy *p, const mbedtls_x509_time *start)
{
	return !x509_is_clock_believed(p) || cert_time_s(start) <= p->now_s;
}

static const char *format_date(const mbedtls_x509_time *t, char text[DATE_BYTES])
{
	(void)snprintf(text, DATE_BYTES, "%04d-%02d-%02d", t->year, t->mon, t->day);
	return text;
}

static int check_time(const struct x509_chain *chain, size_t depth, const struct trust_policy *p,
		      struct err *e)
{
	const mbedtls_x509_crt *crt = chain->certs[depth];
	char what[TRUST_NAME_BYTES + 32];
	char date[DATE_BYTES];

	(void)describe(chain, depth, what);
	if (has_ended(p, &crt->valid_to))
		return err_set(e, ERR_UNTRUSTED, "%s expired on %s; get an image signed anew", what,
			       format_date(&crt->valid_to, date));
	if (!has_begun(p, &crt->valid_from))
		return err_set(e, ERR_UNTRUSTED, "%s is not valid before %s; check the clock", what,
			       format_date(&crt->valid_from, date));
	return 0;
}

/* ---- revocation -------------------------------------------------------------------------------
 */

static bool is_crl_of(const mbedtls_x509_crl *crl, const mbedtls_x509_crt *crt)
{
	return crl->version != 0 &&
	       der_equals(cert_der(&crl->issuer_raw), cert_der(&crt->issuer_raw));
}

/* mbedTLS takes a certificate as good when no list is by its issuer. It has checked the signature
 * and the entries of each that is; one of these must be of today. */
static int check_crl(const struct trust_store *s, const struct x509_chain *chain, size_t depth,
		     const struct trust_policy *p, struct err *e)
{
	const mbedtls_x509_crt *crt = chain->certs[depth];
	char what[TRUST_NAME_BYTES + 32];
	char issuer[TRUST_NAME_BYTES];
	char date[DATE_BYTES];
	const mbedtls_x509_crl *stale = NULL;

	for (const mbedtls_x509_crl *crl = &s->crls; crl; crl = crl->next) {
		if (!is_crl_of(crl, crt))
			continue;
		if (!has_ended(p, &crl->next_update) && has_begun(p, &crl->this_update))
			return 0;
		stale = crl;
	}
	(void)describe(chain, depth, what);
	(void)cert_name(&crt->issuer, issuer);
	if (!stale)
		return err_set(e, ERR_UNTRUSTED,
			       "no revocation list is by %s, which issued %s; give one with --crl",
			       issuer, what);
	return err_set(e, ERR_UNTRUSTED,
		       "the revocation list by %s is not of now: a new one was due on %s; give it "
		       "with --crl",
		       issuer, format_date(&stale->next_update, date));
}

/* ---- the decision -----------------------------------------------------------------------------
 */

static int check_usage(const struct x509_chain *chain, size_t depth, struct err *e)
{
	char what[TRUST_NAME_BYTES + 32];
	const char *flaw = NULL;

	if (depth == 0)
		flaw = cert_signing_flaw(chain->certs[0]);
	else if (depth + 1 < chain->n_certs && !cert_allows_code_signing(chain->certs[depth]))
		flaw = "may not issue certificates for code signing (extendedKeyUsage)";
	if (!flaw)
		return 0;
	return err_set(e, ERR_UNTRUSTED, "%s %s; sign with a certificate for code signing",
		       describe(chain, depth, what), flaw);
}

int x509_policy_check(const struct trust_store *s, const struct trust_policy *p,
		      mbedtls_x509_crt *list, struct x509_chain *out, struct err *e)
{
	struct findings f = {0};

	if (build_chain(s, list, &f, e) < 0)
		return -1;
	for (size_t depth = 0; depth < f.chain.n_certs; depth++) {
		bool is_root = depth + 1 == f.chain.n_certs;
		if (check_usage(&f.chain, depth, e) < 0 || check_time(&f.chain, depth, p, e) < 0)
			return -1;
		if (s->has_crls && !is_root && check_crl(s, &f.chain, depth, p, e) < 0)
			return -1;
	}
	*out = f.chain;
	return 0;
}
