/* Options and operands of a verb: one table for all of them (options_table.c), strict parsing.
 *
 * Long options are written --name VALUE or --name=VALUE, single letters may be joined (-qy), the
 * value of one is the rest of the argument or the next one (-o FILE), options may stand anywhere,
 * and -- ends them. An option with a value may be given once unless it is a list. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flash/base/cancel.h"
#include "flash/base/err.h"
#include "provision/cli/environment.h"

struct command;

enum { OPTION_LIST_MAX = 64 }; /* more than any sensible call, and a bound for struct options */

/* The values of an option that may be repeated. */
struct option_list {
	const char *items[OPTION_LIST_MAX]; /* borrowed from the arguments */
	size_t n_items;
};

enum {
	RETRIES_DEFAULT = 3,
	/* A card that sorts its pages, or a disk that tries to read a bad sector, may be silent for
	 * half a minute and is not dead. */
	STALL_TIMEOUT_DEFAULT_S = 120,
};

/* What the user asked for. Texts are borrowed from the arguments; what was not given is 0, false or
 * NULL, unless it says otherwise here, and the verb knows the default. */
struct options {
	bool is_quiet;
	bool is_json;
	bool is_debug;
	bool is_help;

	/* whom and what to trust */
	struct option_list trust_paths;
	struct option_list crl_paths;
	uint64_t threshold;
	const char *state_dir;
	bool is_unsigned_allowed;
	const char *bmap_where;
	const char *sums_where;
	const char *manifest_where;
	const char *tls_ca_path;

	/* the target */
	const char *board_id;
	const char *boards_dir;
	bool is_fixed_disk_allowed;
	unsigned unmapped; /* index into keep|zero|discard, plus one */
	bool is_delta;
	unsigned capacity_probe;  /* index into auto|always|never, plus one */
	uint64_t n_retries;       /* RETRIES_DEFAULT when not given */
	uint64_t stall_timeout_s; /* STALL_TIMEOUT_DEFAULT_S when not given; 0: none */
	bool is_yes;
	const char *image_where; /* verify --image */

	/* keys */
	const char *out_path;
	const char *key_type;
	const char *name;
	uint64_t days;

	/* signing and packing */
	struct option_list key_paths;
	struct option_list cert_paths;
	struct option_list board_ids;
	const char *image_version;
	uint64_t security_version;
	const char *rollback_group;
	uint64_t sector_bytes;
	unsigned holes; /* index into zero|skip, plus one */
	uint64_t chunk_bytes;
	const char *manifest_out_path;
	const char *attach_path;
	uint64_t level;
	const char *bmap_out_path;
	const char *extract_dir;

	/* building */
	bool is_plan; /* `plan build`: print what would be done */
	const char *kernel_path;
	const char *initrd_path;
	const char *cmdline;
	const char *dtb_dir;
	const char *microcode_path;
	const char *linuxkit;
	const char *rootfs_path;
	struct option_list boot_files;
	uint64_t size_bytes;
	unsigned table; /* index into mbr|gpt, plus one */
	uint64_t n_slots;
	const char *method;
	const char *seed;
	bool is_data_left_out;
	const char *boot_key_path;
	const char *sign; /* KEY,CERT */

	const char *firmware_dir;
	const char *mirror;       /* of Debian */
	const char *keyring_path; /* of whom it is signed by */

	/* starting */
	bool is_writable;
	const char *expect;
	uint64_t timeout_s; /* 0: none */
	struct option_list qemu_arguments;

	const char *const *operands; /* borrowed */
	size_t n_operands;

	/* Not from the arguments: put here by main. */
	struct environment environment;
	const struct cancel *cancel; /* borrowed; fd -1 for a verb that watches no signals */
};

/* Options that are taken together. A verb lists its groups; an option may be in several. */
enum option_group {
	OPTIONS_PROGRAM = 1 << 0, /* without a verb */
	OPTIONS_GLOBAL = 1 << 1,  /* every verb */
	OPTIONS_JSON = 1 << 2,    /* verbs with something to say to programs */
	OPTIONS_TRUST = 1 << 3,   /* whose signatures count */
	OPTIONS_IMAGE = 1 << 4,   /* where an image's manifest and digests are */
	OPTIONS_BOARD = 1 << 5,   /* which board it is */
	OPTIONS_BOARDS = 1 << 6,  /* where the boards are described */
	OPTIONS_TARGET = 1 << 7,  /* what may be done to the target */
	OPTIONS_YES = 1 << 8,     /* verbs that ask */
	OPTIONS_VERIFY = 1 << 9,
	OPTIONS_KEYGEN = 1 << 10,
	OPTIONS_MANIFEST = 1 << 11, /* what a new manifest says, and who signs it */
	OPTIONS_SIGN = 1 << 12,
	OPTIONS_PACK = 1 << 13,
	OPTIONS_INSPECT = 1 << 14,
	OPTIONS_BUILD = 1 << 15,
	OPTIONS_FIRMWARE = 1 << 16, /* where the firmware of a board is */
	OPTIONS_FETCH = 1 << 17,
	OPTIONS_BOOT = 1 << 18,
};

enum option_kind {
	OPTION_FLAG,   /* bool */
	OPTION_TEXT,   /* const char * */
	OPTION_LIST,   /* struct option_list; may be repeated */
	OPTION_NUMBER, /* uint64_t; min to max */
	OPTION_SIZE,   /* uint64_t, bytes: "4096", "1M"; min to max */
	OPTION_CHOICE, /* unsigned; argument is "a|b|c", and the value its place, from 1 */
};

struct option {
	const char *name;     /* without dashes */
	char letter;          /* 0: none */
	const char *argument; /* what it is called in the help; NULL for a flag */
	const char *help;     /* for the help text; lower case, no full stop, at most 50 bytes */
	unsigned groups;      /* or of enum option_group */
	enum option_kind kind;
	size_t offset_bytes; /* of its member in struct options */
	uint64_t min;
	uint64_t max;
};

/* All options, in the order of the help text; *out_n_options says how many. A name may be there
 * several times, for different groups. */
const struct option *option_table(size_t *out_n_options);

/* The place of the first operand before any --, for finding the verb; n_args when there is none. An
 * argument behind an option that takes a value, whatever the verb, is no operand. */
size_t options_first_operand(char *const *args, size_t n_args);

/* Is --json among args? For telling errors before, or in spite of, failed parsing. */
bool options_want_json(char *const *args, size_t n_args);

/* Parse the arguments of c, without the verb itself, into *out. args is reordered: the operands
 * come first, and *out borrows them. Fails with ERR_USAGE for anything that is not in the table or
 * not as it says; but a call for help is heard before the number of operands is looked at. */
int options_parse(const struct command *c, char **args, size_t n_args, struct options *out,
		  struct err *e);
