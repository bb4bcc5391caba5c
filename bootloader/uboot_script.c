/* boot.scr for two slots. See uboot_script.h. */
#include "bootloader/uboot_script.h"

#include <string.h>

#include "bootloader/slots.h"
#include "flash/base/bytes.h"
#include "flash/base/cleanup.h"
#include "flash/base/crc32.h"
#include "flash/disk/tree.h"

/* ---- Commands ------------------------------------------------------------------------------- */

/* What is not in the file, or makes no sense, counts as good: then the machine starts. The loaded
 * file and the text to write share an address with this script, which U-Boot runs from a copy. */
static void append_choice(const char *a, const char *b, struct buf *out)
{
	buf_printf(
		out,
		"setenv first\n"
		"setenv left_%1$s\n"
		"setenv left_%2$s\n"
		"if load ${devtype} ${devnum}:${distro_bootpart} ${scriptaddr} /slots.txt; then\n"
		"\tenv import -t ${scriptaddr} ${filesize} first left_%1$s left_%2$s\n"
		"fi\n"
		"setenv slot %1$s\n"
		"if test \"${first}\" = %2$s; then\n"
		"\tsetenv slot %2$s\n"
		"fi\n"
		"if test ${slot} = %1$s -a \"${left_%1$s}\" = 0 -a \"${left_%2$s}\" != 0; then\n"
		"\tsetenv slot %2$s\n"
		"elif test ${slot} = %2$s -a \"${left_%2$s}\" = 0 -a \"${left_%1$s}\" != 0; then\n"
		"\tsetenv slot %1$s\n"
		"fi\n",
		a, b);
}

/* Not by setexpr, which not every U-Boot has. */
static void append_count(const char *a, const char *b, struct buf *out)
{
	buf_printf(out,
		   "setenv left \"${left_%s}\"\n"
		   "if test ${slot} = %s; then\n"
		   "\tsetenv left \"${left_%s}\"\n"
		   "fi\n"
		   "setenv next\n",
		   a, b, b);
	for (int left = SLOT_STARTS; left > 0; left--)
		buf_printf(out, "%s test \"${left}\" = %d; then\n\tsetenv next %d\n",
			   left == SLOT_STARTS ? "if" : "elif", left, left - 1);
	buf_printf(out,
		   "fi\n"
		   "if test -n \"${next}\"; then\n"
		   "\tsetenv left_${slot} ${next}\n"
		   "\tenv export -t ${scriptaddr} first left_%s left_%s\n"
		   "\tif fatwrite ${devtype} ${devnum}:${distro_bootpart} ${scriptaddr} /slots.txt "
		   "${filesize}; then\n"
		   "\t\techo Slot ${slot}: ${next} starts left\n"
		   "\telse\n"
		   "\t\techo Slot ${slot}: this start is not counted\n"
		   "\tfi\n"
		   "fi\n",
		   a, b);
}

/* The number of a partition is hexadecimal (disk/part.c). */
static void append_sysboot(const struct boot_slot *s, struct buf *out)
{
	if (s->is_boot_shared)
		buf_printf(out,
			   "\tsysboot ${devtype} ${devnum}:${distro_bootpart} any ${scriptaddr} "
			   "/extlinux/%s.conf\n",
			   s->name);
	else
		buf_printf(out,
			   "\tsysboot ${devtype} ${devnum}:%x any ${scriptaddr} "
			   "/extlinux/extlinux.conf\n",
			   s->boot_partition);
}

/* sysboot returns when it could not load what its file names. */
static void append_start(const struct boot_slot *a, const struct boot_slot *b, struct buf *out)
{
	buf_printf(out, "if test ${slot} = %s; then\n", a->name);
	append_sysboot(a, out);
	append_sysboot(b, out);
	buf_append_text(out, "else\n");
	append_sysboot(b, out);
	append_sysboot(a, out);
	buf_append_text(out, "fi\n");
}

void uboot_slots_commands(const struct boot_input *in, struct buf *out)
{
	const struct boot_slot *a = &in->slots[0];
	const struct boot_slot *b = &in->slots[1];

	append_choice(a->name, b->name, out);
	append_count(a->name, b->name, out);
	append_start(a, b, out);
}

/* ---- Script image --------------------------------------------------------------------------- */

enum { /* include/image.h of U-Boot */
       IMAGE_MAGIC = 0x27051956,
       IMAGE_HEADER_BYTES = 64,
       IMAGE_NAME_AT = 32,
       IMAGE_OS_LINUX = 5,
       IMAGE_TYPE_SCRIPT = 6,
       IMAGE_COMPRESSION_NONE = 0,
       LENGTHS_BYTES = 8, /* of the texts, ended by 0 */
};

/* IH_ARCH_*; U-Boot does not compare it for a script. */
static uint8_t image_arch(const char *arch)
{
	static const struct {
		const char *name;
		uint8_t value;
	} archs[] = {{"arm", 2}, {"i386", 3}, {"arm64", 22}, {"x86_64", 24}, {"riscv64", 26}};

	for (size_t i = 0; i < sizeof archs / sizeof *archs; i++)
		if (strcmp(archs[i].name, arch) == 0)
			return archs[i].value;
	return 0;
}

static void put_be32(uint8_t *p, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(value >> (24 - 8 * i));
}

void uboot_script_wrap(struct span text, const char *arch, int64_t time_s, struct buf *out)
{
	static const uint8_t name[] = "lkflash";
	uint8_t header[IMAGE_HEADER_BYTES] = {0};
	uint8_t lengths[LENGTHS_BYTES] = {0};

	put_be32(lengths, (uint32_t)text.n_bytes);
	put_be32(header, IMAGE_MAGIC);
	put_be32(header + 8, (uint32_t)time_s);
	put_be32(header + 12, (uint32_t)(sizeof lengths + text.n_bytes));
	put_be32(header + 24,
		 crc32_of(crc32_of(0, lengths, sizeof lengths), text.bytes, text.n_bytes));
	header[28] = IMAGE_OS_LINUX;
	header[29] = image_arch(arch);
	header[30] = IMAGE_TYPE_SCRIPT;
	header[31] = IMAGE_COMPRESSION_NONE;
	memcpy(header + IMAGE_NAME_AT, name, sizeof name);
	put_be32(header + 4, crc32_of(0, header, sizeof header)); /* of the header with 0 here */
	buf_append(out, header, sizeof header);
	buf_append(out, lengths, sizeof lengths);
	buf_append(out, text.bytes, text.n_bytes);
}

/* ---- Files ---------------------------------------------------------------------------------- */

int uboot_slots_add(const struct boot_input *in, struct err *e)
{
	CLEANUP(buf_release) struct buf commands = {0};
	CLEANUP(buf_release) struct buf script = {0};
	CLEANUP(buf_release) struct buf state = {0};
	struct tree *t = in->slots[0].is_boot_shared ? in->slots[0].boot : in->select;

	uboot_slots_commands(in, &commands);
	slots_append_state(&state);
	if (buf_check(&commands, e) < 0 || buf_check(&state, e) < 0)
		return -1;
	uboot_script_wrap((struct span){commands.bytes, commands.n_bytes}, in->board->arch,
			  in->time_s, &script);
	if (buf_check(&script, e) < 0 ||
	    tree_add_copy(t, "boot.scr", script.bytes, script.n_bytes, e) < 0)
		return -1;
	return tree_add_copy(t, "slots.txt", state.bytes, state.n_bytes, e);
}
