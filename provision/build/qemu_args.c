/* The arguments of QEMU. See qemu_args.h. */
#include "provision/build/qemu_args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/buf.h"
#include "flash/base/cleanup.h"
#include "flash/base/parse.h"

/* Besides the profile's: the program, its serial ports, what all machines have, and the end. */
enum { ARGS_MORE = 16 };

/* Arguments in the making. */
struct maker {
	const struct qemu_request *r;
	struct qemu_args args;
};

static void maker_release(struct maker *m)
{
	qemu_args_release(&m->args);
}

void qemu_args_release(struct qemu_args *a)
{
	for (size_t i = 0; i < a->n_args; i++)
		free(a->argv[i]);
	free(a->argv);
	for (size_t i = 0; i < a->n_copies; i++) {
		free(a->copies[i].from);
		free(a->copies[i].to);
	}
	*a = (struct qemu_args){0};
}

static int add(struct maker *m, const char *text, struct err *e)
{
	char *copy = strdup(text);

	if (!copy)
		return err_errno(e, "arguments of QEMU");
	m->args.argv[m->args.n_args++] = copy;
	return 0;
}

static int add_pair(struct maker *m, const char *option, const char *value, struct err *e)
{
	return add(m, option, e) < 0 || add(m, value, e) < 0 ? -1 : 0;
}

/* ---- Placeholders --------------------------------------------------------------------------- */

/* In a list such as that of -drive a comma ends the value, unless there are two (qemu(1)). */
static void put_path(const char *path, bool is_in_list, struct buf *out)
{
	for (const char *c = path; *c; c++) {
		buf_append(out, c, 1);
		if (*c == ',' && is_in_list)
			buf_append(out, c, 1);
	}
}

static void put_drive(const struct qemu_request *r, struct buf *out)
{
	buf_append_text(out, "file=");
	put_path(r->drive_path, true, out);
	buf_printf(out, ",format=%s", r->drive_format);
}

/* The words for a missing file are those of who else needs it. */
static int put_firmware(const struct qemu_request *r, const char *file, bool is_in_list,
			struct buf *out, struct err *e)
{
	const char *path = firmware_path(r->firmware, file);
	struct boot_input in = {.board = r->board};
	struct span content = {0};

	if (!path) {
		in.firmware = firmware_files(r->firmware, &in.n_firmware);
		return boot_firmware_find(&in, file, &content, e);
	}
	put_path(path, is_in_list, out);
	return 0;
}

static int put_copy(struct maker *m, const char *from, bool is_in_list, struct buf *out,
		    struct err *e)
{
	struct qemu_args *a = &m->args;
	struct qemu_copy copy = {0};

	if (a->n_copies == QEMU_COPIES_MAX)
		return err_set(e, ERR_USAGE, "the profile of %s copies more than %d files",
			       m->r->board->id, QEMU_COPIES_MAX);
	copy.from = strdup(from);
	if (asprintf(&copy.to, "%s/copy-%zu", m->r->folder, a->n_copies) < 0)
		copy.to = NULL;
	a->copies[a->n_copies++] = copy;
	if (!copy.from || !copy.to)
		return err_errno(e, "arguments of QEMU");
	put_path(copy.to, is_in_list, out);
	return 0;
}

/* word is what stands between braces. */
static int put_word(struct maker *m, const char *word, bool is_in_list, struct buf *out,
		    struct err *e)
{
	if (strcmp(word, "drive") == 0) {
		put_drive(m->r, out);
		return 0;
	}
	if (parse_has_prefix(word, "firmware:"))
		return put_firmware(m->r, word + strlen("firmware:"), is_in_list, out, e);
	if (parse_has_prefix(word, "copy:"))
		return put_copy(m, word + strlen("copy:"), is_in_list, out, e);
	return err_set(e, ERR_USAGE,
		       "the profile of %s has {%s} in QEMU's arguments; there is "
		       "{drive}, {firmware:FILE} and {copy:/PATH}",
		       m->r->board->id, word);
}

/* Add the profile's argument with its placeholders filled in. */
static int add_filled(struct maker *m, const char *argument, struct err *e)
{
	CLEANUP(buf_release) struct buf filled = {0};
	const bool is_in_list = strchr(argument, '=') != NULL;
	const char *text = NULL;

	for (const char *c = argument; *c;) {
		size_t n_plain = strcspn(c, "{");
		size_t n_word = strcspn(c + n_plain, "}");
		buf_append(&filled, c, n_plain);
		c += n_plain;
		if (*c == '\0')
			break;
		if (c[n_word] == '\0')
			return err_set(e, ERR_USAGE, "the profile of %s has no } in %s",
				       m->r->board->id, argument);
		CLEANUP(freep) char *word = strndup(c + 1, n_word - 1);
		if (!word)
			return err_errno(e, "arguments of QEMU");
		if (put_word(m, word, is_in_list, &filled, e) < 0)
			return -1;
		c += n_word + 1;
	}
	return buf_text(&filled, &text, e) < 0 ? -1 : add(m, text, e);
}

/* ---- All of them ---------------------------------------------------------------------------- */

/* Ports before the console's say nothing. A multiplexed one takes Ctrl-C for the machine and leaves
 * at Ctrl-A X; another would end QEMU at bytes of a pipe. */
static int add_console(struct maker *m, struct err *e)
{
	for (unsigned i = 0; i < m->r->board->qemu->console; i++)
		if (add_pair(m, "-serial", "null", e) < 0)
			return -1;
	return add_pair(m, "-serial", m->r->is_terminal ? "mon:stdio" : "stdio", e);
}

static int add_all(struct maker *m, struct err *e)
{
	const struct board_qemu *q = m->r->board->qemu;

	if (add(m, q->program, e) < 0)
		return -1;
	for (unsigned i = 0; i < q->n_arguments; i++)
		if (add_filled(m, q->arguments[i], e) < 0)
			return -1;
	if (add_pair(m, "-display", "none", e) < 0 || add_pair(m, "-monitor", "none", e) < 0 ||
	    add(m, "-no-reboot", e) < 0 || add_console(m, e) < 0)
		return -1;
	for (size_t i = 0; i < m->r->n_arguments; i++)
		if (add(m, m->r->arguments[i], e) < 0)
			return -1;
	return 0;
}

int qemu_args_make(const struct qemu_request *r, struct qemu_args *out, struct err *e)
{
	CLEANUP(maker_release) struct maker m = {.r = r};
	const struct board_qemu *q = r->board->qemu;

	m.args.argv = calloc(q->n_arguments + 2 * (size_t)q->console + r->n_arguments + ARGS_MORE,
			     sizeof *m.args.argv);
	if (!m.args.argv)
		return err_errno(e, "arguments of QEMU");
	if (add_all(&m, e) < 0)
		return -1;
	*out = m.args;
	m.args = (struct qemu_args){0};
	return 0;
}
