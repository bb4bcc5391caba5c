/* libcyaml's log, turned into a sentence. See complaint.h. The texts are those of libcyaml 1.3.1,
 * src/load.c. */
#include "boards/complaint.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* libcyaml's spot is the last value it took: the wrong one, or the one before a wrong key. */
enum line_of {
	LINE_OF_SPOT,
	LINE_BEHIND_SPOT,
	LINE_OF_MAPPING,
};

/* "before `subject` after", where the subject is what libcyaml quotes, or the key it was at. */
struct phrase {
	const char *reason; /* how libcyaml's begins */
	bool is_subject_quoted;
	enum line_of line_of;
	const char *before;
	const char *after;
};

static const struct phrase phrases[] = {
	{"Unexpected key: ", true, LINE_BEHIND_SPOT, "unknown key `", "`"},
	{"Mapping field already seen: ", true, LINE_BEHIND_SPOT, "key `", "` is there twice"},
	{"Missing required mapping field: ", true, LINE_OF_MAPPING, "key `", "` is missing"},
	{"Invalid ENUM value: ", true, LINE_OF_SPOT, "unknown value `", "`"},
	{"STRING length < ", false, LINE_OF_SPOT, "`", "` is empty"},
	{"STRING length > ", false, LINE_OF_SPOT, "`", "` is too long"},
	{"Expecting STRING", false, LINE_OF_SPOT, "`", "` must be a text"},
	{"Expecting ENUM", false, LINE_OF_SPOT, "`", "` must be a text"},
	{"Expecting SEQUENCE", false, LINE_OF_SPOT, "`", "` must be a list"},
	{"Expecting MAPPING", false, LINE_OF_SPOT, "`", "` must be made of `key: value`"},
	{"Insufficient entries", false, LINE_OF_SPOT, "`", "` needs an entry"},
	{"Excessive entries", false, LINE_OF_SPOT, "`", "` has too many entries"},
};

/* The number behind the last label in text, 0 when there is none. */
static unsigned number_behind(const char *text, const char *label)
{
	const char *digits = NULL;
	unsigned number = 0;

	for (const char *p = strstr(text, label); p; p = strstr(p + 1, label))
		digits = p + strlen(label);
	for (; digits && *digits >= '0' && *digits <= '9'; digits++)
		number = number * 10 + (unsigned)(*digits - '0');
	return number;
}

/* "  in mapping field 'name' (line: 3, column: 9)" */
static void read_spot(const char *text, struct complaint_spot *s)
{
	const char *quote = strstr(text, "field '");

	s->line = number_behind(text, "(line: ");
	s->column = number_behind(text, ", column: ");
	if (!quote)
		return;
	quote += strlen("field '");
	(void)snprintf(s->field, sizeof s->field, "%.*s", (int)strcspn(quote, "'"), quote);
}

void complaint_add(struct complaint *c, const char *log_line)
{
	static const char prefix[] = "Load: ";
	const char *text = log_line;

	if (text[0] == ' ') {
		if (c->n_spots < sizeof c->spots / sizeof c->spots[0])
			read_spot(text, &c->spots[c->n_spots++]);
		return;
	}
	if (strncmp(text, prefix, strlen(prefix)) == 0)
		text += strlen(prefix);
	if (c->reason[0] == '\0' && strncmp(text, "Backtrace", strlen("Backtrace")) != 0)
		(void)snprintf(c->reason, sizeof c->reason, "%.*s", (int)strcspn(text, "\n"), text);
}

const char *complaint_field(const struct complaint *c)
{
	return c->spots[c->spots[0].field[0] == '\0'].field;
}

static unsigned find_line(const struct complaint *c, const struct yaml_lines *lines,
			  enum line_of line_of)
{
	const struct complaint_spot *s = &c->spots[0];
	const struct yaml_node *node = NULL;

	switch (line_of) {
	case LINE_BEHIND_SPOT:
		node = yaml_lines_behind(lines, s->line, s->column);
		break;
	case LINE_OF_MAPPING:
		if (c->n_spots > 1)
			return c->spots[1].line;
		node = yaml_lines_behind(lines, 0, 0);
		break;
	case LINE_OF_SPOT:
		break;
	}
	return node ? node->line : s->line;
}

int complaint_explain(const struct complaint *c, const char *where, const struct yaml_lines *lines,
		      struct err *e)
{
	for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++) {
		const struct phrase *p = &phrases[i];
		if (strncmp(c->reason, p->reason, strlen(p->reason)) != 0)
			continue;
		return err_set(e, ERR_USAGE, "%s:%u: %s%s%s", where,
			       find_line(c, lines, p->line_of), p->before,
			       p->is_subject_quoted ? c->reason + strlen(p->reason)
						    : complaint_field(c),
			       p->after);
	}
	return err_set(e, ERR_USAGE, "%s:%u: %s", where, c->spots[0].line,
		       c->reason[0] ? c->reason : "not what a profile may say");
}
