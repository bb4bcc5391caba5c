/* One-file images: what is packed comes back frame by frame, and the seek table finds it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/image/codec.h"
#include "flash/image/frame.h"
#include "flash/image/pack.h"
#include "flash/image/survey.h"

enum { CHUNK_BYTES = 65536, N_CHUNKS = 3, IMAGE_BYTES = 2 * CHUNK_BYTES + 1, ENTRY_BYTES = 8 };

/* Three chunks: 0x11s, zeros, one byte; packed behind sections of a few bytes. */
struct fixture {
	char folder[sizeof "/tmp/lkflash-test-pack.XXXXXX"];
	char path[sizeof "/tmp/lkflash-test-pack.XXXXXX/p.raw.zst"];
	uint8_t image[IMAGE_BYTES];
	struct pack *pack;
	struct survey *survey;
	struct buf sections;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct survey_request r = {.chunk_log2 = 16, .store = pack_store};
	struct err e;

	assert_non_null(f);
	strcpy(f->folder, "/tmp/lkflash-test-pack.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	(void)snprintf(f->path, sizeof f->path, "%s/p.raw.zst", f->folder);
	memset(f->image, 0x11, CHUNK_BYTES);
	f->image[2 * CHUNK_BYTES] = 0x22;
	assert_int_equal(pack_new(f->path, 3, &f->pack, &e), 0);
	r.store_context = f->pack;
	assert_int_equal(source_mem_new(f->image, IMAGE_BYTES, &r.source, &e), 0);
	assert_int_equal(survey_run(&r, &f->survey, &e), 0);
	source_free(r.source);
	pack_end(f->pack, f->survey->index);
	frame_append(&f->sections, "MANI", "{}", 2);
	frame_append(&f->sections, "SIGN", "123", 3);
	frame_append(&f->sections, "INDX", "1234", 4);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	pack_free(f->pack);
	survey_free(f->survey);
	buf_release(&f->sections);
	(void)unlink(f->path);
	(void)rmdir(f->folder);
	free(f);
	return 0;
}

/* The finished file, owned by the caller. */
static uint8_t *commit(struct fixture *f, size_t *out_n_bytes)
{
	uint8_t *bytes = NULL;
	struct err e;

	assert_int_equal(pack_commit(f->pack, &f->sections, NULL, &e), 0);
	assert_int_equal(fdio_load(f->path, 1 << 20, &bytes, out_n_bytes, &e), 0);
	return bytes;
}

static void assert_chunk_decodes(struct fixture *f, const uint8_t *payload, uint64_t i)
{
	const struct index_entry *entry = &f->survey->index->entries[i];
	size_t n_bytes = index_chunk_bytes(f->survey->index, i);
	CLEANUP(freep) uint8_t *plain = malloc(n_bytes);
	uint8_t digest[SHA256_BYTES];
	struct err e;

	assert_non_null(plain);
	payload += entry->stored_offset_bytes;
	assert_int_equal(digest_sha256(payload, entry->stored_bytes, digest, &e), 0);
	assert_memory_equal(digest, entry->stored_sha256, SHA256_BYTES);
	assert_int_equal(codec_zstd_decode(payload, entry->stored_bytes, plain, n_bytes, &e), 0);
	assert_memory_equal(plain, f->image + i * CHUNK_BYTES, n_bytes);
}

static void file_begins_with_its_sections(void **state)
{
	struct fixture *f = *state;
	size_t n_bytes = 0;
	CLEANUP(freep) uint8_t *bytes = commit(f, &n_bytes);

	assert_true(n_bytes > f->sections.n_bytes);
	assert_memory_equal(bytes, f->sections.bytes, f->sections.n_bytes);
}

static void data_chunk_comes_back_from_its_frame(void **state)
{
	struct fixture *f = *state;
	size_t n_bytes = 0;
	CLEANUP(freep) uint8_t *bytes = commit(f, &n_bytes);

	assert_chunk_decodes(f, bytes + f->sections.n_bytes, 0);
}

static void zero_chunk_has_a_frame_too(void **state)
{
	struct fixture *f = *state;
	size_t n_bytes = 0;
	CLEANUP(freep) uint8_t *bytes = commit(f, &n_bytes);

	assert_int_equal(f->survey->index->entries[1].kind, CHUNK_ZERO);
	assert_chunk_decodes(f, bytes + f->sections.n_bytes, 1);
}

static void short_last_chunk_comes_back_from_its_frame(void **state)
{
	struct fixture *f = *state;
	size_t n_bytes = 0;
	CLEANUP(freep) uint8_t *bytes = commit(f, &n_bytes);

	assert_chunk_decodes(f, bytes + f->sections.n_bytes, 2);
}

static void index_says_how_large_the_payload_is(void **state)
{
	struct fixture *f = *state;
	size_t n_bytes = 0;
	CLEANUP(freep) uint8_t *bytes = commit(f, &n_bytes);

	assert_non_null(bytes);
	assert_int_equal(f->survey->index->payload_size_bytes, n_bytes - f->sections.n_bytes);
}

static void index_of_a_packed_image_is_good(void **state)
{
	struct fixture *f = *state;
	CLEANUP(buf_release) struct buf bytes = {0};
	CLEANUP(index_freep) struct index *x = NULL;
	struct err e;

	assert_int_equal(index_format(f->survey->index, &bytes, &e), 0);
	assert_int_equal(index_parse(bytes.bytes, bytes.n_bytes, &x, &e), 0);
	assert_int_equal(x->codec, CHUNK_CODEC_ZSTD);
	assert_int_equal(x->entries[1].stored_offset_bytes, x->entries[0].stored_bytes);
}

static void seek_table_closes_the_file(void **state)
{
	struct fixture *f = *state;
	size_t n_bytes = 0;
	CLEANUP(freep) uint8_t *bytes = commit(f, &n_bytes);
	size_t table_bytes = (3 + N_CHUNKS) * ENTRY_BYTES + 9;
	const uint8_t *table = bytes + n_bytes - table_bytes - 8;

	assert_int_equal(le32(table), 0x184d2a5e);
	assert_int_equal(le32(table + 4), table_bytes);
	assert_int_equal(le32(bytes + n_bytes - 9), 3 + N_CHUNKS);
	assert_int_equal(bytes[n_bytes - 5], 0);
	assert_int_equal(le32(bytes + n_bytes - 4), 0x8f92eab1);
}

static void seek_table_counts_sections_as_empty_frames(void **state)
{
	struct fixture *f = *state;
	size_t n_bytes = 0;
	CLEANUP(freep) uint8_t *bytes = commit(f, &n_bytes);
	const uint8_t *entries = bytes + n_bytes - 9 - (3 + N_CHUNKS) * ENTRY_BYTES;

	assert_int_equal(le32(entries), FRAME_HEADER_BYTES + 2);
	assert_int_equal(le32(entries + 4), 0);
	assert_int_equal(le32(entries + ENTRY_BYTES), FRAME_HEADER_BYTES + 3);
	assert_int_equal(le32(entries + 2 * ENTRY_BYTES), FRAME_HEADER_BYTES + 4);
}

static void seek_table_has_the_sizes_of_each_frame(void **state)
{
	struct fixture *f = *state;
	size_t n_bytes = 0;
	CLEANUP(freep) uint8_t *bytes = commit(f, &n_bytes);
	const uint8_t *entries = bytes + n_bytes - 9 - N_CHUNKS * ENTRY_BYTES;

	assert_int_equal(le32(entries), f->survey->index->entries[0].stored_bytes);
	assert_int_equal(le32(entries + 4), CHUNK_BYTES);
	assert_int_equal(le32(entries + 2 * ENTRY_BYTES),
			 f->survey->index->entries[2].stored_bytes);
	assert_int_equal(le32(entries + 2 * ENTRY_BYTES + 4), 1);
}

static void nothing_is_in_place_before_the_commit(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(access(f->path, F_OK), -1);
	/* No temporary file either: the folder is empty. */
	assert_int_equal(rmdir(f->folder), 0);
	assert_int_equal(mkdir(f->folder, 0700), 0);
}

static void stopped_commit_leaves_the_old_file(void **state)
{
	struct fixture *f = *state;
	CLEANUP(freep) uint8_t *bytes = NULL;
	size_t n_bytes = 0;
	int fds[2] = {-1, -1};
	struct err e;

	assert_int_equal(fdio_save(f->path, "old", 3, 0644, &e), 0);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);
	struct cancel cancel = {.fd = fds[0]};
	assert_int_equal(pack_commit(f->pack, &f->sections, &cancel, &e), -1);
	assert_int_equal(e.code, ERR_CANCELLED);
	assert_int_equal(fdio_load(f->path, 100, &bytes, &n_bytes, &e), 0);
	assert_string_equal((char *)bytes, "old");
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void folder_that_is_missing_is_an_error(void **state)
{
	struct pack *p = NULL;
	struct err e;

	(void)state;
	assert_int_equal(pack_new("/dev/null/p.raw.zst", 3, &p, &e), -1);
	assert_int_equal(e.code, ERR_IO);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FIXTURE(file_begins_with_its_sections),
		WITH_FIXTURE(data_chunk_comes_back_from_its_frame),
		WITH_FIXTURE(zero_chunk_has_a_frame_too),
		WITH_FIXTURE(short_last_chunk_comes_back_from_its_frame),
		WITH_FIXTURE(index_says_how_large_the_payload_is),
		WITH_FIXTURE(index_of_a_packed_image_is_good),
		WITH_FIXTURE(seek_table_closes_the_file),
		WITH_FIXTURE(seek_table_counts_sections_as_empty_frames),
		WITH_FIXTURE(seek_table_has_the_sizes_of_each_frame),
		WITH_FIXTURE(nothing_is_in_place_before_the_commit),
		WITH_FIXTURE(stopped_commit_leaves_the_old_file),
		WITH_FIXTURE(folder_that_is_missing_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
