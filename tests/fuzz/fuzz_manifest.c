/* Any bytes as a manifest; what is accepted must come back the same from its own text. */
#include <stdlib.h>
#include <string.h>

#include "flash/trust/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const struct manifest *m)
{
	struct manifest *again = NULL;
	struct buf text = {0};
	struct err e;

	if (manifest_format(m, &text, &e) < 0 ||
	    manifest_parse(text.bytes, text.n_bytes, &again, &e) < 0 ||
	    again->n_boards != m->n_boards || again->n_partitions != m->n_partitions ||
	    memcmp(again->index_sha256, m->index_sha256, SHA256_BYTES) != 0)
		abort();
	manifest_free(again);
	buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct manifest *m = NULL;
	struct err e;

	if (manifest_parse(data, size, &m, &e) == 0)
		check_round_trip(m);
	manifest_free(m);
	return 0;
}
