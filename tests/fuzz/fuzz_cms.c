/* Any bytes as a signature. What is accepted must be over the content, and over no other. The
 * corpus was signed below the CA here by the signers of tests/lib/pki.sh; their keys are gone. */
#include <stdlib.h>

#include "flash/trust/trust.h"
#include "flash/trust/trust_store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char content[] = "{\"lkflash-manifest\":1,\"name\":\"test\"}\n";

static const char ca[] = "-----BEGIN CERTIFICATE-----\n"
			 "MIIBaDCCAQ6gAwIBAgIUKx+zNIxABHWsOsO4fc40A2y/atAwCgYIKoZIzj0EAwIw\n"
			 "EjEQMA4GA1UEAwwHdGVzdCBDQTAeFw0yNjExMjMxOTAzNTBaFw0zNjExMjAxOTAz\n"
			 "NTBaMBIxEDAOBgNVBAMMB3Rlc3QgQ0EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC\n"
			 "AAQsUhVVgv80DWoVFjbq3Qxiycr5LOg5WG1leGpzbpioZq4RK2VmEiD4AicSFJp6\n"
			 "mVV4naKoFJeGEL3NFoiEAYAZo0IwQDAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB\n"
			 "/wQEAwIBBjAdBgNVHQ4EFgQUB7W2vPqo41sbZvJek4KN0tYzeEYwCgYIKoZIzj0E\n"
			 "AwIDSAAwRQIhAMSznH14ryq3m1rO7TZKQb9+vXlr281dM7V1TJtBK5z5AiBTCD9x\n"
			 "fjK/zT+sLe2yFshTYot76NlTs3ASzs+nOUomtw==\n"
			 "-----END CERTIFICATE-----\n";

static const struct trust_store *store(void)
{
	static struct trust_store *s;
	struct err e;

	if (!s && (trust_store_new(&s, &e) < 0 ||
		   trust_store_add_cas(s, (const uint8_t *)ca, sizeof ca - 1, "ca", &e) < 0))
		abort();
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct trust_policy policy = {
		.now_s = 1795547000}; /* a day after the corpus was made */
	const struct signed_bytes right = {data, size, content, sizeof content - 1};
	const struct signed_bytes wrong = {data, size, content, sizeof content};
	struct trust_verdict v;
	struct err e;

	if (trust_verify(store(), &policy, &right, &v, &e) == 0 &&
	    (v.n_signers < 1 || v.n_signers > SIGNERS_MAX ||
	     trust_verify(store(), &policy, &wrong, &v, &e) == 0))
		abort();
	return 0;
}
