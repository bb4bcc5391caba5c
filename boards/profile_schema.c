/* YAML to struct board, through libcyaml: which keys there are and what they may say. See
 * profile_schema.h. The only file that includes libcyaml. */
#include "boards/profile_schema.h"

#include <cyaml/cyaml.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boards/complaint.h"

enum {
	TEXT_MAX_BYTES = 120,
	LONG_TEXT_MAX_BYTES = 500, /* a command line, an argument, a path, what is for people */
	PARTITIONS_MAX = 16,
	TYPES_MAX = 16,
	BLOBS_MAX = 16,
	HOLES_MAX = 8,
	METHODS_MAX = 8,
	BOOT_FILES_MAX = 16,
	FIRMWARE_MAX = 64,
	ARGUMENTS_MAX = 64,
};

/* Members of struct s. Sizes and numbers must be there, or may be, but are read by profile_sizes:
 * libcyaml 1.3.1 takes "12zz" and "-5". */
#define TEXT(key, s, member)                                                                       \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, struct s, member, 1, TEXT_MAX_BYTES)
#define TEXT_IF(key, s, member, max_bytes)                                                         \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct s, member, 1, \
			       max_bytes)
#define NUMBER(key)    CYAML_FIELD_IGNORE(key, CYAML_FLAG_DEFAULT)
#define NUMBER_IF(key) CYAML_FIELD_IGNORE(key, CYAML_FLAG_OPTIONAL)
#define CHOICE(key, flags, s, member, names)                                                       \
	CYAML_FIELD_ENUM(key, CYAML_FLAG_STRICT | (flags), struct s, member, names,                \
			 CYAML_ARRAY_LEN(names))
#define YES_IF(key, s, member) CHOICE(key, CYAML_FLAG_OPTIONAL, s, member, yes_names)
#define LIST(key, flags, s, member, n_member, schema, min, max)                                    \
	CYAML_FIELD_SEQUENCE_COUNT(key, CYAML_FLAG_POINTER | (flags), struct s, member, n_member,  \
				   &(schema), min, max)

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

static const cyaml_strval_t content_names[] = {
	[CONTENT_NONE] = {"none", CONTENT_NONE},       [CONTENT_BOOT] = {"boot", CONTENT_BOOT},
	[CONTENT_SELECT] = {"select", CONTENT_SELECT}, [CONTENT_ROOT] = {"root", CONTENT_ROOT},
	[CONTENT_DATA] = {"data", CONTENT_DATA},       [CONTENT_FILE] = {"file", CONTENT_FILE},
};

/* One spelling, where libcyaml takes every text but "no" for a true one. */
static const cyaml_strval_t yes_names[] = {{"no", false}, {"yes", true}};

static const cyaml_schema_value_t text_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, TEXT_MAX_BYTES),
};

static const cyaml_schema_value_t long_text_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, LONG_TEXT_MAX_BYTES),
};

static const cyaml_schema_field_t partition_fields[] = {
	TEXT("name", board_partition, name),
	LIST("types", 0, board_partition, types, n_types, text_schema, 1, TYPES_MAX),
	TEXT_IF("file_system", board_partition, file_system, TEXT_MAX_BYTES),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t partition_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct board_partition, partition_fields),
};

static const cyaml_schema_field_t hole_fields[] = {
	NUMBER("offset"),
	NUMBER("size"),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t hole_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct board_hole, hole_fields),
};

static const cyaml_schema_field_t blob_fields[] = {
	TEXT("name", board_blob, name),
	NUMBER("offset"),
	TEXT_IF("magic", board_blob, magic, 2 * TEXT_MAX_BYTES),
	NUMBER_IF("magic_at"),
	TEXT_IF("file", board_blob, file, TEXT_MAX_BYTES),
	NUMBER_IF("maximum"),
	LIST("holes", CYAML_FLAG_OPTIONAL, board_blob, holes, n_holes, hole_schema, 0, HOLES_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t blob_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct board_blob, blob_fields),
};

static const cyaml_schema_field_t build_partition_fields[] = {
	TEXT("name", board_build_partition, name),
	TEXT("type", board_build_partition, type),
	TEXT_IF("mbr_type", board_build_partition, mbr_type, TEXT_MAX_BYTES),
	NUMBER_IF("start"),
	NUMBER_IF("size"),
	NUMBER_IF("minimum"),
	CHOICE("content", CYAML_FLAG_OPTIONAL, board_build_partition, content, content_names),
	TEXT_IF("file", board_build_partition, file, TEXT_MAX_BYTES),
	TEXT_IF("magic", board_build_partition, magic, 2 * TEXT_MAX_BYTES),
	TEXT_IF("file_system", board_build_partition, file_system, TEXT_MAX_BYTES),
	YES_IF("slotted", board_build_partition, is_slotted),
	YES_IF("bootable", board_build_partition, is_bootable),
	YES_IF("grow", board_build_partition, does_grow),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t build_partition_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct board_build_partition,
			    build_partition_fields),
};

static const cyaml_schema_field_t boot_file_fields[] = {
	TEXT("file", board_boot_file, file),
	TEXT("to", board_boot_file, to),
	TEXT_IF("magic", board_boot_file, magic, 2 * TEXT_MAX_BYTES),
	NUMBER_IF("maximum"),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t boot_file_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct board_boot_file, boot_file_fields),
};

static const cyaml_schema_field_t build_fields[] = {
	LIST("methods", 0, board_build, methods, n_methods, text_schema, 1, METHODS_MAX),
	CHOICE("table", 0, board_build, table, table_names),
	NUMBER_IF("gpt_entries"),
	NUMBER_IF("slots"),
	NUMBER_IF("size"),
	TEXT_IF("dtb", board_build, dtb, TEXT_MAX_BYTES),
	TEXT_IF("cmdline", board_build, cmdline, LONG_TEXT_MAX_BYTES),
	LIST("partitions", 0, board_build, partitions, n_partitions, build_partition_schema, 1,
	     PARTITIONS_MAX),
	LIST("boot_files", CYAML_FLAG_OPTIONAL, board_build, boot_files, n_boot_files,
	     boot_file_schema, 0, BOOT_FILES_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t firmware_fields[] = {
	TEXT("file", board_firmware, file),
	TEXT_IF("package", board_firmware, package, TEXT_MAX_BYTES),
	TEXT_IF("suite", board_firmware, suite, TEXT_MAX_BYTES),
	TEXT_IF("path", board_firmware, path, LONG_TEXT_MAX_BYTES),
	TEXT_IF("source", board_firmware, source, LONG_TEXT_MAX_BYTES),
	YES_IF("optional", board_firmware, is_optional),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t firmware_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct board_firmware, firmware_fields),
};

static const cyaml_schema_field_t qemu_fields[] = {
	TEXT("program", board_qemu, program),
	TEXT("package", board_qemu, package),
	LIST("arguments", 0, board_qemu, arguments, n_arguments, long_text_schema, 1,
	     ARGUMENTS_MAX),
	NUMBER_IF("console"),
	YES_IF("power_of_two", board_qemu, is_power_of_two),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t board_fields[] = {
	TEXT("id", board, id),
	TEXT("name", board, name),
	TEXT("arch", board, arch),
	TEXT("boot", board, boot),
	CHOICE("tested", 0, board, tested, tested_names),
	CHOICE("table", 0, board, table, table_names),
	LIST("partitions", CYAML_FLAG_OPTIONAL, board, partitions, n_partitions, partition_schema,
	     0, PARTITIONS_MAX),
	LIST("blobs", CYAML_FLAG_OPTIONAL, board, blobs, n_blobs, blob_schema, 0, BLOBS_MAX),
	CYAML_FIELD_MAPPING_PTR("build", CYAML_FLAG_OPTIONAL, struct board, build, build_fields),
	LIST("firmware", CYAML_FLAG_OPTIONAL, board, firmware, n_firmware, firmware_schema, 0,
	     FIRMWARE_MAX),
	CYAML_FIELD_MAPPING_PTR("qemu", CYAML_FLAG_OPTIONAL, struct board, qemu, qemu_fields),
	CYAML_FIELD_END,
};

/* Those that have choices. */
static const cyaml_schema_field_t *const choice_fields[] = {
	board_fields, build_fields, build_partition_fields, firmware_fields, qemu_fields,
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

static void hint_values(const cyaml_schema_field_t *f, struct err *e)
{
	char text[ERR_TEXT_BYTES] = "";

	for (uint32_t i = 0; i < f->value.enumeration.count; i++)
		(void)snprintf(text + strlen(text), sizeof text - strlen(text), " %s",
			       f->value.enumeration.strings[i].str);
	(void)err_hint(e, "`%s` is one of%s", f->key, text);
}

/* Append the values that the key may have; a key has the same ones in each mapping. */
static void hint_choices(const char *key, struct err *e)
{
	for (size_t i = 0; i < sizeof choice_fields / sizeof choice_fields[0]; i++)
		for (const cyaml_schema_field_t *f = choice_fields[i]; f->key; f++)
			if (f->value.type == CYAML_ENUM && strcmp(f->key, key) == 0) {
				hint_values(f, e);
				return;
			}
}

int profile_load(const char *where, const void *yaml, size_t yaml_bytes,
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

const char *board_tested_name(enum board_tested tested)
{
	return tested_names[tested].str;
}

const char *board_table_name(enum board_table table)
{
	return table_names[table].str;
}

const char *board_content_name(enum board_content content)
{
	return content_names[content].str;
}
