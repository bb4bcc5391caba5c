/* A manifest and what stands behind it, for people and for programs. Pure. */
#pragma once

#include <stddef.h>

#include "flash/base/buf.h"
#include "flash/base/err.h"
#include "flash/image/index.h"
#include "flash/trust/manifest.h"
#include "flash/trust/trust.h"

struct inspection {
	const char *path; /* borrowed, as all here; where the sections were found */
	const struct manifest *manifest;
	const struct index *index;
	const struct trust_verdict *verdict; /* NULL: nobody was asked to check the signature */
};

/* Lines of text. */
void inspect_put_text(const struct inspection *in, struct buf *out);

/* One JSON object and a newline. Fails with ERR_IO when memory is short. */
int inspect_put_json(const struct inspection *in, struct buf *out, struct err *e);
