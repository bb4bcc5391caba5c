/* Fingerprints, by libxxhash. See fingerprint.h. */
#include "flash/image/fingerprint.h"

/* For x86 the library carries code for each width of vectors and picks it when it runs. Measured on
 * an AMD EPYC, 1 MiB at a time: 22.2 GB/s so, 14.3 GB/s without, 11.2 GB/s inlined with -O2. */
#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif

struct fingerprint fingerprint_of(const void *bytes, size_t n_bytes, uint64_t seed)
{
	XXH128_hash_t hash = XXH3_128bits_withSeed(bytes, n_bytes, seed);

	return (struct fingerprint){.low = hash.low64, .high = hash.high64};
}
