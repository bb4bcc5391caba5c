/* The table of options. See options.h. */
#include <stddef.h>

#include "provision/cli/options.h"

/* A row: name, letter, argument, help, groups, and the member of struct options it fills. */
#define FLAG(name, letter, help, groups, member)                                                   \
	{                                                                                          \
		name, letter, NULL, help, groups, OPTION_FLAG, offsetof(struct options, member),   \
			0, 0                                                                       \
	}
#define TEXT(name, argument, help, groups, member)                                                 \
	{                                                                                          \
		name, 0, argument, help, groups, OPTION_TEXT, offsetof(struct options, member), 0, \
			0                                                                          \
	}
#define TEXT_LETTER(name, letter, argument, help, groups, member)                                  \
	{                                                                                          \
		name, letter, argument, help, groups, OPTION_TEXT,                                 \
			offsetof(struct options, member), 0, 0                                     \
	}
#define LIST(name, argument, help, groups, member)                                                 \
	{                                                                                          \
		name, 0, argument, help, groups, OPTION_LIST, offsetof(struct options, member), 0, \
			0                                                                          \
	}
#define CHOICE(name, argument, help, groups, member)                                               \
	{                                                                                          \
		name, 0, argument, help, groups, OPTION_CHOICE, offsetof(struct options, member),  \
			0, 0                                                                       \
	}
#define NUMBER(name, argument, help, groups, member, min, max)                                     \
	{                                                                                          \
		name, 0, argument, help, groups, OPTION_NUMBER, offsetof(struct options, member),  \
			min, max                                                                   \
	}
#define SIZE(name, argument, help, groups, member, min, max)                                       \
	{                                                                                          \
		name, 0, argument, help, groups, OPTION_SIZE, offsetof(struct options, member),    \
			min, max                                                                   \
	}

static const struct option table[] = {
	FLAG("quiet", 'q', "say nothing but errors", OPTIONS_GLOBAL, is_quiet),
	FLAG("json", 0, "say it to programs: one JSON object a line", OPTIONS_JSON, is_json),
	FLAG("debug", 0, "tell what lkflash does inside", OPTIONS_GLOBAL, is_debug),
	FLAG("help", 'h', "show this help", OPTIONS_GLOBAL, is_help),
	FLAG("version", 0, "print the version of lkflash", OPTIONS_PROGRAM, is_help),

	LIST("trust", "FILE", "trust the CAs in this PEM file", OPTIONS_TRUST, trust_paths),
	LIST("crl", "FILE", "revocation list; each CA needs one", OPTIONS_TRUST, crl_paths),
	NUMBER("threshold", "N", "so many trusted keys must have signed", OPTIONS_TRUST, threshold,
	       1, 4),
	TEXT("state-dir", "DIR", "where version floors are kept", OPTIONS_TRUST, state_dir),

	FLAG("allow-unsigned", 0, "take an image that nobody signed", OPTIONS_IMAGE,
	     is_unsigned_allowed),
	TEXT("manifest", "FILE|URL", "signed manifest (default: IMAGE.lkm)", OPTIONS_IMAGE,
	     manifest_where),
	TEXT("bmap", "FILE|URL", "block map of an unsigned image", OPTIONS_IMAGE, bmap_where),
	TEXT("sums", "FILE|URL", "SHA256SUMS of an unsigned image", OPTIONS_IMAGE, sums_where),
	TEXT("tls-ca", "FILE", "trust these CAs for https:// instead",
	     OPTIONS_IMAGE | OPTIONS_MANIFEST | OPTIONS_INSPECT, tls_ca_path),

	TEXT("board", "ID", "which board it is for; see `lkflash boards`", OPTIONS_BOARD, board_id),
	TEXT("boards-dir", "DIR", "more board profiles", OPTIONS_BOARDS, boards_dir),
	FLAG("allow-fixed-disk", 0, "take a disk that cannot be removed", OPTIONS_TARGET,
	     is_fixed_disk_allowed),
	CHOICE("unmapped", "keep|zero|discard", "what to do with holes", OPTIONS_TARGET, unmapped),
	FLAG("delta", 0, "write only what differs on the target", OPTIONS_TARGET, is_delta),
	NUMBER("retries", "N", "write again what reads back wrong (default: 3)", OPTIONS_TARGET,
	       n_retries, 0, 100),
	NUMBER("stall-timeout", "SECONDS", "give up what stalls (default: 120; 0: never)",
	       OPTIONS_TARGET | OPTIONS_VERIFY, stall_timeout_s, 0, 86400),
	CHOICE("capacity-probe", "auto|always|never", "find media that lie about size",
	       OPTIONS_TARGET, capacity_probe),
	FLAG("yes", 'y', "answer the question before writing", OPTIONS_YES, is_yes),
	TEXT("image", "IMAGE", "hold the device against this image", OPTIONS_VERIFY, image_where),

	TEXT("out", "DIR", "where the keys go; made if missing", OPTIONS_KEYGEN, out_path),
	TEXT("type", "p256|p384|rsa3072", "kind of the keys (default: p256)", OPTIONS_KEYGEN,
	     key_type),
	TEXT("name", "NAME", "whose keys they are (default: lkflash)", OPTIONS_KEYGEN, name),
	NUMBER("days", "N", "how long the signer is valid (default: 730)", OPTIONS_KEYGEN, days, 1,
	       36500),

	LIST("key", "FILE", "private key to sign with", OPTIONS_MANIFEST, key_paths),
	LIST("cert", "FILE", "its certificate, in the same order", OPTIONS_MANIFEST, cert_paths),
	LIST("board", "ID", "a board the image is for", OPTIONS_MANIFEST, board_ids),
	TEXT("version", "TEXT", "version of the image", OPTIONS_MANIFEST | OPTIONS_BUILD,
	     image_version),
	TEXT("name", "NAME", "name of the image (default: the file's)",
	     OPTIONS_MANIFEST | OPTIONS_BUILD, name),
	NUMBER("security-version", "N", "what the floor is held against",
	       OPTIONS_MANIFEST | OPTIONS_BUILD, security_version, 0, (UINT64_C(1) << 53) - 1),
	TEXT("rollback-group", "NAME", "images that share a floor",
	     OPTIONS_MANIFEST | OPTIONS_BUILD, rollback_group),
	NUMBER("sector", "512|4096", "sector size the image is made for", OPTIONS_MANIFEST,
	       sector_bytes, 512, 4096),
	CHOICE("holes", "zero|skip", "holes read as zeros, or do not matter", OPTIONS_MANIFEST,
	       holes),
	TEXT("bmap", "FILE|URL", "block map that the image must match", OPTIONS_MANIFEST,
	     bmap_where),
	TEXT("write-bmap", "FILE", "write a new block map of the image", OPTIONS_MANIFEST,
	     bmap_out_path),
	SIZE("chunk-size", "SIZE", "64K to 16M, a power of two (default: 1M)", OPTIONS_MANIFEST,
	     chunk_bytes, 1 << 16, 1 << 24),
	TEXT("manifest-only", "FILE", "write the manifest for signing elsewhere", OPTIONS_SIGN,
	     manifest_out_path),
	TEXT("attach", "FILE", "take the signature made elsewhere ...", OPTIONS_SIGN, attach_path),
	TEXT("manifest", "FILE", "... over this manifest", OPTIONS_SIGN, manifest_where),
	TEXT("out", "FILE", "where the result goes (default: IMAGE.lkm)", OPTIONS_SIGN, out_path),
	TEXT("out", "FILE", "where the packed image goes", OPTIONS_PACK, out_path),
	NUMBER("level", "N", "zstd level (default: 3)", OPTIONS_PACK, level, 1, 19),
	TEXT("extract", "DIR", "write the parts of the manifest there", OPTIONS_INSPECT,
	     extract_dir),

	TEXT("kernel", "FILE", "kernel to start", OPTIONS_BUILD, kernel_path),
	TEXT("initrd", "FILE", "its initial RAM disk", OPTIONS_BUILD, initrd_path),
	TEXT("cmdline", "TEXT", "its command line; {root} {boot} {slot}", OPTIONS_BUILD, cmdline),
	TEXT("dtb", "DIR", "device trees, as the kernel installs them", OPTIONS_BUILD, dtb_dir),
	TEXT("ucode", "FILE", "microcode, put in front of the initrd", OPTIONS_BUILD,
	     microcode_path),
	TEXT("linuxkit", "PREFIX", "a LinuxKit build: PREFIX-kernel, .tar", OPTIONS_BUILD,
	     linuxkit),
	TEXT("rootfs", "PATH", "root file system: folder, tar or image", OPTIONS_BUILD,
	     rootfs_path),
	LIST("boot-file", "SRC:DST", "a file for the boot partition", OPTIONS_BUILD, boot_files),
	SIZE("size", "SIZE", "of the medium (default: the smallest)", OPTIONS_BUILD, size_bytes, 1,
	     UINT64_C(1) << 50),
	CHOICE("table", "mbr|gpt", "kind of partition table", OPTIONS_BUILD, table),
	NUMBER("slots", "1|2", "how many systems to put on it", OPTIONS_BUILD, n_slots, 1, 2),
	TEXT("method", "NAME", "boot method instead of the profile's", OPTIONS_BUILD, method),
	TEXT("seed", "TEXT", "what UUIDs are made from", OPTIONS_BUILD, seed),
	FLAG("no-data", 0, "leave out the partition for data", OPTIONS_BUILD, is_data_left_out),
	TEXT("boot-key", "FILE", "RSA-2048 key that firmware trusts", OPTIONS_BUILD, boot_key_path),
	TEXT("sign", "KEY,CERT", "sign the image in the same go", OPTIONS_BUILD, sign),
	TEXT_LETTER("out", 'o', "FILE", "where the image goes", OPTIONS_BUILD, out_path),
	TEXT("firmware", "DIR", "firmware files, by name", OPTIONS_FIRMWARE, firmware_dir),
	TEXT("out", "DIR", "where the files go (default: the cache)", OPTIONS_FETCH, out_path),
	TEXT("mirror", "URL", "a mirror of Debian nearer to you", OPTIONS_FETCH, mirror),
	TEXT("keyring", "FILE", "keys of a mirror that Debian does not sign", OPTIONS_FETCH,
	     keyring_path),
	TEXT("expect", "TEXT", "end with success when the console says it", OPTIONS_BOOT, expect),
	NUMBER("timeout", "SECONDS", "and fail when it did not by then", OPTIONS_BOOT, timeout_s, 1,
	       86400),
	FLAG("writable", 0, "let the machine write to the image", OPTIONS_BOOT, is_writable),
	LIST("qemu", "ARG", "one more argument for QEMU", OPTIONS_BOOT, qemu_arguments),
};

const struct option *option_table(size_t *out_n_options)
{
	*out_n_options = sizeof table / sizeof *table;
	return table;
}
