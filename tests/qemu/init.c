/* The first process of the machines that tests/qemu starts. As /init of an initrd it loads the
 * modules that lie there and changes to the root file system, if the command line names one; then
 * it prints what it was started with and from, in one line, and switches the machine off.
 *
 * Partitions are looked up in the partition table itself: older kernels do not tell PARTUUIDs. */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

enum {
	SECTOR_BYTES = 512,
	DISK_ID_AT = 440,   /* MBR: of the disk, 4 bytes */
	MBR_PARTITIONS = 4, /* the primary ones */
	/* GPT header (UEFI, table 5-5): where the entries are, how many, and how large each is. */
	GPT_ENTRIES_LBA_AT = 72,
	GPT_N_ENTRIES_AT = 80,
	GPT_ENTRY_BYTES_AT = 84,
	GPT_ENTRY_GUID_AT = 16, /* in an entry: the partition's own */
	GUID_BYTES = 16,
	NAME_MAX_BYTES = 64,
	TEXT_MAX_BYTES = 2048,
	WAIT_S = 60, /* for a disk to appear: an emulated SD card takes seconds */
};

/* Set by systemd-boot and its stub to the partition they were started from; UTF-16 behind 4 bytes
 * of attributes (systemd, boot loader interface). */
#define LOADER_PARTITION                                                                           \
	"/sys/firmware/efi/efivars/LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* ---- Text ----------------------------------------------------------------------------------- */

/* A file's content up to the first line end, "" if it cannot be read. */
static void read_line(const char *path, char text[TEXT_MAX_BYTES])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, TEXT_MAX_BYTES - 1);
	if (fd >= 0)
		(void)close(fd);
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

/* The value of "key=" on the command line, "" if it is not there; the last one counts. */
static void parameter(const char *cmdline, const char *key, char value[TEXT_MAX_BYTES])
{
	size_t n_key = strlen(key);
	value[0] = '\0';
	while (*cmdline) {
		size_t n = strcspn(cmdline, " ");
		if (n > n_key && !strncmp(cmdline, key, n_key) && cmdline[n_key] == '=')
			(void)snprintf(value, TEXT_MAX_BYTES, "%.*s", (int)(n - n_key - 1),
				       cmdline + n_key + 1);
		cmdline += n + (cmdline[n] == ' ');
	}
}

/* ---- Partition tables ----------------------------------------------------------------------- */

static void format_guid(const uint8_t *g, char text[NAME_MAX_BYTES])
{
	(void)snprintf(text, NAME_MAX_BYTES,
		       "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", g[3],
		       g[2], g[1], g[0], g[5], g[4], g[7], g[6], g[8], g[9], g[10], g[11], g[12],
		       g[13], g[14], g[15]);
}

/* The number of the GPT partition with that PARTUUID, 0 if there is none. */
static uint32_t gpt_number(int fd, const uint8_t *header, const char *partuuid)
{
	char text[NAME_MAX_BYTES];
	uint8_t guid[GUID_BYTES];
	uint64_t at = (uint64_t)le32(header + GPT_ENTRIES_LBA_AT) * SECTOR_BYTES;
	for (uint32_t i = 0; i < le32(header + GPT_N_ENTRIES_AT); i++) {
		off_t guid_at = (off_t)(at + GPT_ENTRY_GUID_AT);
		if (pread(fd, guid, sizeof guid, guid_at) != sizeof guid)
			return 0;
		format_guid(guid, text);
		if (!strcasecmp(text, partuuid))
			return i + 1;
		at += le32(header + GPT_ENTRY_BYTES_AT);
	}
	return 0;
}

static uint32_t mbr_number(const uint8_t *mbr, const char *partuuid)
{
	char text[NAME_MAX_BYTES];
	for (uint32_t i = 1; i <= MBR_PARTITIONS; i++) {
		(void)snprintf(text, sizeof text, "%08x-%02x", le32(mbr + DISK_ID_AT), i);
		if (!strcasecmp(text, partuuid))
			return i;
	}
	return 0;
}

/* The name of the partition of this disk with that PARTUUID, as in /dev. */
static bool find_on_disk(const char *disk, const char *partuuid, char name[NAME_MAX_BYTES])
{
	char path[NAME_MAX_BYTES + 8];
	uint8_t head[2 * SECTOR_BYTES];
	uint32_t number = 0;
	(void)snprintf(path, sizeof path, "/dev/%s", disk);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (pread(fd, head, sizeof head, 0) != sizeof head)
		number = 0;
	else if (!memcmp(head + SECTOR_BYTES, "EFI PART", 8))
		number = gpt_number(fd, head + SECTOR_BYTES, partuuid);
	else
		number = mbr_number(head, partuuid);
	(void)close(fd);
	char last = disk[strlen(disk) - 1];
	(void)snprintf(name, NAME_MAX_BYTES, "%.40s%s%u", disk,
		       last >= '0' && last <= '9' ? "p" : "", number);
	(void)snprintf(path, sizeof path, "/dev/%s", name);
	return number && !access(path, F_OK);
}

static bool find_now(const char *partuuid, char name[NAME_MAX_BYTES])
{
	bool is_found = false;
	struct dirent *d = NULL;
	DIR *disks = opendir("/sys/block");
	while (disks && !is_found && (d = readdir(disks)))
		is_found = d->d_name[0] != '.' && strlen(d->d_name) < 32 &&
			   find_on_disk(d->d_name, partuuid, name);
	if (disks)
		(void)closedir(disks);
	return is_found;
}

/* text is "PARTUUID=..."; waits for the disk to appear. */
static bool find_partition(const char *text, char name[NAME_MAX_BYTES])
{
	static const char prefix[] = "PARTUUID=";
	if (strncmp(text, prefix, sizeof prefix - 1) != 0)
		return false;
	for (int i = 0; i < WAIT_S * 20; i++) {
		if (find_now(text + sizeof prefix - 1, name))
			return true;
		(void)usleep(50000);
	}
	return false;
}

/* ---- Mounts and modules --------------------------------------------------------------------- */

static bool mount_partition(const char *name, const char *folder)
{
	static const char *const types[] = {"ext4", "vfat", "squashfs", "erofs"};
	char path[NAME_MAX_BYTES + 8];
	(void)snprintf(path, sizeof path, "/dev/%s", name);
	(void)mkdir(folder, 0755);
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (!mount(path, folder, types[i], MS_RDONLY, NULL))
			return true;
	return false;
}

static void mount_kernel_folders(void)
{
	static const char *const mounts[][2] = {
		{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}};
	for (size_t i = 0; i < sizeof mounts / sizeof *mounts; i++) {
		(void)mkdir(mounts[i][1], 0755);
		(void)mount(mounts[i][0], mounts[i][1], mounts[i][0], 0, NULL);
	}
	int fd = open("/dev/console", O_RDWR);
	for (int i = 0; fd >= 0 && i < 3; i++)
		(void)dup2(fd, i);
}

/* /modules.list names them, one a line, each behind those it needs. */
static void load_modules(void)
{
	char path[TEXT_MAX_BYTES];
	FILE *list = fopen("/modules.list", "re");
	while (list && fgets(path, sizeof path, list)) {
		path[strcspn(path, "\n")] = '\0';
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
			(void)printf("init: %s was not loaded: %m\n", path);
		if (fd >= 0)
			(void)close(fd);
	}
	if (list)
		(void)fclose(list);
}

/* Go on as the root file system's own /sbin/init; returns only if that fails. */
static void change_root(const char *name)
{
	if (!mount_partition(name, "/root")) {
		(void)printf("init: %s cannot be mounted: %m\n", name);
		return;
	}
	if (chdir("/root") || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		(void)printf("init: %s cannot become the root: %m\n", name);
	(void)execl("/sbin/init", "/sbin/init", (char *)NULL);
	(void)printf("init: %s has no /sbin/init: %m\n", name);
}

/* ---- The marker ----------------------------------------------------------------------------- */

/* " key=vda1:CONTENT": a partition, and the first line of a file there. */
static void print_boot(const char *cmdline)
{
	char value[TEXT_MAX_BYTES];
	char content[TEXT_MAX_BYTES];
	char name[NAME_MAX_BYTES];
	parameter(cmdline, "boot", value);
	if (!*value)
		return;
	if (!find_partition(value, name) || !mount_partition(name, "/tmp/boot")) {
		(void)printf(" boot=none");
		return;
	}
	read_line("/tmp/boot/marker.txt", content);
	(void)printf(" boot=%s:%s", name, content);
}

static void print_root(void)
{
	char link[NAME_MAX_BYTES];
	char target[TEXT_MAX_BYTES] = "";
	char content[TEXT_MAX_BYTES];
	struct stat s;
	if (stat("/", &s))
		return;
	(void)snprintf(link, sizeof link, "/sys/dev/block/%u:%u", major(s.st_dev), minor(s.st_dev));
	if (readlink(link, target, sizeof target - 1) < 0)
		return;
	read_line("/etc/marker.txt", content);
	(void)printf(" root=%s:%s", strrchr(target, '/') + 1, content);
}

/* The partition that UEFI started the boot manager from. */
static void print_loader(void)
{
	uint8_t raw[4 + 2 * NAME_MAX_BYTES] = {0};
	char partuuid[NAME_MAX_BYTES + 16] = "PARTUUID=";
	char name[NAME_MAX_BYTES];
	(void)mount("efivarfs", "/sys/firmware/efi/efivars", "efivarfs", 0, NULL);
	int fd = open(LOADER_PARTITION, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t n = read(fd, raw, sizeof raw - 2);
	(void)close(fd);
	char *out = partuuid + strlen(partuuid);
	for (ssize_t i = 4; i < n; i += 2)
		*out++ = (char)raw[i];
	(void)printf(" loader=%s", find_partition(partuuid, name) ? name : "none");
}

/* What a LinuxKit build has in its initrd, in the order in which it would be started. */
static void print_containers(void)
{
	struct dirent **entries = NULL;
	int n_entries = scandir("/containers/onboot", &entries, NULL, alphasort);
	for (int i = 0; i < n_entries; i++)
		if (entries[i]->d_name[0] != '.')
			(void)printf(" onboot=%s", entries[i]->d_name);
}

static void print_marker(const char *cmdline)
{
	char slot[TEXT_MAX_BYTES];
	parameter(cmdline, "slot", slot);
	(void)printf("LKFLASH-MARKER slot=%s", slot);
	print_boot(cmdline);
	print_root();
	print_loader();
	print_containers();
	(void)printf(" cmdline=\"%s\" LKFLASH-END\n", cmdline);
}

int main(int argc, char **argv)
{
	char cmdline[TEXT_MAX_BYTES];
	char value[TEXT_MAX_BYTES];
	char slot[TEXT_MAX_BYTES];
	char name[NAME_MAX_BYTES];
	(void)argc;
	mount_kernel_folders();
	(void)setvbuf(stdout, NULL, _IOFBF, 2 * TEXT_MAX_BYTES);
	read_line("/proc/cmdline", cmdline);
	if (!strcmp(argv[0], "/init")) {
		load_modules();
		parameter(cmdline, "root", value);
		(void)fflush(stdout);
		if (find_partition(value, name))
			change_root(name);
	}
	(void)mkdir("/tmp", 0755);
	(void)mount("tmpfs", "/tmp", "tmpfs", 0, NULL);
	/* A system that does not come up: the machine restarts before anything called it good. */
	parameter(cmdline, "broken", value);
	parameter(cmdline, "slot", slot);
	if (*value && !strcmp(value, slot))
		(void)printf("LKFLASH-BROKEN slot=%s LKFLASH-END\n", slot);
	else
		print_marker(cmdline);
	(void)fflush(stdout);
	(void)tcdrain(STDOUT_FILENO);
	sync();
	(void)reboot(RB_POWER_OFF);
	for (;;)
		pause();
}
