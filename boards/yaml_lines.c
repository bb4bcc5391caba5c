/* Walk a YAML text and note where everything stands. See yaml_lines.h. */
#include "boards/yaml_lines.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "flash/base/cleanup.h"

/* A mapping or sequence that is open. */
struct frame {
	bool is_sequence;
	bool has_key;                   /* of a mapping: its key was read, the value comes next */
	unsigned n_entries;             /* of a sequence: read so far */
	char path[YAML_PATH_BYTES];     /* of the mapping or sequence itself */
	char key_path[YAML_PATH_BYTES]; /* of the value that comes next */
};

struct walk {
	const char *where; /* borrowed */
	yaml_parser_t parser;
	struct yaml_lines *lines; /* owned */
	unsigned n_documents;
	unsigned depth;
	struct frame frames[YAML_DEPTH_MAX]; /* the first depth of them are open */
};

static void walk_release(struct walk *w)
{
	yaml_parser_delete(&w->parser);
	yaml_lines_free(w->lines);
}

static int refuse(const struct walk *w, const yaml_event_t *event, const char *reason,
		  struct err *e)
{
	return err_set(e, ERR_USAGE, "%s:%zu: %s", w->where, event->start_mark.line + 1, reason);
}

/* Bytes that are not UTF-8 are found by the reader, which tells their offset but no line. */
static size_t line_of_offset(const uint8_t *yaml, size_t offset_bytes)
{
	size_t line = 1;

	for (size_t i = 0; i < offset_bytes; i++)
		line += yaml[i] == '\n';
	return line;
}

static int refuse_syntax(const struct walk *w, const void *yaml, struct err *e)
{
	const yaml_parser_t *p = &w->parser;

	switch (p->error) {
	case YAML_READER_ERROR:
		return err_set(e, ERR_USAGE, "%s:%zu: %s", w->where,
			       line_of_offset(yaml, p->problem_offset), p->problem);
	case YAML_SCANNER_ERROR:
	case YAML_PARSER_ERROR:
		if (!p->context || p->context_mark.line == p->problem_mark.line)
			return err_set(e, ERR_USAGE, "%s:%zu: %s", w->where,
				       p->problem_mark.line + 1, p->problem);
		return err_set(e, ERR_USAGE, "%s:%zu: %s, %s that starts in line %zu", w->where,
			       p->problem_mark.line + 1, p->problem, p->context,
			       p->context_mark.line + 1);
	case YAML_NO_ERROR:
	case YAML_MEMORY_ERROR:
	case YAML_COMPOSER_ERROR:
	case YAML_WRITER_ERROR:
	case YAML_EMITTER_ERROR:
		break;
	}
	return err_set(e, ERR_IO, "%s: out of memory", w->where);
}

static int add_node(struct walk *w, const char *path, const char *text, const yaml_event_t *event,
		    struct err *e)
{
	struct yaml_lines *l = w->lines;

	if (l->n_nodes == YAML_NODES_MAX)
		return refuse(w, event, "too many keys and values for a profile", e);
	if (!l->nodes)
		l->nodes = calloc(YAML_NODES_MAX, sizeof *l->nodes);
	if (!l->nodes)
		return err_errno(e, "%s", w->where);
	struct yaml_node *node = &l->nodes[l->n_nodes++];
	node->line = (unsigned)event->start_mark.line + 1;
	node->column = (unsigned)event->start_mark.column + 1;
	node->path = strdup(path);
	node->text = text ? strdup(text) : NULL;
	if (!node->path || (text && !node->text))
		return err_errno(e, "%s", w->where);
	return 0;
}

static bool has_control_character(const yaml_event_t *event)
{
	for (size_t i = 0; i < event->data.scalar.length; i++)
		if (event->data.scalar.value[i] < ' ' || event->data.scalar.value[i] == 0x7f)
			return true;
	return false;
}

static bool has_anchor_or_tag(const yaml_event_t *event)
{
	return event->type == YAML_ALIAS_EVENT ||
	       (event->type == YAML_SCALAR_EVENT &&
		(event->data.scalar.anchor || event->data.scalar.tag)) ||
	       (event->type == YAML_MAPPING_START_EVENT &&
		(event->data.mapping_start.anchor || event->data.mapping_start.tag)) ||
	       (event->type == YAML_SEQUENCE_START_EVENT &&
		(event->data.sequence_start.anchor || event->data.sequence_start.tag));
}

/* A mapping's key: where its value will be. */
static int on_key(struct walk *w, struct frame *f, const yaml_event_t *event, struct err *e)
{
	const char *key = (const char *)event->data.scalar.value;

	if (event->type != YAML_SCALAR_EVENT)
		return refuse(w, event, "a key must be plain text", e);
	int n_bytes = snprintf(f->key_path, sizeof f->key_path, "%s%s%s", f->path,
			       *f->path ? "." : "", key);
	if (n_bytes < 0 || (size_t)n_bytes >= sizeof f->key_path)
		return refuse(w, event, "a key is too long", e);
	f->has_key = true;
	return add_node(w, f->key_path, key, event, e);
}

/* Where the value stands that now begins: key_path of the frame that is open. */
static int begin_value(struct walk *w, struct frame *f, const yaml_event_t *event, struct err *e)
{
	f->has_key = false;
	if (!f->is_sequence)
		return 0;
	int n_bytes = snprintf(f->key_path, sizeof f->key_path, "%s[%u]", f->path, f->n_entries++);
	if (n_bytes < 0 || (size_t)n_bytes >= sizeof f->key_path)
		return refuse(w, event, "a key is too long", e);
	return 0;
}

static int on_open(struct walk *w, const yaml_event_t *event, struct err *e)
{
	struct frame *outer = w->depth ? &w->frames[w->depth - 1] : NULL;
	struct frame *f = &w->frames[w->depth];

	if (w->depth == YAML_DEPTH_MAX)
		return refuse(w, event, "mappings and sequences are nested too deeply", e);
	if (!outer && event->type != YAML_MAPPING_START_EVENT)
		return refuse(w, event, "a profile starts with `key: value`", e);
	*f = (struct frame){.is_sequence = event->type == YAML_SEQUENCE_START_EVENT};
	w->depth++;
	if (!outer)
		return 0;
	if (begin_value(w, outer, event, e) < 0)
		return -1;
	memcpy(f->path, outer->key_path, sizeof f->path);
	return outer->is_sequence ? add_node(w, f->path, NULL, event, e) : 0;
}

static int on_scalar(struct walk *w, const yaml_event_t *event, struct err *e)
{
	struct frame *f = w->depth ? &w->frames[w->depth - 1] : NULL;

	if (!f)
		return refuse(w, event, "a profile starts with `key: value`", e);
	if (begin_value(w, f, event, e) < 0)
		return -1;
	return add_node(w, f->key_path, (const char *)event->data.scalar.value, event, e);
}

static int on_event(struct walk *w, const yaml_event_t *event, struct err *e)
{
	struct frame *f = w->depth ? &w->frames[w->depth - 1] : NULL;

	if (has_anchor_or_tag(event))
		return refuse(w, event, "anchors, aliases and tags are not for profiles", e);
	if (event->type == YAML_SCALAR_EVENT && has_control_character(event))
		return refuse(w, event, "a text has a control character", e);
	if (event->type == YAML_DOCUMENT_START_EVENT && w->n_documents++ > 0)
		return refuse(w, event, "a second document begins; one file holds one profile", e);
	if (event->type == YAML_MAPPING_END_EVENT || event->type == YAML_SEQUENCE_END_EVENT)
		w->depth--;
	else if (f && !f->is_sequence && !f->has_key)
		return on_key(w, f, event, e);
	else if (event->type == YAML_MAPPING_START_EVENT ||
		 event->type == YAML_SEQUENCE_START_EVENT)
		return on_open(w, event, e);
	else if (event->type == YAML_SCALAR_EVENT)
		return on_scalar(w, event, e);
	return 0;
}

static int walk_all(struct walk *w, const void *yaml, size_t yaml_bytes, struct err *e)
{
	bool is_end = false;

	yaml_parser_set_encoding(&w->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&w->parser, yaml, yaml_bytes);
	while (!is_end) {
		CLEANUP(yaml_event_delete) yaml_event_t event = {0};
		if (!yaml_parser_parse(&w->parser, &event))
			return refuse_syntax(w, yaml, e);
		if (on_event(w, &event, e) < 0)
			return -1;
		is_end = event.type == YAML_STREAM_END_EVENT;
	}
	if (w->n_documents == 0)
		return err_set(e, ERR_USAGE, "%s:1: there is no profile in it", w->where);
	return 0;
}

int yaml_lines_new(const char *where, const void *yaml, size_t yaml_bytes, struct yaml_lines **out,
		   struct err *e)
{
	CLEANUP(walk_release) struct walk w = {.where = where};

	w.lines = calloc(1, sizeof *w.lines);
	if (!w.lines || !yaml_parser_initialize(&w.parser))
		return err_set(e, ERR_IO, "%s: out of memory", where);
	if (walk_all(&w, yaml, yaml_bytes, e) < 0)
		return -1;
	*out = TAKE(w.lines);
	return 0;
}

void yaml_lines_free(struct yaml_lines *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->n_nodes; i++) {
		free(l->nodes[i].path);
		free(l->nodes[i].text);
	}
	free(l->nodes);
	free(l);
}

const struct yaml_node *yaml_lines_at(const struct yaml_lines *l, const char *path)
{
	const struct yaml_node *found = NULL;

	/* A value comes behind its key. */
	for (size_t i = 0; i < l->n_nodes; i++)
		if (strcmp(l->nodes[i].path, path) == 0)
			found = &l->nodes[i];
	return found;
}

const struct yaml_node *yaml_lines_behind(const struct yaml_lines *l, unsigned line,
					  unsigned column)
{
	for (size_t i = 0; i < l->n_nodes; i++)
		if (l->nodes[i].line > line ||
		    (l->nodes[i].line == line && l->nodes[i].column > column))
			return &l->nodes[i];
	return NULL;
}
