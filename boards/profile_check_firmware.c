/* Do a profile's firmware files and its machine in QEMU make sense? See profile_check.h. */
#include "boards/profile_check.h"

#include <stdio.h>
#include <string.h>

#include "boards/profile_words.h"
#include "flash/base/parse.h"

/* "u-boot-sunxi:armhf" */
static bool is_package(const char *text)
{
	size_t n_bytes = strcspn(text, ":");
	char name[128];

	if (n_bytes >= sizeof name)
		return false;
	memcpy(name, text, n_bytes);
	name[n_bytes] = '\0';
	return profile_is_word(name) &&
	       (text[n_bytes] == '\0' || profile_is_word(text + n_bytes + 1));
}

static int check_origin(const struct board_firmware *f, const struct profile_spot *s, struct err *e)
{
	if (!f->package == !f->source)
		return profile_spot_fault(
			s, "file", e,
			"file `%s` comes either from a `package` of Debian or from a `source`",
			f->file);
	if (!f->package && (f->path || f->suite))
		return profile_spot_fault(s, f->path ? "path" : "suite", e,
					  "`path` and `suite` are of a `package`");
	if (!f->package)
		return 0;
	if (!is_package(f->package))
		return profile_spot_fault(
			s, "package", e, "package `%s` is not like u-boot-sunxi:armhf", f->package);
	if (f->suite && !profile_is_word(f->suite))
		return profile_spot_fault(s, "suite", e, "suite `%s` is not like trixie", f->suite);
	if (!f->path || !profile_is_path(f->path))
		return profile_spot_fault(
			s, "path", e,
			"`path` of package `%s` must be one like usr/lib/u-boot/x.bin", f->package);
	return 0;
}

int profile_check_firmware(const struct board *b, const struct profile_spot *top, struct err *e)
{
	for (unsigned i = 0; i < b->n_firmware; i++) {
		const struct profile_spot s = profile_spot_entry(top, "firmware", i);
		const struct board_firmware *f = &b->firmware[i];
		if (!parse_is_name(f->file))
			return profile_spot_fault(
				&s, "file", e,
				"file name `%s` must be 1 to 64 of A-Z a-z 0-9 . _ -", f->file);
		if (board_firmware_by_file(b, f->file) != f)
			return profile_spot_fault(&s, "file", e, "file `%s` is there twice",
						  f->file);
		if (check_origin(f, &s, e) < 0)
			return -1;
	}
	return 0;
}

/* {drive}, {firmware:NAME} and {copy:PATH} are filled in. */
static int check_argument(const struct board *b, const char *argument, const char *key,
			  const struct profile_spot *s, struct err *e)
{
	for (const char *p = strchr(argument, '{'); p; p = strchr(p + 1, '{')) {
		size_t n_bytes = strcspn(p, "}");
		char word[512];
		(void)snprintf(word, sizeof word, "%.*s", (int)n_bytes, p);
		if (p[n_bytes] == '\0' ||
		    (strcmp(word, "{drive") != 0 && !parse_has_prefix(word, "{copy:/") &&
		     !parse_has_prefix(word, "{firmware:")))
			return profile_spot_fault(s, key, e,
						  "`%.40s`: what is filled in are {drive}, "
						  "{firmware:FILE} and {copy:/PATH}",
						  p);
		if (parse_has_prefix(word, "{firmware:") &&
		    profile_check_file(b, s, key, word + strlen("{firmware:"), e) < 0)
			return -1;
	}
	return 0;
}

int profile_check_qemu(const struct board *b, const struct profile_spot *top, struct err *e)
{
	const struct profile_spot s = profile_spot_at(top, "qemu");
	const struct board_qemu *q = b->qemu;
	unsigned n_drives = 0;
	char key[YAML_PATH_BYTES];

	if (!q)
		return 0;
	if (!profile_is_word(q->program) || !parse_has_prefix(q->program, "qemu-system-"))
		return profile_spot_fault(&s, "program", e,
					  "program `%s` is not like qemu-system-arm", q->program);
	if (!is_package(q->package))
		return profile_spot_fault(&s, "package", e,
					  "package `%s` is not like qemu-system-arm", q->package);
	for (unsigned i = 0; i < q->n_arguments; i++) {
		(void)snprintf(key, sizeof key, "arguments[%u]", i);
		if (check_argument(b, q->arguments[i], key, &s, e) < 0)
			return -1;
		n_drives += strstr(q->arguments[i], "{drive}") != NULL;
	}
	if (n_drives != 1)
		return profile_spot_fault(&s, "arguments", e,
					  "%u arguments have {drive}, the image; one must",
					  n_drives);
	return 0;
}
