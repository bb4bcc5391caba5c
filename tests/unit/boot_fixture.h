/* A board, a payload and slots for tests of boot methods. */
#pragma once

#include "bootloader/bootloader.h"

struct boot_fixture {
	struct board board;
	struct board_build build;
	struct boot_payload payload;
	struct boot_slot slots[SLOTS_MAX];
	struct tree boot[SLOTS_MAX]; /* owned; the second one only where slots do not share */
	struct tree select;          /* owned */
	struct boot_firmware firmware[64];
	uint8_t *contents[64]; /* owned; of firmware */
	struct boot_input in;
	struct boot_output out; /* owned */
	char scratch[64];
};

/* For an architecture, with n_slots that share boot partition 1 of an MBR, kernel "KERNEL", initrd
 * "INITRD", and the command line "root=PARTUUID=01 ro" ("=02" of the second slot). */
void boot_fixture_init(struct boot_fixture *f, const char *arch, size_t n_slots);
void boot_fixture_release(struct boot_fixture *f);

/* Give each slot a boot partition of its own, numbers 2 and 3, and a partition to select. */
void boot_fixture_part_slots(struct boot_fixture *f);

/* Add a firmware file with that content. */
void boot_fixture_firmware(struct boot_fixture *f, const char *file, const void *bytes,
			   size_t n_bytes);

/* Add all that the method asks for, from a folder of this machine. */
void boot_fixture_firmware_of(struct boot_fixture *f, const struct boot_method *m,
			      const char *folder);

/* The content of a file as text; fails the test when it is not there. Borrowed from t. */
const char *boot_fixture_text(const struct tree *t, const char *path);
