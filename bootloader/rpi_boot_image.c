/* boot.img and boot.sig. See rpi_boot_image.h. */
#include "bootloader/rpi_boot_image.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bootloader/rpi_config.h"
#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/units.h"
#include "flash/disk/mkfs.h"
#include "flash/trust/digest.h"

enum { BOOT_IMAGE_MAX_BYTES = 256 << 20 }; /* more than the memory a boot loader has for it */

/* A file of zeros. */
static int make_file(const char *path, uint64_t size_bytes, struct err *e)
{
	CLEANUP(closep) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || ftruncate(fd, (off_t)size_bytes) < 0)
		return err_errno(e, "making %s of %" PRIu64 " bytes", path, size_bytes);
	return 0;
}

static int make_image(const struct boot_input *in, const char *path, struct tree *content,
		      struct err *e)
{
	const struct mkfs_kind *fat = NULL;
	struct mkfs_request r = {
		.path = path,
		.tree = content,
		.label = "BOOT",
		.uuid = {'b', 'o', 'o', 't'},
		.time_s = in->time_s,
		.scratch_folder = in->scratch_folder,
		.cancel = in->cancel,
	};

	if (tree_sort(content, e) < 0 || mkfs_by_name("vfat", &fat, e) < 0)
		return -1;
	r.size_bytes = align_up(fat->need_bytes(content), MIB);
	if (make_file(path, r.size_bytes, e) < 0)
		return -1;
	return fat->make(&r, e);
}

static int add_signature(const struct boot_input *in, const struct boot_slot *slot,
			 const char *path, struct err *e)
{
	CLEANUP(freep) uint8_t *image = NULL;
	CLEANUP(buf_release) struct buf text = {0};
	uint8_t sha256[SHA256_BYTES];
	uint8_t signature[RPI_SIGNATURE_BYTES];
	size_t n_bytes = 0;

	if (fdio_load(path, BOOT_IMAGE_MAX_BYTES, &image, &n_bytes, e) < 0 ||
	    digest_sha256(image, n_bytes, sha256, e) < 0 ||
	    in->signer->sign(in->signer->context, sha256, signature, e) < 0)
		return -1;
	rpi_append_boot_sig(sha256, in->time_s, signature, &text);
	if (buf_check(&text, e) < 0)
		return -1;
	return tree_add_copy(slot->boot, "boot.sig", text.bytes, text.n_bytes, e);
}

int rpi_boot_image_add(const struct boot_input *in, const struct boot_slot *slot,
		       struct tree *content, struct err *e)
{
	CLEANUP(buf_release) struct buf path = {0};
	const char *text = NULL;

	buf_printf(&path, "%s/boot%s%s.img", in->scratch_folder, slot->name[0] ? "-" : "",
		   slot->name);
	if (buf_text(&path, &text, e) < 0)
		return -1;
	if (make_image(in, text, content, e) < 0 || add_signature(in, slot, text, e) < 0)
		return err_wrap(e, "making boot.img");
	return tree_add_path(slot->boot, "boot.img", text, e);
}
