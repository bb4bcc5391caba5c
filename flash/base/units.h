/* Arithmetic on sizes that cannot overflow silently, and sizes as text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)

/* A size that is not known (a pipe). */
#define SIZE_UNKNOWN UINT64_MAX

/* False, with *out left alone, when the result does not fit. */
static inline bool checked_add(uint64_t a, uint64_t b, uint64_t *out)
{
	uint64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return false;
	*out = sum;
	return true;
}

static inline bool checked_mul(uint64_t a, uint64_t b, uint64_t *out)
{
	uint64_t product;

	if (__builtin_mul_overflow(a, b, &product))
		return false;
	*out = product;
	return true;
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* value rounded up to a multiple of unit, a power of two. value must be at most 2^63. */
static inline uint64_t align_up(uint64_t value, uint64_t unit)
{
	return (value + unit - 1) & ~(unit - 1);
}

static inline uint64_t align_down(uint64_t value, uint64_t unit)
{
	return value & ~(unit - 1);
}

enum { UNITS_TEXT_BYTES = 24 };

/* A size for people, in binary units with three significant digits: "512 B", "1.50 GiB",
 * "unknown size" for SIZE_UNKNOWN. Writes at most UNITS_TEXT_BYTES to text and returns it. */
const char *units_format_bytes(uint64_t size_bytes, char text[UNITS_TEXT_BYTES]);
