/* Packages through an apt of our own. See apt.h. */
#include "provision/build/apt.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flash/base/buf.h"
#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/parse.h"
#include "flash/base/spawn.h"

enum { KEYRING_MAX_BYTES = 16 << 20 };

/* ---- Its configuration --------------------------------------------------------------------- */

/* Folders that apt misses, with a warning, when they are not there. */
static const char *const folders[] = {
	"etc/apt.conf.d",
	"etc/preferences.d",
	"etc/sources.list.d",
	"etc/trusted.gpg.d",
	"etc/auth.conf.d",
	"state",
	"cache",
};

static int path_in(const struct apt *a, const char *name, char **out, struct err *e)
{
	char *path = NULL;

	if (asprintf(&path, "%s/%s", a->folder, name) < 0)
		return err_errno(e, "%s", a->folder);
	*out = path;
	return 0;
}

static int put(const struct apt *a, const char *name, const void *bytes, size_t n_bytes,
	       struct err *e)
{
	CLEANUP(freep) char *path = NULL;

	if (path_in(a, name, &path, e) < 0)
		return -1;
	return fdio_save(path, bytes, n_bytes, 0644, e);
}

static int put_text(const struct apt *a, const char *name, struct buf *text, struct err *e)
{
	if (buf_check(text, e) < 0)
		return -1;
	return put(a, name, text->bytes, text->n_bytes, e);
}

/* What apt.conf(5) and apt-get(8) tell of. The user that apt would become cannot write to our
 * folder. Without "any" an update that failed ends with 0, and the lists of yesterday. Lists are
 * kept compressed, and no cache of them, which would be ten times as large. */
static int put_config(const struct apt *a, struct err *e)
{
	CLEANUP(buf_release) struct buf text = {0};

	buf_printf(&text, "Dir \"%s\";\n", a->folder);
	buf_append_text(&text, "Dir::State \"state\";\n");
	buf_printf(&text, "Dir::State::status \"%s/status\";\n", a->folder);
	buf_append_text(&text, "Dir::Cache \"cache\";\n"
			       "Dir::Cache::pkgcache \"\";\n"
			       "Dir::Cache::srcpkgcache \"\";\n"
			       "Dir::Etc \"etc\";\n"
			       "Dir::Log \"log\";\n"
			       "APT::Sandbox::User \"root\";\n"
			       "APT::Update::Error-Mode \"any\";\n"
			       "Acquire::GzipIndexes \"true\";\n"
			       "Acquire::Languages \"none\";\n"
			       "Acquire::Retries \"1\";\n");
	buf_printf(&text, "APT::Architecture \"%s\";\nAPT::Architectures { \"%s\"; };\n", a->arch,
		   a->arch);
	return put_text(a, "apt.conf", &text, e);
}

static int put_sources(const struct apt *a, struct err *e)
{
	CLEANUP(buf_release) struct buf text = {0};

	buf_printf(&text, "deb [arch=%s] %s %s main non-free-firmware\n", a->arch, a->mirror,
		   a->suite);
	return put_text(a, "etc/sources.list", &text, e);
}

/* apt tells the two formats of keys apart by the file's name. */
static int put_keyring(const struct apt *a, struct err *e)
{
	static const char *const names[] = {"etc/trusted.gpg.d/keys.gpg",
					    "etc/trusted.gpg.d/keys.asc"};
	CLEANUP(freep) uint8_t *bytes = NULL;
	CLEANUP(freep) char *other = NULL;
	size_t n_bytes = 0;

	if (fdio_load(a->keyring, KEYRING_MAX_BYTES, &bytes, &n_bytes, e) < 0) {
		(void)err_wrap(e, "the keys that Debian signs with");
		return err_hint(e, "install Debian's debian-archive-keyring, or give --keyring");
	}
	bool is_text = parse_has_prefix((const char *)bytes, "-----BEGIN PGP");
	if (path_in(a, names[is_text ? 0 : 1], &other, e) < 0)
		return -1;
	(void)unlink(other);
	return put(a, names[is_text ? 1 : 0], bytes, n_bytes, e);
}

/* A word of apt's files: it cannot end where it stands and begin something else. */
static bool is_word(const char *text)
{
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c > '~' || strchr("\"[]{};#", *c))
			return false;
	return *text != '\0';
}

static int check_words(const struct apt *a, struct err *e)
{
	if (!is_word(a->mirror) ||
	    !(parse_has_prefix(a->mirror, "http://") || parse_has_prefix(a->mirror, "https://") ||
	      parse_has_prefix(a->mirror, "file:///")))
		return err_set(e, ERR_USAGE,
			       "the mirror %s is no address such as http://deb.debian.org/debian",
			       a->mirror);
	if (!is_word(a->suite) || !is_word(a->arch))
		return err_set(e, ERR_USAGE, "%s for %s is no suite of Debian", a->suite, a->arch);
	if (a->folder[0] != '/' || strpbrk(a->folder, "\"\n\\"))
		return err_set(e, ERR_USAGE,
			       "%s cannot be told to apt; set LKFLASH_CACHE_DIR to a whole path "
			       "without quotes and backslashes",
			       a->folder);
	return 0;
}

static int put_all(const struct apt *a, struct err *e)
{
	if (check_words(a, e) < 0)
		return -1;
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		CLEANUP(freep) char *path = NULL;
		if (path_in(a, folders[i], &path, e) < 0 || fdio_mkdir(path, 0755, e) < 0)
			return -1;
	}
	if (put(a, "status", "", 0, e) < 0 || put_config(a, e) < 0 || put_sources(a, e) < 0)
		return -1;
	return put_keyring(a, e);
}

int apt_prepare(const struct apt *a, struct err *e)
{
	return put_all(a, e) < 0 ? err_wrap(e, "preparing apt in %s", a->folder) : 0;
}

/* ---- Running it ----------------------------------------------------------------------------- */

/* An error, or the warning that says what is wrong with a signature; the error behind it only says
 * that the archive is not signed. */
static bool does_matter(const char *line)
{
	return parse_has_prefix(line, "E: ") || parse_has_prefix(line, "W: GPG error");
}

void apt_format_errors(const char *messages, struct buf *out)
{
	const size_t n_before = out->n_bytes;

	for (const char *line = messages; *line; line += *line == '\n') {
		size_t n_bytes = strcspn(line, "\n");
		if (does_matter(line)) {
			buf_append_text(out, out->n_bytes > n_before ? "; " : "");
			buf_append(out, line + strlen("E: "), n_bytes - strlen("E: "));
		}
		line += n_bytes;
	}
}

/* What apt says of a signature that is missing, another's, or wrong. */
static bool is_about_signature(const char *text)
{
	return strstr(text, "GPG error") || strstr(text, "is not signed") ||
	       strstr(text, "signature") || strstr(text, "cannot be authenticated");
}

/* What apt says of a file that is not the one that the signed list names. */
static bool is_about_content(const char *text)
{
	return strstr(text, "Hash Sum mismatch") || strstr(text, "has unexpected size");
}

/* The way out of what e says, by what apt said. */
static int hint(const char *text, struct err *e)
{
	if (is_about_signature(text))
		return err_hint(e, "give --keyring FILE with the keys of this mirror if they are "
				   "others than Debian's");
	return err_hint(e, "try later or with another --mirror, or get the files yourself and "
			   "build with --firmware DIR");
}

/* apt-get ended with e; what it said tells why. */
static int explain(struct buf *messages, struct err *e)
{
	CLEANUP(buf_release) struct buf errors = {0};
	const char *text = NULL;
	struct err ignored = {0};

	if (e->code != ERR_IO || buf_text(messages, &text, &ignored) < 0)
		return -1;
	apt_format_errors(text, &errors);
	e->code = is_about_signature(text) || is_about_content(text) ? ERR_UNTRUSTED : ERR_IO;
	const char *told = NULL;
	if (errors.n_bytes > 0 && buf_text(&errors, &told, &ignored) == 0)
		(void)err_set(e, e->code, "apt: %s", told);
	return hint(text, e);
}

static int run_apt(const struct apt *a, const char *const *argv, const char *folder, struct err *e)
{
	CLEANUP(freep) char *setting = NULL;
	CLEANUP(buf_release) struct buf messages = {0};
	struct spawn s = {
		.argv = argv,
		.folder = folder,
		.messages = &messages,
		.packages = "apt",
		.cancel = a->cancel,
	};

	if (asprintf(&setting, "APT_CONFIG=%s/apt.conf", a->folder) < 0) {
		setting = NULL;
		return err_errno(e, "starting apt-get");
	}
	const char *const environment[] = {setting, NULL};
	s.environment = environment;
	return spawn_run(&s, e) < 0 ? explain(&messages, e) : 0;
}

int apt_update(const struct apt *a, struct err *e)
{
	static const char *const argv[] = {"apt-get", "update", "-qq", NULL};

	if (run_apt(a, argv, a->folder, e) == 0)
		return 0;
	return err_wrap(e, "fetching the packages of %s for %s from %s", a->suite, a->arch,
			a->mirror);
}

/* The only package in the folder. */
static int find_package(const char *folder, char **out, struct err *e)
{
	DIR *dir = opendir(folder);
	char *path = NULL;
	int n_bytes = 0;

	if (!dir)
		return err_errno(e, "%s", folder);
	for (struct dirent *d = readdir(dir); d && !path && n_bytes >= 0; d = readdir(dir))
		if (parse_has_suffix(d->d_name, ".deb"))
			n_bytes = asprintf(&path, "%s/%s", folder, d->d_name);
	(void)closedir(dir);
	if (n_bytes <= 0)
		return err_set(e, ERR_IO, "apt-get left no package in %s", folder);
	*out = path;
	return 0;
}

static int read_version(const char *path, const struct cancel *c, char **out, struct err *e)
{
	const char *const argv[] = {"dpkg-deb", "--field", path, "Version", NULL};
	CLEANUP(buf_release) struct buf output = {0};
	const struct spawn s = {
		.argv = argv,
		.output = &output,
		.packages = "dpkg",
		.cancel = c,
	};
	const char *text = NULL;

	if (spawn_run(&s, e) < 0 || buf_text(&output, &text, e) < 0)
		return -1;
	char *version = strndup(text, strcspn(text, "\n"));
	if (!version)
		return err_errno(e, "%s", path);
	*out = version;
	return 0;
}

int apt_download(const struct apt *a, const char *package, const char *folder, char **out_path,
		 char **out_version, struct err *e)
{
	const char *const argv[] = {"apt-get", "download", "-qq", package, NULL};
	CLEANUP(freep) char *path = NULL;

	if (run_apt(a, argv, folder, e) < 0)
		return err_wrap(e, "fetching %s of %s from %s", package, a->suite, a->mirror);
	if (find_package(folder, &path, e) < 0 || read_version(path, a->cancel, out_version, e) < 0)
		return err_wrap(e, "%s", package);
	*out_path = TAKE(path);
	return 0;
}

int apt_unpack(const char *path, const char *folder, const struct cancel *c, struct err *e)
{
	const char *const argv[] = {"dpkg-deb", "--extract", path, folder, NULL};
	const struct spawn s = {.argv = argv, .packages = "dpkg", .cancel = c};

	return spawn_run(&s, e);
}
