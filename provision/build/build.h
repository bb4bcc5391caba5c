/* A board profile and a payload become a raw image. First everything is settled, then it is made:
 * what `lkflash plan build` prints is what `lkflash build` does. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boards/profile.h"
#include "flash/base/buf.h"
#include "flash/base/cancel.h"
#include "flash/base/err.h"
#include "flash/base/event.h"
#include "provision/build/firmware.h"
#include "provision/build/payload.h"

struct build_request {
	const struct board *board; /* borrowed, as all here */
	const struct payload *payload;
	const struct firmware_set *firmware;
	const char *out_path;
	uint64_t size_bytes;    /* of the medium; 0: the smallest */
	enum board_table table; /* BOARD_TABLE_ANY: the profile's */
	unsigned n_slots;       /* 0: one */
	bool is_data_left_out;  /* no partition for data */
	const char *method;     /* stands in for the profile's of its kind; NULL: the profile's */
	const char *seed;       /* what UUIDs are made from; NULL: all inputs */
	int64_t time_s;
	const struct boot_signer *signer; /* for firmware that wants a signature; NULL: none */
	const char *scratch_folder;
	const struct listener *listener;
	const struct cancel *cancel;
};

struct build;

/* Settle everything: partitions, sizes, files, UUIDs. Writes only below scratch_folder. r is
 * borrowed until build_free. Fails with ERR_USAGE for what does not fit or is missing, naming it
 * and the way out. */
int build_prepare(const struct build_request *r, struct build **out, struct err *e);
void build_free(struct build *b);
static inline void build_freep(struct build **b)
{
	build_free(*b);
}

/* The plan, for people and for programs. */
void build_format(const struct build *b, struct buf *out);
void build_format_json(const struct build *b, struct buf *out);

uint64_t build_size_bytes(const struct build *b);

/* Make the image at out_path, which appears when it is complete and durable. Emits phases and
 * progress, and leaves it to the caller to tell the end. */
int build_make(struct build *b, struct err *e);
