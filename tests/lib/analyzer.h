/* Put before every file that gcc's analyzer reads. It sees one file at a time, and would follow the
 * paths on which a function of err.c returns 0. */
#pragma once

#include "flash/base/err.h"

#define err_set(...)   ((void)(err_set)(__VA_ARGS__), -1)
#define err_errno(...) ((void)(err_errno)(__VA_ARGS__), -1)
#define err_wrap(...)  ((void)(err_wrap)(__VA_ARGS__), -1)
#define err_hint(...)  ((void)(err_hint)(__VA_ARGS__), -1)
