/* Which board an image is for, and whether image and board belong together. */
#pragma once

#include "boards/registry.h"
#include "flash/base/err.h"
#include "flash/disk/table.h"
#include "flash/image/verified.h"

/* The board named by id, or, when id is NULL, the only one that m names. m may be NULL (unsigned).
 * Fails with ERR_USAGE when it is not clear or not known, ERR_REFUSED when m names other boards. */
int selection_board(const struct registry *r, const struct manifest *m, const char *id,
		    const struct board **out, struct err *e);

/* Can what a good write of m proves be kept in state_dir? Asked before anything is written. m may
 * be NULL. Fails as floor_check_folder. */
int selection_check_state(const char *state_dir, const struct manifest *m, struct err *e);

/* ERR_REFUSED when m's security version is below the floor kept in state_dir. m may be NULL. */
int selection_check_floor(const char *state_dir, const struct manifest *m, struct err *e);

/* An image, and the board it is for. */
struct selection {
	struct image *image;       /* borrowed, as all here */
	const struct board *board; /* NULL: any layout will do */
	const uint8_t *head;       /* the first bytes of the image, of image_head */
	size_t head_bytes;
};

/* Read as much of the image's start into s as its board wants checked. Fails as image_head. */
int selection_read_head(struct selection *s, struct err *e);

/* The partition table of the image, owned by the caller. It must fit a medium of medium_size_bytes,
 * or of the image's size if that is more. A table that does not, or is damaged, fails with
 * ERR_UNTRUSTED when the board expects a layout, and else counts as none. Fails as
 * boot_check_image. */
int selection_look(const struct selection *s, uint64_t medium_size_bytes, struct table **out,
		   struct err *e);

/* The image's GPT with its backup at the end of a medium of medium_size_bytes; t is what
 * selection_look found. *out is left alone when it is there already, or there is no GPT. Fails as
 * table_move_gpt. */
int selection_move_gpt(const struct selection *s, const struct table *t, uint64_t medium_size_bytes,
		       struct table_ends **out, struct err *e);
