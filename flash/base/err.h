/* The error object: lives on the caller's stack, so that reporting an error never allocates.
 *
 * A function that can fail takes `struct err *e` last and returns 0, or -1 with *e filled.
 * Each module boundary wraps once, so that the text reads from the outside in and ends with the
 * root cause. When the context does not fit, the outer context is dropped, never the root cause. */
#pragma once

/* What the caller can do about it. The values are the program's exit status. */
enum err_code {
	ERR_NONE = 0,
	ERR_IO = 1,        /* a file, device or network failed: look at it, try again */
	ERR_USAGE = 2,     /* what was asked for makes no sense: ask differently */
	ERR_REFUSED = 3,   /* the target must not be written: choose another, or lift the refusal */
	ERR_UNTRUSTED = 4, /* the image is not what a trusted signature says: get another image */
	ERR_DIFFERS = 5,   /* the target does not hold what was written: replace the medium */
	ERR_PROTOCOL = 6,  /* a device or server broke its protocol */
	ERR_PARTIAL = 7,   /* some targets failed */
	ERR_CANCELLED = 8, /* a signal asked us to stop */
};

enum { ERR_TEXT_BYTES = 1024 };

struct err {
	enum err_code code;
	char text[ERR_TEXT_BYTES]; /* always terminated */
};

/* Fill *e afresh. The text starts lower case and has no full stop. Returns -1. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Fill *e as ERR_IO, with ": " and errno's words behind the text. Returns -1. */
int err_errno(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Put "text: " in front of what *e says; the code stays. Returns -1. */
int err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Put "; text" behind what *e says, for the way out; the code stays. Returns -1. */
int err_hint(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
