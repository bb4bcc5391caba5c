/* What is on the disk of fuse_disk.c, and the journal of how it came there. */
#pragma once

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/err.h"
#include "flash/base/units.h"
#include "tests/lib/fault.h"

struct disk_store {
	uint64_t size_bytes; /* what the disk claims to have */
	uint64_t real_bytes; /* what it has: behind that it wraps */
	uint8_t *bytes;      /* owned; real_bytes of them, mapped; NULL or MAP_FAILED: not open */
	FILE *journal;       /* owned; NULL: none is kept */
	FILE *data;          /* owned; what was written, in a row */
};

static inline int disk_store_open_log(const char *path, const char *suffix, FILE **out,
				      struct err *e)
{
	CLEANUP(freep) char *name = NULL;

	if (asprintf(&name, "%s%s", path, suffix) < 0)
		return err_errno(e, "opening %s", path);
	*out = fopen(name, "ae"); /* appended to, so that it can be emptied meanwhile */
	return *out ? 0 : err_errno(e, "opening %s", name);
}

/* On the file at path, which becomes real_bytes long; NULL: in memory. journal_path may be NULL. */
static inline int disk_store_open(struct disk_store *s, const char *path, const char *journal_path,
				  struct err *e)
{
	CLEANUP(closep)
	int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : memfd_create("disk", 0);

	if (fd < 0 || ftruncate(fd, (off_t)s->real_bytes) < 0)
		return err_errno(e, "opening %s", path ? path : "memory");
	s->bytes = mmap(NULL, (size_t)s->real_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (s->bytes == MAP_FAILED)
		return err_errno(e, "mapping %s", path ? path : "memory");
	if (!journal_path)
		return 0;
	if (disk_store_open_log(journal_path, "", &s->journal, e) < 0)
		return -1;
	return disk_store_open_log(journal_path, ".data", &s->data, e);
}

static inline void disk_store_release(struct disk_store *s)
{
	fclosep(&s->journal);
	fclosep(&s->data);
	if (s->bytes && s->bytes != MAP_FAILED)
		(void)munmap(s->bytes, (size_t)s->real_bytes);
}

/* Copy between bytes and the disk, piece by piece where it wraps. */
static inline void disk_store_copy(const struct disk_store *s, const struct request *r,
				   uint8_t *bytes, bool is_stored)
{
	for (uint64_t n_done = 0; n_done < r->size_bytes;) {
		uint64_t at = (r->offset_bytes + n_done) % s->real_bytes;
		uint64_t n = min_u64(r->size_bytes - n_done, s->real_bytes - at);
		if (is_stored)
			memcpy(s->bytes + at, bytes + n_done, (size_t)n);
		else
			memcpy(bytes + n_done, s->bytes + at, (size_t)n);
		n_done += n;
	}
}

/* Put a write, zeroing or flush into the journal, which is complete at any moment. */
static inline bool disk_store_note(const struct disk_store *s, const struct request *r,
				   const uint8_t *bytes)
{
	if (!s->journal)
		return true;
	if (r->kind == REQUEST_FLUSH)
		return fprintf(s->journal, "flush\n") > 0 && fflush(s->journal) == 0;
	if (r->kind == REQUEST_WRITE &&
	    (fwrite(bytes, (size_t)r->size_bytes, 1, s->data) != 1 || fflush(s->data) != 0))
		return false;
	return fprintf(s->journal, "%s %llu %llu\n", r->kind == REQUEST_ZERO ? "zero" : "write",
		       (unsigned long long)r->offset_bytes,
		       (unsigned long long)r->size_bytes) > 0 &&
	       fflush(s->journal) == 0;
}
