/* Boards and payloads in memory. See method_fixture.h. */
#include "tests/unit/method_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "bootloader/pe.h"
#include "flash/base/buf.h"
#include "flash/base/cleanup.h"

/* DOS and COFF headers, and the text of a kernel behind them. */
static void put_pe(uint8_t *bytes)
{
	memcpy(bytes, "MZ", 2);
	put_le32(bytes + 60, 0x40);
	memcpy(bytes + 0x40, "PE\0\0", 4);
	put_le16(bytes + 0x44, PE_MACHINE_X86_64);
}

static void put_stub(uint8_t *bytes)
{
	static const char marker[] = "#### LoaderInfo: systemd-stub 252 ####";

	put_pe(bytes);
	put_le16(bytes + 0x40 + 20, 240);
	put_le16(bytes + 0x58, 0x20b);
	put_le32(bytes + 0x58 + 32, 0x200);
	put_le32(bytes + 0x58 + 36, 0x200);
	put_le32(bytes + 0x58 + 60, METHOD_STUB_BYTES);
	memcpy(bytes + METHOD_STUB_BYTES - sizeof marker, marker, sizeof marker);
}

struct span method_span(const char *text)
{
	return (struct span){(const uint8_t *)text, strlen(text)};
}

void method_fixture_init(struct method_fixture *f)
{
	*f = (struct method_fixture){0};
	put_pe(f->kernel);
	put_stub(f->stub);
	f->board = (struct board){
		.id = PROFILE_TEXT("acme-gw"), .arch = PROFILE_TEXT("x86_64"), .build = &f->build};
	f->build.slots_max = 2;
	f->payload = (struct boot_payload){
		.kernel = {f->kernel, sizeof f->kernel},
		.initrd = method_span("initrd"),
		.version = "6.1",
	};
	f->slots[0] = (struct boot_slot){
		.name = "", .cmdline = "quiet root=PARTUUID=1", .boot = &f->boot};
	f->in = (struct boot_input){
		.board = &f->board,
		.payload = &f->payload,
		.table = TABLE_GPT,
		.slots = f->slots,
		.n_slots = 1,
		.firmware = f->firmware,
	};
}

void method_fixture_release(struct method_fixture *f)
{
	boot_output_release(&f->out);
	tree_release(&f->boot);
	tree_release(&f->boot_b);
	tree_release(&f->dtbs);
}

void method_fixture_two_slots(struct method_fixture *f, bool is_shared)
{
	f->slots[0].name = "a";
	f->slots[0].is_boot_shared = is_shared;
	f->slots[1] = (struct boot_slot){
		.name = "b",
		.cmdline = "quiet root=PARTUUID=2",
		.boot = is_shared ? &f->boot : &f->boot_b,
		.is_boot_shared = is_shared,
	};
	f->in.n_slots = 2;
}

void method_fixture_firmware(struct method_fixture *f, size_t index, const char *file,
			     struct span s)
{
	f->firmware[index] = (struct boot_firmware){file, s};
	f->in.n_firmware = index + 1;
}

void method_fixture_dtbs(struct method_fixture *f, const char *dtb)
{
	struct err e = {0};

	f->build.dtb = (char *)dtb;
	f->payload.dtbs = &f->dtbs;
	if (tree_add_text(&f->dtbs, "vendor/board.dtb", "board", &e) < 0 ||
	    tree_add_text(&f->dtbs, "vendor/other.dtb", "other", &e) < 0)
		fail_msg("%s", e.text);
}

static const struct boot_method *method_of(const char *name)
{
	const struct boot_method *method = NULL;
	struct err e = {0};

	if (boot_method_by_name(name, &method, &e) < 0)
		fail_msg("%s", e.text);
	return method;
}

void method_fixture_add(struct method_fixture *f, const char *method)
{
	struct err e = {0};

	if (method_of(method)->add(&f->in, &f->out, &e) < 0)
		fail_msg("%s", e.text);
}

void method_fixture_refuses(struct method_fixture *f, const char *method, const char *text)
{
	struct err e = {0};

	assert_int_equal(method_of(method)->add(&f->in, &f->out, &e), -1);
	assert_string_equal(e.text, text);
	assert_int_equal(e.code, ERR_USAGE);
}

void method_assert_files(struct tree *t, const char *lines)
{
	CLEANUP(buf_release) struct buf found = {0};
	const char *text = NULL;
	struct err e = {0};

	if (tree_sort(t, &e) < 0)
		fail_msg("%s", e.text);
	for (size_t i = 0; i < t->n_entries; i++)
		if (t->entries[i].kind == TREE_FILE)
			buf_printf(&found, "%s\n", t->entries[i].path);
	if (buf_text(&found, &text, &e) < 0)
		fail_msg("%s", e.text);
	assert_string_equal(text, lines);
}

void method_assert_text(const struct tree *t, const char *path, const char *text)
{
	CLEANUP(buf_release) struct buf found = {0};
	const struct tree_entry *entry = tree_find(t, path);
	const char *content = NULL;
	struct err e = {0};

	if (!entry) {
		fail_msg("%s is not there", path);
		return;
	}
	buf_append(&found, entry->content.bytes, entry->content.n_bytes);
	if (buf_text(&found, &content, &e) < 0)
		fail_msg("%s", e.text);
	assert_string_equal(content, text);
}
