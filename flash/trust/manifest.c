/* The manifest, from JSON and back. See manifest.h. */
#include "flash/trust/manifest.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/base/json.h"
#include "flash/base/parse.h"
#include "flash/base/units.h"

enum {
	VERSION = 1,
	BOARDS_MAX = 64,
	PARTITIONS_MAX = 128, /* the entries of an ordinary GPT */
	DEPTH_MAX = 8,        /* image format, MANI */
};

static const json_int_t integer_end = INT64_C(1) << 53; /* image format, MANI */

/* Every key of the top level. What "critical" names must be among them. */
static const char *const known_keys[] = {
	"lkflash-manifest", "name",  "version", "build_time", "boards",   "rollback_group",
	"security_version", "image", "index",   "partitions", "critical",
};

static void json_freep(json_t **j)
{
	json_decref(*j);
}

/* ---- What holds for every value ---- */

static int check_value(const json_t *value, unsigned depth, struct err *e);

static int check_array(const json_t *array, unsigned depth, struct err *e)
{
	size_t i = 0;
	json_t *item = NULL;

	json_array_foreach((json_t *)array, i, item)
	{
		if (check_value(item, depth, e) < 0)
			return -1;
	}
	return 0;
}

static int check_object(const json_t *object, unsigned depth, struct err *e)
{
	const char *key = NULL;
	json_t *item = NULL;

	json_object_foreach((json_t *)object, key, item)
	{
		if (check_value(item, depth, e) < 0)
			return -1;
	}
	return 0;
}

static int check_value(const json_t *value, unsigned depth, struct err *e)
{
	json_int_t n = json_integer_value(value);

	if ((json_is_array(value) || json_is_object(value)) && depth >= DEPTH_MAX)
		return err_set(e, ERR_UNTRUSTED, "manifest nested more than %d deep", DEPTH_MAX);
	if (json_is_real(value))
		return err_set(e, ERR_UNTRUSTED, "manifest with a number that is no integer");
	if (n >= integer_end || n <= -integer_end)
		return err_set(e, ERR_UNTRUSTED, "manifest with a number of 2^53 or more");
	if (json_is_array(value))
		return check_array(value, depth + 1, e);
	if (json_is_object(value))
		return check_object(value, depth + 1, e);
	return 0;
}

/* ---- Members of an object; each fails when the member is missing or of another type ---- */

static int take_u64(const json_t *object, const char *key, uint64_t *out, struct err *e)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return err_set(e, ERR_UNTRUSTED, "manifest without a good number \"%s\"", key);
	*out = (uint64_t)json_integer_value(value);
	return 0;
}

static int take_name(const json_t *object, const char *key, char out[MANIFEST_NAME_BYTES],
		     struct err *e)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (!text || !parse_is_name(text))
		return err_set(e, ERR_UNTRUSTED, "manifest without a good name \"%s\"", key);
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

static int take_sha256(const json_t *object, uint8_t out[SHA256_BYTES], struct err *e)
{
	const char *text = json_string_value(json_object_get(object, "sha256"));

	if (!text || !parse_hex(text, out, SHA256_BYTES))
		return err_set(e, ERR_UNTRUSTED, "manifest without a good digest \"sha256\"");
	return 0;
}

static int take_object(const json_t *object, const char *key, const json_t **out, struct err *e)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_object(value))
		return err_set(e, ERR_UNTRUSTED, "manifest without an object \"%s\"", key);
	*out = value;
	return 0;
}

/* An array of min to max items, or NULL when it is missing and min is 0. */
static int take_array(const json_t *object, const char *key, size_t min, size_t max,
		      const json_t **out, struct err *e)
{
	const json_t *value = json_object_get(object, key);
	size_t n = json_array_size(value);

	if ((value && !json_is_array(value)) || n < min || n > max)
		return err_set(e, ERR_UNTRUSTED, "manifest without %zu to %zu \"%s\"", min, max,
			       key);
	*out = value;
	return 0;
}

/* ---- Parts of the manifest ---- */

static bool is_known(const char *key)
{
	for (size_t i = 0; i < sizeof known_keys / sizeof *known_keys; i++)
		if (strcmp(key, known_keys[i]) == 0)
			return true;
	return false;
}

static int check_critical(const json_t *root, struct err *e)
{
	const json_t *critical = NULL;

	if (take_array(root, "critical", 0, SIZE_MAX, &critical, e) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(critical); i++) {
		const char *key = json_string_value(json_array_get(critical, i));
		if (!key)
			return err_set(e, ERR_UNTRUSTED, "manifest with a bad \"critical\"");
		if (!is_known(key))
			return err_set(e, ERR_UNTRUSTED,
				       "manifest needs \"%s\", which this program does not know; "
				       "use a newer one",
				       key);
	}
	return 0;
}

static int check_version(const json_t *root, struct err *e)
{
	uint64_t version = 0;

	if (take_u64(root, "lkflash-manifest", &version, e) < 0)
		return -1;
	if (version != VERSION)
		return err_set(e, ERR_UNTRUSTED,
			       "manifest of version %llu; this program reads version %d",
			       (unsigned long long)version, VERSION);
	return check_critical(root, e);
}

static int take_boards(const json_t *root, struct manifest *m, struct err *e)
{
	const json_t *boards = NULL;

	if (take_array(root, "boards", 1, BOARDS_MAX, &boards, e) < 0)
		return -1;
	m->n_boards = json_array_size(boards);
	m->boards = calloc(m->n_boards, sizeof *m->boards);
	if (!m->boards)
		return err_errno(e, "reading a manifest");
	for (size_t i = 0; i < m->n_boards; i++) {
		const char *text = json_string_value(json_array_get(boards, i));
		if (!text || !parse_is_name(text))
			return err_set(e, ERR_UNTRUSTED, "manifest with a bad board");
		memcpy(m->boards[i], text, strlen(text) + 1);
	}
	return 0;
}

static int take_image(const json_t *root, struct manifest *m, struct err *e)
{
	const json_t *image = NULL;
	const json_t *index = NULL;
	uint64_t sector_bytes = 0;

	if (take_object(root, "image", &image, e) < 0 ||
	    take_u64(image, "size", &m->image_size_bytes, e) < 0 ||
	    take_u64(image, "sector", &sector_bytes, e) < 0 ||
	    take_sha256(image, m->image_sha256, e) < 0)
		return -1;
	if (m->image_size_bytes == 0)
		return err_set(e, ERR_UNTRUSTED, "manifest of an empty image");
	if (sector_bytes != 512 && sector_bytes != 4096)
		return err_set(e, ERR_UNTRUSTED, "manifest with sectors of %llu bytes",
			       (unsigned long long)sector_bytes);
	m->sector_bytes = (uint32_t)sector_bytes;
	if (take_object(root, "index", &index, e) < 0 ||
	    take_u64(index, "size", &m->index_size_bytes, e) < 0)
		return -1;
	return take_sha256(index, m->index_sha256, e);
}

static int take_partition(const json_t *object, uint64_t image_size_bytes,
			  struct manifest_partition *p, struct err *e)
{
	uint64_t end_bytes = 0;

	if (take_name(object, "name", p->name, e) < 0 ||
	    take_u64(object, "start", &p->start_bytes, e) < 0 ||
	    take_u64(object, "size", &p->size_bytes, e) < 0)
		return -1;
	if (json_object_get(object, "slot") && take_name(object, "slot", p->slot, e) < 0)
		return -1;
	if (p->size_bytes == 0 || !checked_add(p->start_bytes, p->size_bytes, &end_bytes) ||
	    end_bytes > image_size_bytes)
		return err_set(e, ERR_UNTRUSTED, "partition %s is not within the image", p->name);
	return 0;
}

static int check_overlap(const struct manifest *m, size_t n_before, struct err *e)
{
	const struct manifest_partition *b = &m->partitions[n_before];

	for (size_t i = 0; i < n_before; i++) {
		const struct manifest_partition *a = &m->partitions[i];
		if (a->start_bytes < b->start_bytes + b->size_bytes &&
		    b->start_bytes < a->start_bytes + a->size_bytes)
			return err_set(e, ERR_UNTRUSTED, "partitions %s and %s overlap", a->name,
				       b->name);
	}
	return 0;
}

static int take_partitions(const json_t *root, struct manifest *m, struct err *e)
{
	const json_t *partitions = NULL;

	if (take_array(root, "partitions", 0, PARTITIONS_MAX, &partitions, e) < 0)
		return -1;
	size_t n = json_array_size(partitions);
	if (n == 0)
		return 0;
	m->partitions = calloc(n, sizeof *m->partitions);
	if (!m->partitions)
		return err_errno(e, "reading a manifest");
	m->n_partitions = n;
	for (size_t i = 0; i < n; i++) {
		const json_t *object = json_array_get(partitions, i);
		if (!json_is_object(object))
			return err_set(e, ERR_UNTRUSTED, "manifest with a bad partition");
		if (take_partition(object, m->image_size_bytes, &m->partitions[i], e) < 0 ||
		    check_overlap(m, i, e) < 0)
			return -1;
	}
	return 0;
}

static int take_labels(const json_t *root, struct manifest *m, struct err *e)
{
	if (take_name(root, "name", m->name, e) < 0 ||
	    take_name(root, "version", m->version, e) < 0)
		return -1;
	if (json_object_get(root, "build_time") &&
	    take_u64(root, "build_time", &m->build_time_s, e) < 0)
		return -1;
	if (json_object_get(root, "rollback_group") &&
	    take_name(root, "rollback_group", m->rollback_group, e) < 0)
		return -1;
	if (json_object_get(root, "security_version") &&
	    take_u64(root, "security_version", &m->security_version, e) < 0)
		return -1;
	if (m->security_version != 0 && m->rollback_group[0] == '\0')
		return err_set(e, ERR_UNTRUSTED,
			       "manifest with a security version, but no rollback group");
	return 0;
}

static int load(const void *json, size_t json_bytes, json_t **out, struct err *e)
{
	json_error_t je;

	if (json_bytes > MANIFEST_MAX_BYTES)
		return err_set(e, ERR_UNTRUSTED, "manifest of %zu bytes; %d are allowed",
			       json_bytes, MANIFEST_MAX_BYTES);
	json_t *root = json_loadb(json, json_bytes, JSON_REJECT_DUPLICATES, &je);
	if (!root)
		return err_set(e, ERR_UNTRUSTED, "manifest, line %d: %s", je.line, je.text);
	*out = root;
	return 0;
}

int manifest_parse(const void *json, size_t json_bytes, struct manifest **out, struct err *e)
{
	CLEANUP(json_freep) json_t *root = NULL;

	if (load(json, json_bytes, &root, e) < 0 || check_value(root, 0, e) < 0)
		return -1;
	CLEANUP(manifest_freep) struct manifest *m = calloc(1, sizeof *m);
	if (!m)
		return err_errno(e, "reading a manifest");
	if (check_version(root, e) < 0 || take_labels(root, m, e) < 0 ||
	    take_boards(root, m, e) < 0 || take_image(root, m, e) < 0 ||
	    take_partitions(root, m, e) < 0)
		return -1;
	*out = TAKE(m);
	return 0;
}

void manifest_free(struct manifest *m)
{
	if (!m)
		return;
	free(m->boards);
	free(m->partitions);
	free(m);
}

/* ---- Writing ---- */

static void format_partitions(const struct manifest *m, struct buf *out)
{
	json_open(out, "partitions", '[');
	for (size_t i = 0; i < m->n_partitions; i++) {
		const struct manifest_partition *p = &m->partitions[i];
		json_open(out, NULL, '{');
		json_text(out, "name", p->name);
		json_u64(out, "start", p->start_bytes);
		json_u64(out, "size", p->size_bytes);
		if (p->slot[0] != '\0')
			json_text(out, "slot", p->slot);
		json_close(out, '}');
	}
	json_close(out, ']');
}

static void format_labels(const struct manifest *m, struct buf *out)
{
	json_u64(out, "lkflash-manifest", VERSION);
	json_text(out, "name", m->name);
	json_text(out, "version", m->version);
	if (m->build_time_s != 0)
		json_u64(out, "build_time", m->build_time_s);
	json_open(out, "boards", '[');
	for (size_t i = 0; i < m->n_boards; i++)
		json_text(out, NULL, m->boards[i]);
	json_close(out, ']');
	if (m->rollback_group[0] == '\0')
		return;
	json_text(out, "rollback_group", m->rollback_group);
	json_u64(out, "security_version", m->security_version);
}

int manifest_format(const struct manifest *m, struct buf *out, struct err *e)
{
	json_open(out, NULL, '{');
	format_labels(m, out);
	json_open(out, "image", '{');
	json_u64(out, "size", m->image_size_bytes);
	json_hex(out, "sha256", m->image_sha256, SHA256_BYTES);
	json_u64(out, "sector", m->sector_bytes);
	json_close(out, '}');
	json_open(out, "index", '{');
	json_u64(out, "size", m->index_size_bytes);
	json_hex(out, "sha256", m->index_sha256, SHA256_BYTES);
	json_close(out, '}');
	format_partitions(m, out);
	json_open(out, "critical", '[');
	json_close(out, ']');
	json_close(out, '}');
	return buf_check(out, e);
}

bool manifest_has_board(const struct manifest *m, const char *board_id)
{
	for (size_t i = 0; i < m->n_boards; i++)
		if (strcmp(m->boards[i], board_id) == 0)
			return true;
	return false;
}
