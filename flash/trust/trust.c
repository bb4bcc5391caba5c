/* The trust decision: a signature's parts, each signer's key, each signer's chain, and how many of
 * them count. See trust.h. */
#include "flash/trust/trust.h"

#include <mbedtls/x509_crt.h>
#include <stdio.h>
#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/trust/cert.h"
#include "flash/trust/cms.h"
#include "flash/trust/trust_store.h"
#include "flash/trust/x509_policy.h"

/* Everything about one signature. */
struct decision {
	const struct trust_store *store;
	const struct trust_policy *policy;
	struct cms cms;
	mbedtls_x509_crt certs[CMS_CERTIFICATES_MAX]; /* of cms, in the same order */
	bool is_used[CMS_CERTIFICATES_MAX];           /* by a signer's chain */
	uint8_t keys[SIGNERS_MAX][SHA256_BYTES];      /* digests of those that count */
	struct trust_verdict verdict;
	struct err first_refusal; /* of a signer that does not count; code ERR_NONE: none */
};

static void decision_release(struct decision *d)
{
	for (size_t i = 0; i < CMS_CERTIFICATES_MAX; i++)
		mbedtls_x509_crt_free(&d->certs[i]);
}

static int parse_certificates(struct decision *d, struct err *e)
{
	for (size_t i = 0; i < d->cms.n_certificates; i++) {
		struct der der = d->cms.certificates[i];
		int failure = mbedtls_x509_crt_parse_der(&d->certs[i], der.bytes, der.n_bytes);
		if (failure != 0)
			return err_set(e, ERR_UNTRUSTED,
				       "certificate %zu of the signature cannot be read: mbedTLS "
				       "-0x%04x",
				       i + 1, (unsigned)-failure);
	}
	return 0;
}

static int find_signer(const struct decision *d, const struct cms_signer *s, size_t *out,
		       struct err *e)
{
	for (size_t i = 0; i < d->cms.n_certificates; i++) {
		if (cms_signer_names(s, &d->certs[i])) {
			*out = i;
			return 0;
		}
	}
	return err_set(e, ERR_UNTRUSTED,
		       "the signature does not carry the certificate of its signer; sign it again "
		       "with that certificate");
}

static bool holds(const size_t *list, size_t n, size_t value)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i] == value)
			return true;
	}
	return false;
}

/* The signer's certificate and those that may have issued it, each behind what it issued: mbedTLS
 * looks for an issuer only further down the list. */
static size_t order_issuers(const struct decision *d, size_t signer,
			    size_t out[CMS_CERTIFICATES_MAX])
{
	size_t n = 0;

	out[n++] = signer;
	for (size_t done = 0; done < n; done++) {
		struct der issuer = cert_der(&d->certs[out[done]].issuer_raw);
		for (size_t i = 0; i < d->cms.n_certificates; i++) {
			if (!holds(out, n, i) &&
			    der_equals(cert_der(&d->certs[i].subject_raw), issuer))
				out[n++] = i;
		}
	}
	return n;
}

static void mark_chain(struct decision *d, const struct x509_chain *chain)
{
	for (size_t i = 0; i < d->cms.n_certificates; i++) {
		for (size_t depth = 0; depth < chain->n_certs; depth++) {
			if (der_equals(d->cms.certificates[i], cert_der(&chain->certs[depth]->raw)))
				d->is_used[i] = true;
		}
	}
}

/* Does the signer's certificate chain to the store? */
static int check_chain(struct decision *d, const size_t *order, size_t n, struct err *e)
{
	CLEANUP(mbedtls_x509_crt_free) mbedtls_x509_crt list = {0};
	struct x509_chain chain = {0};

	mbedtls_x509_crt_init(&list);
	for (size_t i = 0; i < n; i++) {
		struct der der = d->cms.certificates[order[i]];
		if (mbedtls_x509_crt_parse_der(&list, der.bytes, der.n_bytes) != 0)
			return err_set(e, ERR_IO, "reading a certificate again failed");
	}
	if (x509_policy_check(d->store, d->policy, &list, &chain, e) < 0)
		return -1;
	mark_chain(d, &chain);
	return 0;
}

/* Count the signer's key, once. */
static int count_key(struct decision *d, const mbedtls_x509_crt *crt, struct err *e)
{
	struct trust_verdict *v = &d->verdict;
	uint8_t key[SHA256_BYTES];

	if (cert_key_digest(crt, key, e) < 0)
		return -1;
	for (size_t i = 0; i < v->n_signers; i++) {
		if (memcmp(d->keys[i], key, sizeof key) == 0)
			return 0;
	}
	memcpy(d->keys[v->n_signers], key, sizeof key);
	(void)cert_name(&crt->subject, v->signers[v->n_signers]);
	v->n_signers++;
	return 0;
}

/* A signer that nobody here trusts is no harm, if others suffice: an image may be signed for the
 * machines that know the old CA and for those that know the new one. */
static int check_signer(struct decision *d, const struct cms_signer *s,
			const struct signed_bytes *b, struct err *e)
{
	size_t order[CMS_CERTIFICATES_MAX] = {0};
	size_t signer = 0;
	struct err refusal = {0};

	if (find_signer(d, s, &signer, e) < 0 ||
	    cms_signer_verify(s, &d->certs[signer], b->content, b->content_bytes, e) < 0)
		return -1;
	size_t n = order_issuers(d, signer, order);
	if (check_chain(d, order, n, &refusal) == 0)
		return count_key(d, &d->certs[signer], e);
	for (size_t i = 0; i < n; i++)
		d->is_used[order[i]] = true;
	if (d->first_refusal.code == ERR_NONE)
		d->first_refusal = refusal;
	return 0;
}

static bool is_in_store(const struct trust_store *s, struct der raw)
{
	for (const mbedtls_x509_crt *crt = &s->cas; crt; crt = crt->next) {
		if (der_equals(cert_der(&crt->raw), raw))
			return true;
	}
	return false;
}

/* A certificate that nothing depends on could be changed at will: no part of a signature may. */
static int check_unused(const struct decision *d, struct err *e)
{
	char name[TRUST_NAME_BYTES];

	for (size_t i = 0; i < d->cms.n_certificates; i++) {
		if (!d->is_used[i] && !is_in_store(d->store, d->cms.certificates[i]))
			return err_set(e, ERR_UNTRUSTED,
				       "the signature carries the certificate %s, which no signer "
				       "needs; sign it without",
				       cert_name(&d->certs[i].subject, name));
	}
	return 0;
}

static int check_threshold(const struct decision *d, struct err *e)
{
	size_t n_wanted = d->policy->threshold > 0 ? d->policy->threshold : 1;
	size_t n_signers = d->verdict.n_signers;

	if (n_signers >= n_wanted)
		return 0;
	if (d->first_refusal.code == ERR_NONE)
		return err_set(e, ERR_UNTRUSTED,
			       "%zu of the %zu trusted keys asked for have signed; sign with more",
			       n_signers, n_wanted);
	*e = d->first_refusal;
	if (n_wanted == 1)
		return -1;
	return err_wrap(e, "%zu of the %zu trusted keys asked for have signed", n_signers,
			n_wanted);
}

static int decide(struct decision *d, const struct signed_bytes *b, struct err *e)
{
	if (parse_certificates(d, e) < 0)
		return -1;
	for (size_t i = 0; i < d->cms.n_signers; i++) {
		if (check_signer(d, &d->cms.signers[i], b, e) < 0)
			return -1;
	}
	if (check_threshold(d, e) < 0)
		return -1;
	return check_unused(d, e);
}

int trust_verify(const struct trust_store *s, const struct trust_policy *p,
		 const struct signed_bytes *b, struct trust_verdict *out, struct err *e)
{
	CLEANUP(decision_release) struct decision d = {.store = s, .policy = p};

	for (size_t i = 0; i < CMS_CERTIFICATES_MAX; i++)
		mbedtls_x509_crt_init(&d.certs[i]);
	d.verdict.is_clock_believed = x509_is_clock_believed(p);
	if (cms_parse(b->signature, b->signature_bytes, &d.cms, e) < 0 || decide(&d, b, e) < 0)
		return -1;
	*out = d.verdict;
	return 0;
}
