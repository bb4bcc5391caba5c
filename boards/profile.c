/* YAML to struct board. See profile.h. The only file that includes libcyaml. */
#include "boards/profile.h"

#include <cyaml/cyaml.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boards/complaint.h"
#include "boards/profile_check.h"
#include "boards/yaml_lines.h"
#include "flash/base/cleanup.h"
#include "flash/base/parse.h"

enum {
	TEXT_MAX_BYTES = 120,
	PARTITIONS_MAX = 16,
	TYPES_MAX = 16,
	BLOBS_MAX = 16,
};

static const cyaml_strval_t tested_names[] = {
	[TESTED_NO] = {"no", TESTED_NO},
	[TESTED_LAYOUT] = {"layout", TESTED_LAYOUT},
	[TESTED_QEMU] = {"qemu", TESTED_QEMU},
};

static const cyaml_strval_t table_names[] = {
	[BOARD_TABLE_ANY] = {"any", BOARD_TABLE_ANY},
	[BOARD_TABLE_MBR] = {"mbr", BOARD_TABLE_MBR},
	[BOARD_TABLE_GPT] = {"gpt", BOARD_TABLE_GPT},
	[BOARD_TABLE_MBR_OR_GPT] = {"mbr-or-gpt", BOARD_TABLE_MBR_OR_GPT},
};

static const cyaml_schema_value_t type_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, TEXT_MAX_BYTES),
};

static const cyaml_schema_field_t partition_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct board_partition, name, 1,
			       TEXT_MAX_BYTES),
	CYAML_FIELD_SEQUENCE_COUNT("types", CYAML_FLAG_POINTER, struct board_partition, types,
				   n_types, &type_schema, 1, TYPES_MAX),
	CYAML_FIELD_STRING_PTR("file_system", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
			       struct board_partition, file_system, 1, TEXT_MAX_BYTES),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t partition_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct board_partition, partition_fields),
};

static const cyaml_schema_field_t blob_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct board_blob, name, 1,
			       TEXT_MAX_BYTES),
	/* Must be there, and is read by read_offsets: libcyaml 1.3.1 takes "12zz" and "-5". */
	CYAML_FIELD_IGNORE("offset", CYAML_FLAG_DEFAULT),
	CYAML_FIELD_STRING_PTR("magic", CYAML_FLAG_POINTER, struct board_blob, magic, 1,
			       2 * TEXT_MAX_BYTES),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t blob_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct board_blob, blob_fields),
};

static const cyaml_schema_field_t board_fields[] = {
	CYAML_FIELD_STRING_PTR("id", CYAML_FLAG_POINTER, struct board, id, 1, TEXT_MAX_BYTES),
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct board, name, 1, TEXT_MAX_BYTES),
	CYAML_FIELD_STRING_PTR("arch", CYAML_FLAG_POINTER, struct board, arch, 1, TEXT_MAX_BYTES),
	CYAML_FIELD_STRING_PTR("boot", CYAML_FLAG_POINTER, struct board, boot, 1, TEXT_MAX_BYTES),
	CYAML_FIELD_ENUM("tested", CYAML_FLAG_STRICT, struct board, tested, tested_names,
			 CYAML_ARRAY_LEN(tested_names)),
	CYAML_FIELD_ENUM("table", CYAML_FLAG_STRICT, struct board, table, table_names,
			 CYAML_ARRAY_LEN(table_names)),
	CYAML_FIELD_SEQUENCE_COUNT("partitions", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
				   struct board, partitions, n_partitions, &partition_schema, 0,
				   PARTITIONS_MAX),
	CYAML_FIELD_SEQUENCE_COUNT("blobs", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct board,
				   blobs, n_blobs, &blob_schema, 0, BLOBS_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t board_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct board, board_fields),
};

/* libcyaml's allocator, as ours: what it makes, board_free frees. */
static void *resize(void *context, void *pointer, size_t size_bytes)
{
	(void)context;
	if (size_bytes > 0)
		return realloc(pointer, size_bytes);
	free(pointer);
	return NULL;
}

__attribute__((format(printf, 3, 0))) static void on_log(cyaml_log_t level, void *context,
							 const char *fmt, va_list args)
{
	char text[ERR_TEXT_BYTES];

	(void)level;
	(void)vsnprintf(text, sizeof text, fmt, args);
	complaint_add(context, text);
}

/* Append the values that the key may have. */
static void hint_choices(const char *key, struct err *e)
{
	char text[ERR_TEXT_BYTES] = "";

	for (const cyaml_schema_field_t *f = board_fields; f->key; f++) {
		if (f->value.type != CYAML_ENUM || strcmp(f->key, key) != 0)
			continue;
		for (uint32_t i = 0; i < f->value.enumeration.count; i++)
			(void)snprintf(text + strlen(text), sizeof text - strlen(text), " %s",
				       f->value.enumeration.strings[i].str);
		(void)err_hint(e, "`%s` is one of%s", key, text);
	}
}

static int load(const char *where, const void *yaml, size_t yaml_bytes,
		const struct yaml_lines *lines, struct board **out, struct err *e)
{
	struct complaint complaint = {0};
	cyaml_config_t config = {
		.log_fn = on_log,
		.log_ctx = &complaint,
		.mem_fn = resize,
		.log_level = CYAML_LOG_ERROR,
		.flags = CYAML_CFG_NO_ALIAS,
	};
	cyaml_data_t *data = NULL;
	cyaml_err_t code = cyaml_load_data(yaml, yaml_bytes, &config, &board_schema, &data, NULL);

	if (code == CYAML_ERR_OOM)
		return err_set(e, ERR_IO, "%s: out of memory", where);
	if (code != CYAML_OK) {
		(void)complaint_explain(&complaint, where, lines, e);
		if (code == CYAML_ERR_INVALID_VALUE)
			hint_choices(complaint_field(&complaint), e);
		return -1;
	}
	if (!data)
		return err_set(e, ERR_USAGE, "%s:1: there is no profile in it", where);
	*out = data;
	return 0;
}

/* Sizes as lkflash reads them everywhere: "8K". */
static int read_offsets(struct board *b, const char *where, const struct yaml_lines *lines,
			struct err *e)
{
	char path[YAML_PATH_BYTES];

	for (unsigned i = 0; i < b->n_blobs; i++) {
		(void)snprintf(path, sizeof path, "blobs[%u].offset", i);
		const struct yaml_node *node = yaml_lines_at(lines, path);
		if (!node || !node->text || !parse_size(node->text, &b->blobs[i].offset_bytes))
			return err_set(e, ERR_USAGE,
				       "%s:%u: `offset` must be a number of bytes, as 512 or 8K",
				       where, node ? node->line : 1);
	}
	return 0;
}

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
	    load(where, yaml, yaml_bytes, lines, &b, e) < 0 ||
	    read_offsets(b, where, lines, e) < 0 || profile_check(b, where, lines, e) < 0)
		return -1;
	*out = TAKE(b);
	return 0;
}

static void release_partition(struct board_partition *p)
{
	for (unsigned i = 0; i < p->n_types; i++)
		free(p->types[i]);
	free(p->types);
	free(p->name);
	free(p->file_system);
}

void board_free(struct board *b)
{
	if (!b)
		return;
	for (unsigned i = 0; i < b->n_partitions; i++)
		release_partition(&b->partitions[i]);
	for (unsigned i = 0; i < b->n_blobs; i++) {
		free(b->blobs[i].name);
		free(b->blobs[i].magic);
	}
	free(b->partitions);
	free(b->blobs);
	free(b->id);
	free(b->name);
	free(b->arch);
	free(b->boot);
	free(b);
}

const char *board_tested_name(enum board_tested tested)
{
	return tested_names[tested].str;
}

const char *board_table_name(enum board_table table)
{
	return table_names[table].str;
}
