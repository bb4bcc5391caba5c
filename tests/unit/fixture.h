/* A small signed image in both shapes, with the keys that signed it, for unit tests. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "flash/base/buf.h"
#include "flash/image/verified.h"
#include "flash/trust/trust.h"

enum {
	FIXTURE_CHUNK_LOG2 = 16,
	FIXTURE_CHUNK_BYTES = 1 << FIXTURE_CHUNK_LOG2,
	/* data, zeros, data, and five bytes of data */
	FIXTURE_IMAGE_BYTES = 3 * FIXTURE_CHUNK_BYTES + 5,
	FIXTURE_N_CHUNKS = 4,
};

struct fixture {
	char folder[64];        /* a temporary folder, removed by fixture_free */
	char image_path[128];   /* the plain image ... */
	char sidecar_path[128]; /* ... and its sections beside it */
	char packed_path[128];  /* both in one file */
	uint8_t *image;         /* owned; FIXTURE_IMAGE_BYTES; compresses well */
	uint8_t *sidecar;       /* owned */
	size_t sidecar_bytes;
	uint8_t *packed; /* owned */
	size_t packed_bytes;
	size_t payload_offset_bytes;                     /* of the first chunk in packed */
	uint64_t stored_offsets_bytes[FIXTURE_N_CHUNKS]; /* from there */
	struct trust_store *store;                       /* owned; trusts the CA of the keys */
	struct trust_policy policy;
};

/* Make keys and image, and write all files. Any failure fails the test. */
struct fixture *fixture_new(void);
void fixture_free(struct fixture *f);
/* The same around a test of cmocka: its state is a struct fixture. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* A request to open the image at path, trusting the fixture's CA. */
struct image_request fixture_request(const struct fixture *f, const char *path);

/* Sign x with the fixture's key and put it before payload at packed_path. */
void fixture_put_packed(const struct fixture *f, const struct index *x, const struct buf *payload);

/* Write n_bytes to path, as the test's input. */
void fixture_put(const char *path, const void *bytes, size_t n_bytes);
