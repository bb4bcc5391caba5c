/* The texts that the firmware of a Raspberry Pi reads. Pure. Sources: Raspberry Pi documentation,
 * "config.txt" ("Boot options", "autoboot.txt"), and rpi-eeprom's rpi-eeprom-digest. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flash/base/buf.h"

/* What config.txt says. Texts are borrowed. */
struct rpi_config {
	bool is_64bit;
	const char *kernel;      /* a file beside config.txt */
	const char *initrd;      /* NULL: none */
	const char *device_tree; /* NULL: firmware knows the name for its model */
	bool has_upstream_names; /* of device trees: bcm2837-rpi-3-b.dtb, not bcm2710-rpi-3-b.dtb */
	bool has_serial;         /* a console on the pins of the header */
};

void rpi_append_config(const struct rpi_config *c, struct buf *out);

/* autoboot.txt: which partition starts, and which one `reboot "0 tryboot"` starts once. */
void rpi_append_autoboot(unsigned partition, unsigned other_partition, struct buf *out);

enum { RPI_SIGNATURE_BYTES = 256 }; /* RSA-2048 */

/* boot.sig: of a boot.img with that digest. */
void rpi_append_boot_sig(const uint8_t sha256[32], int64_t time_s,
			 const uint8_t signature[RPI_SIGNATURE_BYTES], struct buf *out);

/* Does the command line ask for a console on a serial port of the board? */
bool rpi_has_serial_console(const char *cmdline);
