/* Scope ends, resource ends: CLEANUP on every owning local, TAKE to hand it on. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))

/* The value of the pointer, which becomes NULL; the argument is evaluated once. */
#define TAKE(pointer)                                                                              \
	({                                                                                         \
		__auto_type taken_from_ = &(pointer);                                              \
		__auto_type taken_ = *taken_from_;                                                 \
		*taken_from_ = NULL;                                                               \
		taken_;                                                                            \
	})

/* The value of a file descriptor, which becomes -1. */
#define TAKE_FD(fd)                                                                                \
	({                                                                                         \
		int *taken_from_ = &(fd);                                                          \
		int taken_ = *taken_from_;                                                         \
		*taken_from_ = -1;                                                                 \
		taken_;                                                                            \
	})

/* For CLEANUP(freep) on any pointer from malloc. */
static inline void freep(void *pointer)
{
	free(*(void **)pointer);
}

static inline void closep(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static inline void fclosep(FILE **file)
{
	if (*file)
		(void)fclose(*file);
}
