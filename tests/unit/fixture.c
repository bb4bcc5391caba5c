/* A small signed image. See fixture.h. */
#include "tests/unit/fixture.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/image/codec.h"
#include "flash/image/frame.h"

void fixture_put(const char *path, const void *bytes, size_t n_bytes)
{
	CLEANUP(closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct err e = {0};

	assert_true(fd >= 0);
	assert_int_equal(fdio_write(fd, bytes, n_bytes, &e), 0);
}

static void make_keys(struct fixture *f, struct signing_key **out)
{
	char folder[80];
	char key[96];
	char cert[96];
	char ca[96];
	struct err e = {0};
	const char *ca_paths[] = {ca};

	(void)snprintf(folder, sizeof folder, "%s/keys", f->folder);
	(void)snprintf(key, sizeof key, "%s/sign.key", folder);
	(void)snprintf(cert, sizeof cert, "%s/sign.pem", folder);
	(void)snprintf(ca, sizeof ca, "%s/ca.pem", folder);
	const struct keygen_request r = {
		.folder = folder, .kind = KEY_P256, .ca_days = 10, .signer_days = 10};
	assert_int_equal(keygen(&r, &e), 0);
	assert_int_equal(signing_key_load(key, cert, out, &e), 0);
	const struct trust_files files = {.ca_paths = ca_paths, .n_ca_paths = 1};
	assert_int_equal(trust_store_load(&files, &f->store, &e), 0);
	f->policy = (struct trust_policy){.threshold = 1, .now_s = time(NULL)};
}

/* Data that differs from chunk to chunk, and a chunk of zeros. */
static void make_image(struct fixture *f)
{
	f->image = calloc(1, FIXTURE_IMAGE_BYTES);
	assert_non_null(f->image);
	for (size_t i = 0; i < FIXTURE_IMAGE_BYTES; i++)
		if (i >> FIXTURE_CHUNK_LOG2 != 1)
			f->image[i] = (uint8_t)(1 + (i >> FIXTURE_CHUNK_LOG2) + (i & 1));
}

static struct index *make_index(const struct fixture *f)
{
	struct index *x = NULL;
	struct err e = {0};

	assert_int_equal(index_new(FIXTURE_IMAGE_BYTES, FIXTURE_CHUNK_LOG2, &x, &e), 0);
	x->codec = CHUNK_CODEC_STREAM;
	for (uint64_t i = 0; i < x->n_chunks; i++) {
		struct index_entry *entry = &x->entries[i];
		entry->kind = i == 1 ? CHUNK_ZERO : CHUNK_DATA;
		entry->codec = CHUNK_CODEC_STREAM;
		assert_int_equal(digest_sha256(f->image + (i << FIXTURE_CHUNK_LOG2),
					       index_chunk_bytes(x, i), entry->plain_sha256, &e),
				 0);
	}
	return x;
}

/* One frame a chunk into *payload, and where they are into x. */
static void store_chunks(struct fixture *f, struct index *x, struct buf *payload)
{
	struct err e = {0};

	x->codec = CHUNK_CODEC_ZSTD;
	for (uint64_t i = 0; i < x->n_chunks; i++) {
		struct index_entry *entry = &x->entries[i];
		size_t n_bytes = codec_zstd_bound(FIXTURE_CHUNK_BYTES);
		CLEANUP(freep) uint8_t *frame = malloc(n_bytes);
		assert_int_equal(codec_zstd_encode(f->image + (i << FIXTURE_CHUNK_LOG2),
						   index_chunk_bytes(x, i), 3, frame, &n_bytes, &e),
				 0);
		entry->codec = CHUNK_CODEC_ZSTD;
		entry->stored_bytes = (uint32_t)n_bytes;
		entry->stored_offset_bytes = payload->n_bytes;
		f->stored_offsets_bytes[i] = payload->n_bytes;
		assert_int_equal(digest_sha256(frame, n_bytes, entry->stored_sha256, &e), 0);
		buf_append(payload, frame, n_bytes);
	}
	x->payload_size_bytes = payload->n_bytes;
}

/* Manifest, signature and index of x. */
static void put_sections(const struct index *x, struct signing_key *key, struct buf *out)
{
	CLEANUP(buf_release) struct buf index_bytes = {0};
	CLEANUP(buf_release) struct buf json = {0};
	CLEANUP(buf_release) struct buf der = {0};
	char boards[][MANIFEST_NAME_BYTES] = {"generic"};
	struct err e = {0};
	struct manifest m = {
		.name = "fixture",
		.version = "1",
		.boards = boards,
		.n_boards = 1,
		.image_size_bytes = FIXTURE_IMAGE_BYTES,
		.sector_bytes = 512,
	};

	assert_int_equal(index_format(x, &index_bytes, &e), 0);
	m.index_size_bytes = index_bytes.n_bytes;
	assert_int_equal(digest_sha256(index_bytes.bytes, index_bytes.n_bytes, m.index_sha256, &e),
			 0);
	assert_int_equal(manifest_format(&m, &json, &e), 0);
	assert_int_equal(trust_sign(&key, 1, json.bytes, json.n_bytes, &der, &e), 0);
	frame_append(out, "MANI", json.bytes, json.n_bytes);
	frame_append(out, "SIGN", der.bytes, der.n_bytes);
	frame_append(out, "INDX", index_bytes.bytes, index_bytes.n_bytes);
	assert_int_equal(buf_check(out, &e), 0);
}

void fixture_put_packed(const struct fixture *f, const struct index *x, const struct buf *payload)
{
	CLEANUP(signing_key_freep) struct signing_key *key = NULL;
	CLEANUP(buf_release) struct buf packed = {0};
	char key_path[96];
	char cert_path[96];
	struct err e = {0};

	(void)snprintf(key_path, sizeof key_path, "%s/keys/sign.key", f->folder);
	(void)snprintf(cert_path, sizeof cert_path, "%s/keys/sign.pem", f->folder);
	assert_int_equal(signing_key_load(key_path, cert_path, &key, &e), 0);
	put_sections(x, key, &packed);
	buf_append(&packed, payload->bytes, payload->n_bytes);
	fixture_put(f->packed_path, packed.bytes, packed.n_bytes);
}

struct fixture *fixture_new(void)
{
	struct fixture *f = calloc(1, sizeof *f);
	CLEANUP(signing_key_freep) struct signing_key *key = NULL;
	CLEANUP(buf_release) struct buf payload = {0};
	struct buf sidecar = {0};
	struct buf packed = {0};

	assert_non_null(f);
	strcpy(f->folder, "/tmp/lkflash-fixture.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	(void)snprintf(f->image_path, sizeof f->image_path, "%s/image.raw", f->folder);
	(void)snprintf(f->sidecar_path, sizeof f->sidecar_path, "%s/image.raw.lkm", f->folder);
	(void)snprintf(f->packed_path, sizeof f->packed_path, "%s/packed.raw.zst", f->folder);
	make_keys(f, &key);
	make_image(f);
	CLEANUP(index_freep) struct index *x = make_index(f);
	put_sections(x, key, &sidecar);
	store_chunks(f, x, &payload);
	put_sections(x, key, &packed);
	f->payload_offset_bytes = packed.n_bytes;
	buf_append(&packed, payload.bytes, payload.n_bytes);
	f->sidecar = sidecar.bytes;
	f->sidecar_bytes = sidecar.n_bytes;
	f->packed = packed.bytes;
	f->packed_bytes = packed.n_bytes;
	fixture_put(f->image_path, f->image, FIXTURE_IMAGE_BYTES);
	fixture_put(f->sidecar_path, f->sidecar, f->sidecar_bytes);
	fixture_put(f->packed_path, f->packed, f->packed_bytes);
	return f;
}

void fixture_free(struct fixture *f)
{
	static const char *const names[] = {"keys/ca.pem",   "keys/ca.key", "keys/sign.pem",
					    "keys/sign.key", "image.raw",   "image.raw.lkm",
					    "packed.raw.zst"};
	char path[128];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", f->folder, names[i]);
		(void)unlink(path);
	}
	(void)snprintf(path, sizeof path, "%s/keys", f->folder);
	(void)rmdir(path);
	(void)rmdir(f->folder);
	trust_store_free(f->store);
	free(f->image);
	free(f->sidecar);
	free(f->packed);
	free(f);
}

int fixture_setup(void **state)
{
	*state = fixture_new();
	return 0;
}

int fixture_teardown(void **state)
{
	fixture_free(*state);
	return 0;
}

struct image_request fixture_request(const struct fixture *f, const char *path)
{
	return (struct image_request){.where = path, .store = f->store, .policy = f->policy};
}
