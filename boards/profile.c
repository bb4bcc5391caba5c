/* A board profile: read, looked up and freed. See profile.h. */
#include "boards/profile.h"

#include <stdlib.h>
#include <string.h>

#include "boards/profile_check.h"
#include "boards/profile_schema.h"
#include "boards/profile_sizes.h"
#include "boards/yaml_lines.h"
#include "flash/base/cleanup.h"

int board_parse(const char *where, const void *yaml, size_t yaml_bytes, struct board **out,
		struct err *e)
{
	CLEANUP(yaml_lines_freep) struct yaml_lines *lines = NULL;
	CLEANUP(board_freep) struct board *b = NULL;

	if (yaml_bytes > PROFILE_MAX_BYTES)
		return err_set(e, ERR_USAGE,
			       "%s:1: %zu bytes are too many for a profile; %d is all", where,
			       yaml_bytes, PROFILE_MAX_BYTES);
	if (yaml_lines_new(where, yaml, yaml_bytes, &lines, e) < 0 ||
	    profile_load(where, yaml, yaml_bytes, lines, &b, e) < 0 ||
	    profile_sizes_read(b, where, lines, e) < 0 || profile_check(b, where, lines, e) < 0)
		return -1;
	*out = TAKE(b);
	return 0;
}

static void free_texts(char **texts, unsigned n_texts)
{
	for (unsigned i = 0; i < n_texts; i++)
		free(texts[i]);
	free(texts);
}

static void release_partition(struct board_partition *p)
{
	free_texts(p->types, p->n_types);
	free(p->name);
	free(p->file_system);
}

static void release_blob(struct board_blob *blob)
{
	free(blob->name);
	free(blob->magic);
	free(blob->file);
	free(blob->holes);
}

static void release_build_partition(struct board_build_partition *p)
{
	free(p->name);
	free(p->type);
	free(p->mbr_type);
	free(p->file);
	free(p->magic);
	free(p->file_system);
}

static void release_boot_file(struct board_boot_file *f)
{
	free(f->file);
	free(f->to);
	free(f->magic);
}

static void free_build(struct board_build *build)
{
	if (!build)
		return;
	free_texts(build->methods, build->n_methods);
	for (unsigned i = 0; i < build->n_partitions; i++)
		release_build_partition(&build->partitions[i]);
	for (unsigned i = 0; i < build->n_boot_files; i++)
		release_boot_file(&build->boot_files[i]);
	free(build->partitions);
	free(build->boot_files);
	free(build->dtb);
	free(build->cmdline);
	free(build);
}

static void release_firmware(struct board_firmware *f)
{
	free(f->file);
	free(f->package);
	free(f->suite);
	free(f->path);
	free(f->source);
}

static void free_qemu(struct board_qemu *q)
{
	if (!q)
		return;
	free_texts(q->arguments, q->n_arguments);
	free(q->program);
	free(q->package);
	free(q);
}

void board_free(struct board *b)
{
	if (!b)
		return;
	for (unsigned i = 0; i < b->n_partitions; i++)
		release_partition(&b->partitions[i]);
	for (unsigned i = 0; i < b->n_blobs; i++)
		release_blob(&b->blobs[i]);
	for (unsigned i = 0; i < b->n_firmware; i++)
		release_firmware(&b->firmware[i]);
	free(b->partitions);
	free(b->blobs);
	free(b->firmware);
	free_build(b->build);
	free_qemu(b->qemu);
	free(b->id);
	free(b->name);
	free(b->arch);
	free(b->boot);
	free(b);
}

const struct board_firmware *board_firmware_by_file(const struct board *b, const char *file)
{
	for (unsigned i = 0; i < b->n_firmware; i++)
		if (strcmp(b->firmware[i].file, file) == 0)
			return &b->firmware[i];
	return NULL;
}
