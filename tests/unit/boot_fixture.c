/* A board, a payload and slots for tests of boot methods. */
#include "tests/unit/boot_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"

#define SPAN(text) ((struct span){(const uint8_t *)(text), sizeof(text) - 1})

enum { FILE_MAX_BYTES = 1 << 20 };

void boot_fixture_init(struct boot_fixture *f, const char *arch, size_t n_slots)
{
	static char id[] = "some-board";
	static const char *const names[] = {"a", "b"};
	static const char *const cmdlines[] = {"root=PARTUUID=01 ro", "root=PARTUUID=02 ro"};

	*f = (struct boot_fixture){0};
	f->board = (struct board){.id = id, .arch = (char *)arch, .build = &f->build};
	f->payload = (struct boot_payload){
		.kernel = SPAN("KERNEL"),
		.initrd = SPAN("INITRD"),
		.version = "",
	};
	for (size_t i = 0; i < n_slots; i++)
		f->slots[i] = (struct boot_slot){
			.name = n_slots > 1 ? names[i] : "",
			.cmdline = cmdlines[i],
			.boot_partition = 1,
			.boot = &f->boot[0],
			.is_boot_shared = n_slots > 1,
		};
	(void)snprintf(f->scratch, sizeof f->scratch, "/tmp/lkflash-boot-XXXXXX");
	assert_non_null(mkdtemp(f->scratch));
	f->in = (struct boot_input){
		.board = &f->board,
		.payload = &f->payload,
		.table = TABLE_MBR,
		.slots = f->slots,
		.n_slots = n_slots,
		.firmware = f->firmware,
		.first_partition_bytes = 1 << 20,
		.time_s = 1577836800, /* 2020-01-01 */
		.scratch_folder = f->scratch,
	};
}

void boot_fixture_release(struct boot_fixture *f)
{
	for (size_t i = 0; i < SLOTS_MAX; i++)
		tree_release(&f->boot[i]);
	tree_release(&f->select);
	for (size_t i = 0; i < f->in.n_firmware; i++)
		free(f->contents[i]);
	boot_output_release(&f->out);
	(void)rmdir(f->scratch);
}

void boot_fixture_part_slots(struct boot_fixture *f)
{
	for (size_t i = 0; i < f->in.n_slots; i++) {
		f->slots[i].boot_partition = (unsigned)i + 2;
		f->slots[i].boot = &f->boot[i];
		f->slots[i].is_boot_shared = false;
	}
	f->in.select = &f->select;
}

void boot_fixture_firmware(struct boot_fixture *f, const char *file, const void *bytes,
			   size_t n_bytes)
{
	size_t i = f->in.n_firmware++;

	f->contents[i] = malloc(n_bytes + 1);
	assert_non_null(f->contents[i]);
	memcpy(f->contents[i], bytes, n_bytes);
	f->firmware[i] = (struct boot_firmware){file, {f->contents[i], n_bytes}};
}

void boot_fixture_firmware_of(struct boot_fixture *f, const struct boot_method *m,
			      const char *folder)
{
	const char *file = NULL;
	struct err e;

	for (size_t i = 0; (file = m->firmware(&f->board, i)) != NULL; i++) {
		CLEANUP(freep) uint8_t *bytes = NULL;
		char path[256];
		size_t n_bytes = 0;

		(void)snprintf(path, sizeof path, "%s/%s", folder, file);
		if (fdio_load(path, FILE_MAX_BYTES, &bytes, &n_bytes, &e) < 0)
			fail_msg("%s", e.text);
		boot_fixture_firmware(f, file, bytes, n_bytes);
	}
}

const char *boot_fixture_text(const struct tree *t, const char *path)
{
	static char text[16384];
	const struct tree_entry *entry = tree_find(t, path);

	if (!entry) {
		fail_msg("there is no %s", path);
		return text; /* not reached; clang's analyzer does not know that */
	}
	assert_true(entry->content.n_bytes < sizeof text);
	memcpy(text, entry->content.bytes, entry->content.n_bytes);
	text[entry->content.n_bytes] = '\0';
	return text;
}
