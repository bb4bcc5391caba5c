/* A board as text: YAML that is a profile again, and JSON. Pure. */
#pragma once

#include "boards/registry.h"
#include "flash/base/buf.h"

/* One line a board, under a line of titles. */
void board_text_list(const struct registry *r, struct buf *out);

void board_text_yaml(const struct board *b, struct buf *out);

/* One line, an object with event "board". */
void board_text_json(const struct board *b, struct buf *out);
