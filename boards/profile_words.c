/* Shapes of texts. See profile_words.h. */
#include "boards/profile_words.h"

#include <stddef.h>
#include <string.h>

bool profile_is_word(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789+._-";

	return *text != '\0' && text[strspn(text, letters)] == '\0' && !strchr("+._-", *text);
}

static bool is_lower_hex(const char *text, size_t n_digits)
{
	return strspn(text, "0123456789abcdef") >= n_digits;
}

bool profile_is_guid(const char *text)
{
	static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (strlen(text) != strlen(shape))
		return false;
	for (size_t i = 0; shape[i] != '\0'; i++)
		if (shape[i] == '-' ? text[i] != '-' : !is_lower_hex(text + i, 1))
			return false;
	return true;
}

bool profile_is_mbr_type(const char *text)
{
	return strlen(text) == 4 && strncmp(text, "0x", 2) == 0 && is_lower_hex(text + 2, 2);
}

bool profile_is_magic(const char *text)
{
	size_t n_digits = strlen(text);

	return n_digits > 0 && n_digits % 2 == 0 && n_digits <= MAGIC_MAX_DIGITS &&
	       is_lower_hex(text, n_digits);
}

bool profile_is_path(const char *text)
{
	for (const char *part = text;; part++) {
		size_t n_bytes = strcspn(part, "/");
		if (n_bytes == 0 || (n_bytes <= 2 && strncmp(part, "..", n_bytes) == 0))
			return false;
		part += n_bytes;
		if (*part == '\0')
			return true;
	}
}

bool profile_is_one_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(*words, text) == 0)
			return true;
	return false;
}
