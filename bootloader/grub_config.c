/* The texts that GRUB reads. See grub_config.h. */
#include "bootloader/grub_config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bootloader/slots.h"
#include "bootloader/system.h"
#include "flash/base/cleanup.h"
#include "flash/base/parse.h"

enum {
	SERIAL_PORTS = 4,
	SERIAL_SPEED = 9600, /* the kernel's for "console=ttyS0": admin-guide/serial-console.rst */
};

/* ---- Serial console --------------------------------------------------------------------------
 * console=ttyS<port>[,<speed>[<parity>...]] */

struct serial {
	uint64_t port;
	uint64_t speed;
};

/* The number that text begins with, at most 8 digits; what is behind it is not looked at. */
static bool leading_number(const char *text, uint64_t *out)
{
	char digits[9] = "";
	size_t n_bytes = strspn(text, "0123456789");

	if (n_bytes >= sizeof digits)
		return false;
	memcpy(digits, text, n_bytes);
	return parse_u64(digits, out);
}

/* The last one counts: it is what the kernel makes /dev/console. */
static bool find_serial(const char *cmdline, struct serial *out)
{
	static const char option[] = "console=ttyS";
	bool is_found = false;

	for (const char *at = strstr(cmdline, option); at; at = strstr(at + 1, option)) {
		struct serial s = {.speed = SERIAL_SPEED};
		const char *port = at + strlen(option);
		const char *comma = strpbrk(port, ", ");
		bool is_word = at == cmdline || at[-1] == ' ';

		if (!is_word || !leading_number(port, &s.port) || s.port >= SERIAL_PORTS)
			continue;
		if (comma && *comma == ',')
			(void)leading_number(comma + 1, &s.speed);
		*out = s;
		is_found = true;
	}
	return is_found;
}

static void append_console(const char *cmdline, struct buf *out)
{
	struct serial s;

	if (!find_serial(cmdline, &s))
		return;
	/* Where the port is not there, GRUB stays with the screen. */
	buf_printf(out,
		   "if serial --unit=%" PRIu64 " --speed=%" PRIu64 "; then\n"
		   "\tterminal_input console serial\n"
		   "\tterminal_output console serial\n"
		   "fi\n",
		   s.port, s.speed);
}

/* ---- Command line --------------------------------------------------------------------------- */

static int check_cmdline(const struct boot_input *in, const struct boot_slot *slot,
			 const char *kernel, struct err *e)
{
	/* "BOOT_IMAGE=<path> " (grub-core/loader/i386/linux.c). */
	const size_t n_added_bytes = strlen("BOOT_IMAGE= ") + strlen(kernel);
	/* GRUB puts a backslash in front of these, and the kernel would see it
	 * (grub-core/lib/cmdline.c). */
	const char *bad = strpbrk(slot->cmdline, "\"'\\");

	if (bad)
		return err_set(e, ERR_USAGE,
			       "GRUB cannot pass on the %c in the command line `%s`; write it "
			       "without",
			       *bad, slot->cmdline);
	return system_check_cmdline(in, slot, n_added_bytes, e);
}

/* The words, each so that GRUB's shell takes it as it is. */
static void append_words(const char *cmdline, struct buf *out)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789=.,:/_+-@%";

	for (const char *at = cmdline + strspn(cmdline, " "); *at; at += strspn(at, " ")) {
		size_t n_bytes = strcspn(at, " ");
		const char *quote = strspn(at, plain) >= n_bytes ? "" : "'";

		buf_printf(out, " %s%.*s%s", quote, (int)n_bytes, at, quote);
		at += n_bytes;
	}
}

/* ---- Choosing between slots ----------------------------------------------------------------- */

/* GRUB's shell cannot count. */
static void append_count(const char *slot, struct buf *out)
{
	for (int left = SLOT_STARTS; left > 0; left--)
		buf_printf(out,
			   "\t%s [ \"$left_%s\" = %d ]; then set left_%s=%d; save_env left_%s\n",
			   left == SLOT_STARTS ? "if" : "elif", slot, left, slot, left - 1, slot);
	buf_append_text(out, "\tfi\n");
}

/* Entries go by number: GRUB 2.06 knows no other name of a fallback. What is not in the file, or
 * makes no sense, counts as good: then the machine starts. */
static void append_choice(const char *a, const char *b, struct buf *out)
{
	buf_printf(out,
		   "load_env first left_%1$s left_%2$s\n"
		   "set default=0\n"
		   "if [ \"$first\" = %2$s ]; then set default=1\n"
		   "fi\n"
		   "if [ $default = 0 -a \"$left_%1$s\" = 0 -a \"$left_%2$s\" != 0 ]; then "
		   "set default=1\n"
		   "elif [ $default = 1 -a \"$left_%2$s\" = 0 -a \"$left_%1$s\" != 0 ]; then "
		   "set default=0\n"
		   "fi\n"
		   "set fallback=1\n"
		   "if [ $default = 1 ]; then set fallback=0\n"
		   "fi\n",
		   a, b);
}

/* ---- Entries -------------------------------------------------------------------------------- */

/* What people see in the menu, without what would end GRUB's quotes. */
static int append_title(const struct boot_input *in, const struct boot_slot *slot, struct buf *out,
			struct err *e)
{
	CLEANUP(buf_release) struct buf title = {0};
	const char *text = NULL;

	system_title(in, slot, &title);
	if (buf_text(&title, &text, e) < 0)
		return -1;
	buf_append_text(out, "menuentry '");
	for (const char *c = text; *c; c++)
		buf_append(out, *c == '\'' ? " " : c, 1);
	buf_append_text(out, "' {\n");
	return 0;
}

static int append_entry(const struct boot_input *in, const struct boot_slot *slot, struct buf *out,
			struct err *e)
{
	char name[SYSTEM_NAME_BYTES];
	char kernel[SYSTEM_NAME_BYTES + 8];

	system_name(slot, name);
	(void)snprintf(kernel, sizeof kernel, "/%s/kernel", name);
	if (check_cmdline(in, slot, kernel, e) < 0 || append_title(in, slot, out, e) < 0)
		return -1;
	if (in->n_slots > 1)
		append_count(slot->name, out);
	buf_printf(out, "\tlinux %s", kernel);
	append_words(slot->cmdline, out);
	buf_append_text(out, "\n");
	if (in->payload->initrd.n_bytes > 0)
		buf_printf(out, "\tinitrd /%s/initrd\n", name);
	buf_append_text(out, "}\n");
	return 0;
}

int grub_config(const struct boot_input *in, struct buf *out, struct err *e)
{
	append_console(in->slots[0].cmdline, out);
	buf_printf(out, "set timeout=%d\n", in->n_slots > 1 ? 1 : 0);
	if (in->n_slots > 1)
		append_choice(in->slots[0].name, in->slots[1].name, out);
	for (size_t i = 0; i < in->n_slots; i++)
		if (append_entry(in, &in->slots[i], out, e) < 0)
			return -1;
	return buf_check(out, e);
}

void grub_environment(struct buf *out)
{
	buf_append_text(out, "# GRUB Environment Block\n");
	slots_append_state(out);
	while (!out->is_failed && out->n_bytes < GRUB_ENVIRONMENT_BYTES)
		buf_append_text(out, "#");
}
