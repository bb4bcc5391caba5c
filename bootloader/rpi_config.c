/* The texts that the firmware of a Raspberry Pi reads. See rpi_config.h. */
#include "bootloader/rpi_config.h"

#include <inttypes.h>
#include <string.h>

#include "flash/base/parse.h"

void rpi_append_config(const struct rpi_config *c, struct buf *out)
{
	buf_printf(out,
		   "# Made by lkflash. Settings of your own go into usercfg.txt.\n"
		   "arm_64bit=%d\n"
		   "kernel=%s\n",
		   c->is_64bit, c->kernel);
	if (c->initrd)
		buf_printf(out, "initramfs %s followkernel\n", c->initrd);
	if (c->device_tree)
		buf_printf(out, "device_tree=%s\n", c->device_tree);
	if (c->has_upstream_names)
		buf_append_text(out, "upstream_kernel=1\n");
	if (c->has_serial)
		buf_append_text(out, "enable_uart=1\n");
	buf_append_text(out, "include usercfg.txt\n");
}

void rpi_append_autoboot(unsigned partition, unsigned other_partition, struct buf *out)
{
	buf_printf(out,
		   "[all]\n"
		   "tryboot_a_b=1\n"
		   "boot_partition=%u\n"
		   "[tryboot]\n"
		   "boot_partition=%u\n",
		   partition, other_partition);
}

void rpi_append_boot_sig(const uint8_t sha256[32], int64_t time_s,
			 const uint8_t signature[RPI_SIGNATURE_BYTES], struct buf *out)
{
	char digest_text[2 * 32 + 1];
	char signature_text[2 * RPI_SIGNATURE_BYTES + 1];

	buf_printf(out, "%s\nts: %" PRId64 "\nrsa2048: %s\n", format_hex(sha256, 32, digest_text),
		   time_s, format_hex(signature, RPI_SIGNATURE_BYTES, signature_text));
}

bool rpi_has_serial_console(const char *cmdline)
{
	static const char *const consoles[] = {"console=ttyS", "console=ttyAMA", "console=serial"};

	for (size_t i = 0; i < sizeof consoles / sizeof *consoles; i++)
		if (strstr(cmdline, consoles[i]))
			return true;
	return false;
}
