/* Reading and writing whole ranges of descriptors and whole small files. Short transfers and EINTR
 * are dealt with; everything else is ERR_IO with errno's words. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "flash/base/err.h"

/* Read until n_bytes are there or the end is reached; *out_n_bytes says how many came. */
int fdio_read(int fd, void *bytes, size_t n_bytes, size_t *out_n_bytes, struct err *e);
int fdio_pread(int fd, void *bytes, size_t n_bytes, uint64_t offset_bytes, size_t *out_n_bytes,
	       struct err *e);

/* Write all n_bytes. On failure an unknown prefix has been written. */
int fdio_write(int fd, const void *bytes, size_t n_bytes, struct err *e);
int fdio_pwrite(int fd, const void *bytes, size_t n_bytes, uint64_t offset_bytes, struct err *e);

/* The whole file at path, which must be at most max_bytes, into memory owned by the caller; one
 * NUL, not counted, follows it. Fails with ERR_IO, or ERR_USAGE when the file is larger. */
int fdio_load(const char *path, size_t max_bytes, uint8_t **out_bytes, size_t *out_n_bytes,
	      struct err *e);

/* Put n_bytes into the file at path, atomically and durably: a temporary file beside it, fsync,
 * rename, fsync of the folder. On failure path is as it was, unless that last fsync failed: then it
 * has the new content, which a power cut may take back. mode is for a new file and is not
 * narrowed by the umask. ERR_USAGE when a device, pipe or folder is there. */
int fdio_save(const char *path, const void *bytes, size_t n_bytes, mode_t mode, struct err *e);

/* An atomic replacement for path that is written piece by piece: open with _new, write to fd, then
 * _commit; _free without a commit removes the temporary file. */
struct fdio_temp {
	int fd;          /* owned */
	char *path;      /* owned; where the file will be */
	char *temp_path; /* owned; NULL once committed */
};
int fdio_temp_new(const char *path, mode_t mode, struct fdio_temp **out, struct err *e);
int fdio_temp_commit(struct fdio_temp *t, struct err *e);
void fdio_temp_free(struct fdio_temp *t);
static inline void fdio_temp_freep(struct fdio_temp **t)
{
	fdio_temp_free(*t);
}

/* Make a name in the folder that holds path durable, after it was made or renamed there. */
int fdio_sync_folder(const char *path, struct err *e);

/* Make the folder at path, and those above it, with mode; one that exists is fine. */
int fdio_mkdir(const char *path, mode_t mode, struct err *e);
