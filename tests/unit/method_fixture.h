/* A board and a payload for boot methods, and what they add, as text. */
#pragma once

#include "bootloader/bootloader.h"

/* Profiles own their texts; those of a fixture are never freed. */
#define PROFILE_TEXT(s) ((char *)(s))

enum { METHOD_KERNEL_BYTES = 0x100, METHOD_STUB_BYTES = 0x400 };

struct method_fixture {
	struct board board;
	struct board_build build;
	struct board_firmware listed[2];
	struct boot_payload payload;
	struct boot_firmware firmware[2];
	struct boot_slot slots[2];
	struct tree boot;
	struct tree boot_b; /* for slots that have boot partitions of their own */
	struct tree dtbs;
	struct boot_input in;
	struct boot_output out;
	uint8_t kernel[METHOD_KERNEL_BYTES]; /* starts with the headers of a PE image */
	uint8_t stub[METHOD_STUB_BYTES];     /* one, with systemd-stub's marker */
};

/* x86_64, one slot, a kernel for UEFI and an initrd, no device trees, no firmware. */
void method_fixture_init(struct method_fixture *f);
void method_fixture_release(struct method_fixture *f);

/* Two slots that share a boot partition, or have one each. */
void method_fixture_two_slots(struct method_fixture *f, bool is_shared);

/* Firmware file number index, as if found. */
void method_fixture_firmware(struct method_fixture *f, size_t index, const char *file,
			     struct span s);

/* The device trees vendor/board.dtb and vendor/other.dtb are given; the profile wants dtb, or
 * NULL. */
void method_fixture_dtbs(struct method_fixture *f, const char *dtb);

struct span method_span(const char *text);

/* Call the method of that name; the test fails when it does. */
void method_fixture_add(struct method_fixture *f, const char *method);

/* Call it; it must fail with ERR_USAGE and text. */
void method_fixture_refuses(struct method_fixture *f, const char *method, const char *text);

/* The files of a tree are these, a line each, in order. */
void method_assert_files(struct tree *t, const char *lines);

/* The content of a file in a tree is text. */
void method_assert_text(const struct tree *t, const char *path, const char *text);
