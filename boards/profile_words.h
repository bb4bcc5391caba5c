/* What the texts of a profile may look like. Pure. */
#pragma once

#include <stdbool.h>

enum { MAGIC_MAX_DIGITS = 128 };

/* 1 or more of a-z 0-9 and, not in front, + . _ -: names of programs, packages, methods, types. */
bool profile_is_word(const char *text);

bool profile_is_guid(const char *text);     /* in lower case */
bool profile_is_mbr_type(const char *text); /* "0xef", in lower case */

/* 2 to MAGIC_MAX_DIGITS lower-case hex digits, an even number. */
bool profile_is_magic(const char *text);

/* A path below a folder: no part of it is empty, "." or "..", and it does not start with "/". */
bool profile_is_path(const char *text);

/* Of words, ended by NULL. */
bool profile_is_one_of(const char *text, const char *const *words);
