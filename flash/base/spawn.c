/* Starting other programs. See spawn.h. */
#include "flash/base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "flash/base/log.h"

enum {
	TAIL_BYTES = 600, /* of what a program said, for the error, which holds 1024 */
	TAIL_LINES = 4,
};

/* Where Debian has what only root is thought to want (mkfs.fat, mke2fs). */
static const char sbin_folders[] = "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin";

/* ---- Finding it ----------------------------------------------------------------------------- */

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* 1 when name is in the folder of n_bytes at folder, 0 when not, -1 when memory is short. An empty
 * one stands for where we are, which is not an absolute one either. */
static int find_in_folder(const char *folder, size_t n_bytes, const char *name, char **out)
{
	char *path = NULL;

	if (folder[0] != '/')
		return 0;
	if (asprintf(&path, "%.*s/%s", (int)n_bytes, folder, name) < 0)
		return -1;
	if (is_program(path)) {
		*out = path;
		return 1;
	}
	free(path);
	return 0;
}

/* The same of folders with colons between them. */
static int find_in(const char *folders, const char *name, char **out)
{
	int found = 0;

	while (*folders && found == 0) {
		size_t n_bytes = strcspn(folders, ":");

		found = find_in_folder(folders, n_bytes, name, out);
		folders += n_bytes + (folders[n_bytes] == ':');
	}
	return found;
}

int spawn_find(const char *name, const char *packages, char **out, struct err *e)
{
	const char *path_folders = getenv("PATH");
	int found = 0;

	if (strchr(name, '/')) {
		char *copy = strdup(name);
		if (!copy)
			return err_set(e, ERR_IO, "out of memory");
		*out = copy;
		return 0;
	}
	if (path_folders)
		found = find_in(path_folders, name, out);
	if (found == 0)
		found = find_in(sbin_folders, name, out);
	if (found < 0)
		return err_set(e, ERR_IO, "out of memory");
	if (found > 0)
		return 0;
	(void)err_set(e, ERR_IO, "%s is not installed", name);
	return packages ? err_hint(e, "install Debian's %s", packages) : -1;
}

/* ---- Its environment ------------------------------------------------------------------------ */

static bool is_same_name(const char *setting, const char *other)
{
	size_t n_bytes = strcspn(setting, "=");

	return strncmp(setting, other, n_bytes) == 0 && other[n_bytes] == '=';
}

/* Put setting, borrowed, in place of one of the same name, or behind all of them. */
static void put_setting(const char **settings, size_t *n, const char *setting)
{
	size_t i = 0;

	while (i < *n && !is_same_name(setting, settings[i]))
		i++;
	settings[i] = setting;
	*n += i == *n;
}

static size_t count(const char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

/* Ours, with what makes programs speak English and know no time zone, and then s's over it. The
 * list is the caller's, the texts are borrowed; NULL when memory is short. */
static const char **environment_new(const struct spawn *s)
{
	static const char *const plain[] = {"LC_ALL=C", "TZ=UTC", NULL};
	const char *const *ours = (const char *const *)environ;
	const size_t n_most = count(ours) + count(plain) + count(s->environment);
	const char **settings = calloc(n_most + 1, sizeof *settings);
	size_t n = 0;

	if (!settings)
		return NULL;
	for (size_t i = 0; ours && ours[i]; i++)
		put_setting(settings, &n, ours[i]);
	for (size_t i = 0; plain[i]; i++)
		put_setting(settings, &n, plain[i]);
	for (size_t i = 0; s->environment && s->environment[i]; i++)
		put_setting(settings, &n, s->environment[i]);
	return settings;
}

/* ---- What it reads and writes --------------------------------------------------------------- */

/* Its three standard descriptors. Files in memory instead of pipes: nobody waits for anybody, and
 * what it started and left behind holds nothing up. */
struct streams {
	int in;  /* owned */
	int out; /* owned */
	int err; /* owned */
};

static void streams_release(struct streams *x)
{
	closep(&x->in);
	closep(&x->out);
	closep(&x->err);
}

static int streams_init(struct streams *x, const struct spawn *s, struct err *e)
{
	x->in = s->input_path ? open(s->input_path, O_RDONLY | O_CLOEXEC)
			      : memfd_create("stdin", MFD_CLOEXEC);
	if (s->input_path && x->in < 0)
		return err_errno(e, "opening %s", s->input_path);
	x->out = memfd_create("stdout", MFD_CLOEXEC);
	x->err = memfd_create("stderr", MFD_CLOEXEC);
	if (x->in < 0 || x->out < 0 || x->err < 0)
		return err_errno(e, "making files in memory");
	return s->input_path ? 0 : fdio_pwrite(x->in, s->input.bytes, s->input.n_bytes, 0, e);
}

/* Append what was written to fd from offset_bytes on. */
static int collect(int fd, uint64_t offset_bytes, struct buf *out, struct err *e)
{
	uint8_t piece[16384];
	size_t n_bytes = sizeof piece;

	while (n_bytes == sizeof piece) {
		if (fdio_pread(fd, piece, sizeof piece, offset_bytes, &n_bytes, e) < 0)
			return -1;
		buf_append(out, piece, n_bytes);
		offset_bytes += n_bytes;
	}
	return buf_check(out, e);
}

/* The last lines of a text without empty ones, "; " between them. */
static void format_tail(char *text, struct buf *out)
{
	char *lines[TAIL_LINES];
	size_t n = 0;

	for (char *end = text + strlen(text); n < TAIL_LINES && end > text;) {
		char *newline = memrchr(text, '\n', (size_t)(end - text));
		char *line = newline ? newline + 1 : text;

		if (line[strspn(line, " \t\r\b")])
			lines[n++] = line;
		if (newline)
			*newline = '\0';
		end = newline ? newline : text;
	}
	while (n > 0) {
		buf_append_clean(out, lines[--n]);
		buf_append_text(out, n > 0 ? "; " : "");
	}
}

/* The last of what was written to fd, for the error; empty when that is nothing. */
static int tail(int fd, struct buf *out, struct err *e)
{
	CLEANUP(buf_release) struct buf text = {0};
	const char *chars = NULL;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(e, "reading what it said");
	const uint64_t size_bytes = (uint64_t)st.st_size;
	const uint64_t skipped_bytes = size_bytes > TAIL_BYTES ? size_bytes - TAIL_BYTES : 0;
	if (collect(fd, skipped_bytes, &text, e) < 0 || buf_text(&text, &chars, e) < 0)
		return -1;
	format_tail((char *)text.bytes, out);
	return buf_check(out, e);
}

/* ---- Running it ----------------------------------------------------------------------------- */

static int set_up_files(posix_spawn_file_actions_t *a, const struct spawn *s,
			const struct streams *x)
{
	int error = posix_spawn_file_actions_adddup2(a, x->in, STDIN_FILENO);

	if (error == 0)
		error = posix_spawn_file_actions_adddup2(a, x->out, STDOUT_FILENO);
	if (error == 0)
		error = posix_spawn_file_actions_adddup2(a, x->err, STDERR_FILENO);
	if (error == 0)
		error = posix_spawn_file_actions_addclosefrom_np(a, STDERR_FILENO + 1);
	if (error == 0 && s->folder)
		error = posix_spawn_file_actions_addchdir_np(a, s->folder);
	return error;
}

/* Signals as a program expects them: ours are blocked, for a descriptor to tell of them. */
static int set_up_process(posix_spawnattr_t *a, short group_flag)
{
	const short flags = (short)(group_flag | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	sigset_t none;
	sigset_t all;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	int error = posix_spawnattr_setflags(a, flags);
	if (error == 0)
		error = posix_spawnattr_setpgroup(a, 0);
	if (error == 0)
		error = posix_spawnattr_setsigmask(a, &none);
	if (error == 0)
		error = posix_spawnattr_setsigdefault(a, &all);
	return error;
}

static void destroy_actions(posix_spawn_file_actions_t *a)
{
	(void)posix_spawn_file_actions_destroy(a);
}

static void destroy_attributes(posix_spawnattr_t *a)
{
	(void)posix_spawnattr_destroy(a);
}

/* group_flag: POSIX_SPAWN_SETPGROUP for a group of its own, or 0. */
static int start(const struct spawn *s, const char *path, const struct streams *x, short group_flag,
		 pid_t *out, struct err *e)
{
	CLEANUP(freep) const char **environment = environment_new(s);
	CLEANUP(destroy_actions) posix_spawn_file_actions_t actions;
	CLEANUP(destroy_attributes) posix_spawnattr_t attributes;

	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawnattr_init(&attributes);
	if (!environment)
		return err_set(e, ERR_IO, "out of memory");
	errno = set_up_files(&actions, s, x);
	if (errno == 0)
		errno = set_up_process(&attributes, group_flag);
	/* It is declared so for callers of old: nothing is written to either list. */
	if (errno == 0)
		errno = posix_spawn(out, path, &actions, &attributes, (char *const *)s->argv,
				    (char *const *)environment);
	if (errno != 0)
		return err_errno(e, "starting %s", path);
	return 0;
}

static int reap(pid_t pid, struct err *e, int *out_status)
{
	pid_t ended = 0;

	do
		ended = waitpid(pid, out_status, 0);
	while (ended < 0 && errno == EINTR);
	return ended < 0 ? err_errno(e, "waiting for a program") : 0;
}

/* Wait for its end. When we are asked to stop, or cannot wait, it and what it started are killed:
 * whoever is asked to stop does not leave a writer behind. */
static int wait_for(pid_t pid, const struct cancel *c, int *out_status, struct err *e)
{
	CLEANUP(closep) int fd = pidfd_open(pid, 0);
	int result =
		fd < 0 ? err_errno(e, "waiting for a program") : cancel_wait_readable(c, fd, e);
	struct err ignored;

	if (result == 0)
		return reap(pid, e, out_status);
	(void)kill(-pid, SIGKILL);
	(void)reap(pid, &ignored, out_status);
	return -1;
}

/* How it ended, with the last of what it said. */
static int check_status(const char *name, int status, const struct streams *x, struct err *e)
{
	CLEANUP(buf_release) struct buf said = {0};
	const char *text = NULL;

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (tail(x->err, &said, e) < 0 || (said.n_bytes == 0 && tail(x->out, &said, e) < 0) ||
	    buf_text(&said, &text, e) < 0)
		return -1;
	const char *colon = *text ? ": " : "";
	if (WIFSIGNALED(status))
		return err_set(e, ERR_IO, "%s was ended by signal %d%s%s", name, WTERMSIG(status),
			       colon, text);
	return err_set(e, ERR_IO, "%s ended with status %d%s%s", name, WEXITSTATUS(status), colon,
		       text);
}

int spawn_run(const struct spawn *s, struct err *e)
{
	CLEANUP(streams_release) struct streams x = {-1, -1, -1};
	CLEANUP(freep) char *path = NULL;
	const char *name = s->argv[0];
	pid_t pid = 0;
	int status = 0;

	if (cancel_check(s->cancel, e) < 0 || spawn_find(name, s->packages, &path, e) < 0)
		return -1;
	if (streams_init(&x, s, e) < 0)
		return err_wrap(e, "starting %s", name);
	log_debug("starting %s %s ...", path, s->argv[1] ? s->argv[1] : "");
	if (start(s, path, &x, POSIX_SPAWN_SETPGROUP, &pid, e) < 0 ||
	    wait_for(pid, s->cancel, &status, e) < 0)
		return err_wrap(e, "running %s", name);
	if (s->output && collect(x.out, 0, s->output, e) < 0)
		return err_wrap(e, "reading what %s wrote", name);
	if (s->messages && collect(x.err, 0, s->messages, e) < 0)
		return err_wrap(e, "reading what %s said", name);
	return check_status(name, status, &x, e);
}

int spawn_start(const struct spawn *s, const int fds[3], pid_t *out_pid, struct err *e)
{
	const struct streams x = {fds[0], fds[1], fds[2]};
	CLEANUP(freep) char *path = NULL;

	if (spawn_find(s->argv[0], s->packages, &path, e) < 0)
		return -1;
	log_debug("starting %s %s ...", path, s->argv[1] ? s->argv[1] : "");
	return start(s, path, &x, 0, out_pid, e);
}
