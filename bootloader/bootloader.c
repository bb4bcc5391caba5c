/* The table of boot methods, and what they have in common. See bootloader.h. */
#include "bootloader/bootloader.h"

#include <stdlib.h>
#include <string.h>

#include "flash/base/buf.h"
#include "flash/base/cleanup.h"

#define METHOD(name) extern const struct boot_method boot_method_##name;
#include "bootloader/methods.def"
#undef METHOD

static const struct boot_method *const methods[] = {
#define METHOD(name) &boot_method_##name,
#include "bootloader/methods.def"
#undef METHOD
	NULL,
};

const struct boot_method *const *boot_methods(void)
{
	return methods;
}

int boot_method_by_name(const char *name, const struct boot_method **out, struct err *e)
{
	CLEANUP(buf_release) struct buf names = {0};
	const char *text = NULL;

	for (size_t i = 0; methods[i]; i++) {
		if (strcmp(methods[i]->name, name) == 0) {
			*out = methods[i];
			return 0;
		}
		buf_printf(&names, "%s%s", i > 0 ? ", " : "", methods[i]->name);
	}
	if (buf_text(&names, &text, e) < 0)
		return -1;
	return err_set(e, ERR_USAGE, "there is no boot method %s; there are %s", name, text);
}

void boot_output_release(struct boot_output *o)
{
	for (size_t i = 0; i < o->n_raw; i++)
		free(o->raw[i].bytes);
	*o = (struct boot_output){0};
}

int boot_output_add(struct boot_output *o, const char *name, uint64_t offset_bytes,
		    struct span content, struct err *e)
{
	if (o->n_raw == BOOT_RAW_MAX)
		return err_set(e, ERR_USAGE,
			       "%s is one more than the %d pieces an image may have outside of its "
			       "partitions; put some of them into partitions",
			       name, BOOT_RAW_MAX);
	uint8_t *bytes = malloc(content.n_bytes ? content.n_bytes : 1);
	if (!bytes)
		return err_errno(e, "%s of %zu bytes", name, content.n_bytes);
	if (content.n_bytes > 0)
		memcpy(bytes, content.bytes, content.n_bytes);
	o->raw[o->n_raw++] = (struct boot_raw){
		.name = name,
		.offset_bytes = offset_bytes,
		.bytes = bytes,
		.n_bytes = content.n_bytes,
	};
	return 0;
}

static int refuse_missing(const struct board *b, const char *file, struct err *e)
{
	const struct board_firmware *f = board_firmware_by_file(b, file);

	if (!f)
		return err_set(e, ERR_USAGE,
			       "firmware file %s is needed, and the profile of %s does not say "
			       "where it comes from; list it there under `firmware`",
			       file, b->id);
	if (f->package)
		return err_set(e, ERR_USAGE,
			       "firmware file %s is missing; `lkflash firmware %s` fetches it from "
			       "Debian's package %s",
			       file, b->id, f->package);
	return err_set(e, ERR_USAGE,
		       "firmware file %s is missing; Debian does not carry it: get it from %s, and "
		       "name its folder with --firmware DIR",
		       file, f->source ? f->source : "the maker of the board");
}

static const struct boot_firmware *find(const struct boot_input *in, const char *file)
{
	for (size_t i = 0; i < in->n_firmware; i++)
		if (strcmp(in->firmware[i].file, file) == 0)
			return &in->firmware[i];
	return NULL;
}

bool boot_firmware_is_there(const struct boot_input *in, const char *file)
{
	return find(in, file) != NULL;
}

int boot_firmware_find(const struct boot_input *in, const char *file, struct span *out,
		       struct err *e)
{
	const struct boot_firmware *f = find(in, file);

	if (!f)
		return refuse_missing(in->board, file, e);
	*out = f->content;
	return 0;
}
