/* What will be done to a target, as a list of steps. Pure: sizes and findings in, steps out. The
 * executor does exactly these steps, and `lkflash plan` prints them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/base/buf.h"
#include "flash/base/err.h"
#include "flash/disk/probe.h"
#include "flash/disk/table.h"
#include "flash/image/index.h"

enum step_kind {
	STEP_SCAN,      /* digest what is there; what is right already is left alone from here on */
	STEP_CAPACITY,  /* a quick search for a medium that claims more than it has */
	STEP_WIPE,      /* zeros, so that nothing old can be found or booted */
	STEP_WRITE,     /* chunks of the image */
	STEP_MOVE_GPT,  /* the backup partition table at the medium's real end, and the last
			 * partition up to it when the image says so */
	STEP_FLUSH,     /* wait until it is durable */
	STEP_READ_BACK, /* read from the medium and compare */
	STEP_COMMIT,    /* the first chunk, and its first COMMIT_LAST_BYTES once all else of it is
			 * flushed and read back; then these, the first sector last of all */
	STEP_PROBE,     /* find table and file systems on the target */
};

/* Boot sector, MBR, and on 512-byte sectors the GPT header: without them nothing finds the rest,
 * for a GPT counts only behind its protective MBR (UEFI 2.10, 5.2.3). */
enum { COMMIT_LAST_BYTES = 4096 };

enum { STEP_REASON_BYTES = 160 };

struct step {
	enum step_kind kind;
	uint64_t offset_bytes;
	uint64_t size_bytes;        /* SIZE_UNKNOWN: to the end of the image */
	struct table_growth growth; /* of STEP_MOVE_GPT: the partition that grows with its table */
	char reason[STEP_REASON_BYTES];
};

/* What becomes of holes: chunks whose content does not matter. */
enum unmapped {
	UNMAPPED_KEEP,    /* they keep what the target has there */
	UNMAPPED_ZERO,    /* they read back as zeros */
	UNMAPPED_DISCARD, /* the device is told that they do not matter */
};

struct plan {
	struct step *steps; /* owned */
	size_t n_steps;
	enum unmapped unmapped;
	bool is_gpt_moved;
};

struct plan_input {
	uint64_t image_size_bytes; /* SIZE_UNKNOWN for an unsigned stream */
	uint64_t medium_size_bytes;
	uint64_t sector_bytes;
	size_t chunk_bytes;
	const struct index *index;       /* borrowed; NULL when not known before */
	const struct signatures *stale;  /* borrowed; what is on the medium now */
	uint64_t moved_gpt_offset_bytes; /* where the backup GPT goes; 0: it is not moved */
	struct table_growth growth;      /* what grows when it is */
	enum unmapped unmapped;
	bool is_blank; /* the target is a new file: nothing old can be on it */
	bool is_delta; /* write only what differs; needs the index */
	bool is_capacity_probed;
};

/* The steps, in the order in which they are done; the caller's. Fails with ERR_IO when memory is
 * short. */
int plan_make(const struct plan_input *in, struct plan **out, struct err *e);
void plan_free(struct plan *p);
static inline void plan_freep(struct plan **p)
{
	plan_free(*p);
}

const char *step_name(enum step_kind kind); /* "wipe", "write", "move-gpt", ... */

/* Append the steps to *out, one line each, for people or as JSON objects. */
void plan_format(const struct plan *p, struct buf *out);
void plan_format_json(const struct plan *p, const char *target, struct buf *out);
