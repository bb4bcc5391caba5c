/* Chunks, files and folders for the tests of sinks. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/image/verified.h"
#include "flash/sink/sink.h"

enum { PAGE_BYTES = 4096 };

static inline struct chunk *data_chunk(uint64_t offset_bytes, const char *text)
{
	struct chunk *c = NULL;
	struct err e = {0};

	assert_int_equal(
		chunk_derived_new(offset_bytes, (const uint8_t *)text, strlen(text), 0, &c, &e), 0);
	return c;
}

static inline struct chunk *zero_chunk(uint64_t offset_bytes, uint64_t size_bytes)
{
	struct chunk *c = NULL;
	struct err e = {0};

	assert_int_equal(chunk_zero_new(offset_bytes, size_bytes, &c, &e), 0);
	return c;
}

/* A folder of the test's own, with the path of a file in it that does not exist yet. */
struct folder {
	char path[64];
	char file[80];
};

static inline int setup_folder(void **state)
{
	struct folder *f = calloc(1, sizeof *f);

	assert_non_null(f);
	strcpy(f->path, "/tmp/lkflash-sink.XXXXXX");
	assert_non_null(mkdtemp(f->path));
	(void)snprintf(f->file, sizeof f->file, "%s/disk.img", f->path);
	*state = f;
	return 0;
}

static inline int teardown_folder(void **state)
{
	struct folder *f = *state;

	(void)unlink(f->file);
	(void)rmdir(f->path);
	free(f);
	return 0;
}

static inline void fill_file(const char *path, int byte, size_t n_bytes)
{
	CLEANUP(fclosep) FILE *file = fopen(path, "w");
	uint8_t bytes[3 * PAGE_BYTES];

	assert_non_null(file);
	assert_true(n_bytes <= sizeof bytes);
	memset(bytes, byte, n_bytes);
	assert_int_equal(fwrite(bytes, 1, n_bytes, file), n_bytes);
}

static inline uint64_t file_size(const char *path)
{
	struct stat st = {0};

	assert_int_equal(stat(path, &st), 0);
	return (uint64_t)st.st_size;
}

/* What the file takes on its file system. */
static inline uint64_t blocks_bytes(const char *path)
{
	struct stat st = {0};

	assert_int_equal(stat(path, &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

static inline struct sink *open_file(const char *path, enum sink_mode mode, uint64_t create_bytes)
{
	struct sink *s = NULL;
	struct err e = {0};

	assert_int_equal(sink_file_open(path, mode, create_bytes, NULL, &s, &e), 0);
	return s;
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup_folder, teardown_folder)
