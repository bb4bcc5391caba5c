/* Strict parsing of short texts. See parse.h. */
#include "flash/base/parse.h"

#include <string.h>

#include "flash/base/units.h"

/* Read the digits at the start of *text, moving it behind them. */
static bool take_digits(const char **text, uint64_t *out)
{
	const char *p = *text;
	uint64_t value = 0;

	if (*p < '0' || *p > '9' || (*p == '0' && p[1] >= '0' && p[1] <= '9'))
		return false;
	for (; *p >= '0' && *p <= '9'; p++)
		if (!checked_mul(value, 10, &value) ||
		    !checked_add(value, (uint64_t)(*p - '0'), &value))
			return false;
	*text = p;
	*out = value;
	return true;
}

bool parse_u64(const char *text, uint64_t *out)
{
	uint64_t value = 0;

	if (!take_digits(&text, &value) || *text != '\0')
		return false;
	*out = value;
	return true;
}

bool parse_size(const char *text, uint64_t *out_bytes)
{
	static const char units[] = "KMGT";
	uint64_t value = 0;

	if (!take_digits(&text, &value))
		return false;
	if (*text != '\0') {
		const char *unit = strchr(units, *text);
		if (!unit || text[1] != '\0')
			return false;
		uint64_t factor = UINT64_C(1) << (10 * (unit - units + 1));
		if (!checked_mul(value, factor, &value))
			return false;
	}
	*out_bytes = value;
	return true;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool parse_hex(const char *text, uint8_t *out, size_t n_bytes)
{
	if (strlen(text) != 2 * n_bytes)
		return false;
	for (size_t i = 0; i < 2 * n_bytes; i++)
		if (hex_value(text[i]) < 0)
			return false;
	for (size_t i = 0; i < n_bytes; i++)
		out[i] = (uint8_t)(hex_value(text[2 * i]) * 16 + hex_value(text[2 * i + 1]));
	return true;
}

char *format_hex(const uint8_t *bytes, size_t n_bytes, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n_bytes; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * n_bytes] = '\0';
	return text;
}

bool parse_is_name(const char *text)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._-";
	size_t n = strlen(text);

	return n >= 1 && n <= 64 && strspn(text, allowed) == n && strcmp(text, ".") != 0 &&
	       strcmp(text, "..") != 0;
}

bool parse_has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool parse_has_suffix(const char *text, const char *suffix)
{
	size_t n = strlen(text);
	size_t n_suffix = strlen(suffix);

	return n >= n_suffix && strcmp(text + n - n_suffix, suffix) == 0;
}
