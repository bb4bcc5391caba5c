/* What the boot methods of UEFI have in common: names of architectures, and files of systemd. */
#pragma once

#include "bootloader/bootloader.h"

/* Names as UEFI has them (UEFI Specification 2.10, section 3.5.1.1 "Removable Media Boot
 * Behavior"), and as systemd does. */
struct uefi_arch {
	const char *arch;         /* of a profile: "x86_64" */
	const char *path;         /* that firmware starts: "EFI/BOOT/BOOTX64.EFI" */
	const char *systemd_boot; /* "systemd-bootx64.efi" */
	const char *stub;         /* "linuxx64.efi.stub" */
};

extern const struct boot_method boot_method_systemd_boot; /* which ebbr.c stands on */

/* NULL for an architecture without UEFI. */
const struct uefi_arch *uefi_arch(const struct board *b);

/* A firmware file of systemd; part is what it calls itself in its marker: "systemd-boot" or
 * "systemd-stub". Fails with ERR_USAGE when it is missing, or is something else. */
int uefi_systemd_find(const struct boot_input *in, const char *file, const char *part,
		      struct span *out, struct err *e);

/* ERR_USAGE unless the board has UEFI and its firmware can start the kernel. *out is the board's
 * architecture. */
int uefi_check(const struct boot_input *in, const struct uefi_arch **out, struct err *e);

/* Put systemd-boot where firmware starts it, and its configuration. The slots' entries are what
 * the caller adds: it starts the first in order of sort-key that has tries left. Fails with
 * ERR_USAGE for slots that have boot partitions of their own: it reads one. */
int uefi_add_systemd_boot(const struct boot_input *in, const struct uefi_arch *arch, struct err *e);

enum { UEFI_NAME_BYTES = 24 };

/* The name of a slot's entry, with its counter: "lkflash"; "lkflash-a+3", "lkflash-b". */
void uefi_entry_name(const struct boot_slot *slot, char out[UEFI_NAME_BYTES]);
