/* A bad disk: one file, mounted over an existing one, for a loop device with direct I/O.
 *
 *	fuse_disk --size SIZE [options] FILE
 *	--store PATH    what is on the disk, kept there; else in memory, zeros at first
 *	--real SIZE     it has so much only: what is written behind that lands at its start again
 *	--journal PATH  a line there for each `write OFFSET SIZE`, `zero OFFSET SIZE` and `flush` in
 *	                their order; what was written comes one after the other in PATH.data
 *	--no-zeroing    it cannot zero ranges
 *	--rate SIZE     so many bytes a second, one request after the other
 *	--fault FAULT   what it does wrong (fault.h); up to N_FAULTS_MAX times
 *
 * It goes on until FILE is unmounted or it is told to end; then what was not answered fails.
 * Requests are done one after the other in the order in which they come, unless they are held. */
#define FUSE_USE_VERSION 35
#include <errno.h>
#include <fuse3/fuse_lowlevel.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#include "flash/base/cleanup.h"
#include "tests/lib/disk_store.h"
#include "tests/lib/fault.h"

enum {
	N_FAULTS_MAX = 16,
	HELD_POLL_NS = 5000000, /* how often `until` is looked for */
	BLOCK_BYTES = 4096,
};

/* A request that came. */
struct job {
	fuse_req_t from;
	struct request request;
	bool is_hit[N_FAULTS_MAX];
	uint8_t *bytes; /* owned; what is written, or room for what is read */
	uint64_t due_ns;
	struct job *next; /* owned */
};

struct disk {
	struct disk_store store;
	bool has_no_zeroing;
	uint64_t rate_bytes; /* a second; 0: as fast as it can */
	struct fault faults[N_FAULTS_MAX];
	size_t n_faults;
	const char *store_path, *journal_path; /* borrowed; NULL: none */
	uint64_t busy_until_ns;
	struct job *held; /* owned; in the order in which they came */
};

static uint64_t now_ns(void)
{
	struct timespec t = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void job_free(struct job *j)
{
	if (j)
		free(j->bytes);
	free(j);
}

static void disk_release(struct disk *d)
{
	while (d->held) {
		struct job *j = d->held;
		d->held = j->next;
		job_free(j);
	}
	disk_store_release(&d->store);
}

/* ---- Doing a request ---------------------------------------------------------------------------
 */

static void change(const struct disk *d, const struct job *j, const uint8_t *kept)
{
	for (size_t i = 0; i < d->n_faults; i++)
		if (j->is_hit[i])
			fault_change(&d->faults[i], &j->request, j->bytes, kept);
}

static void do_write(const struct disk *d, struct job *j)
{
	CLEANUP(freep) uint8_t *kept = malloc((size_t)j->request.size_bytes);

	if (!kept || !disk_store_note(&d->store, &j->request, j->bytes)) {
		(void)fuse_reply_err(j->from, EIO);
		return;
	}
	disk_store_copy(&d->store, &j->request, kept, false);
	change(d, j, kept);
	disk_store_copy(&d->store, &j->request, j->bytes, true);
	if (j->request.kind == REQUEST_ZERO)
		(void)fuse_reply_err(j->from, 0);
	else
		(void)fuse_reply_write(j->from, (size_t)j->request.size_bytes);
}

static void do_read(const struct disk *d, struct job *j)
{
	disk_store_copy(&d->store, &j->request, j->bytes, false);
	change(d, j, j->bytes);
	(void)fuse_reply_buf(j->from, (const char *)j->bytes, (size_t)j->request.size_bytes);
}

static void do_flush(const struct disk *d, struct job *j)
{
	(void)fuse_reply_err(j->from, disk_store_note(&d->store, &j->request, j->bytes) ? 0 : EIO);
}

static void do_job(const struct disk *d, struct job *j)
{
	static void (*const kinds[])(const struct disk *, struct job *) = {
		[REQUEST_READ] = do_read,
		[REQUEST_WRITE] = do_write,
		[REQUEST_ZERO] = do_write,
		[REQUEST_FLUSH] = do_flush,
	};

	for (size_t i = 0; i < d->n_faults; i++) {
		if (j->is_hit[i] && d->faults[i].kind == FAULT_FAIL) {
			(void)fuse_reply_err(j->from, EIO);
			return;
		}
	}
	kinds[j->request.kind](d, j);
}

/* ---- Requests that wait ------------------------------------------------------------------------
 */

static bool is_held(const struct disk *d, const struct job *j)
{
	if (j->due_ns > now_ns())
		return true;
	for (size_t i = 0; i < d->n_faults; i++) {
		const char *until_path = d->faults[i].until_path;
		if (j->is_hit[i] && until_path && access(until_path, F_OK) < 0)
			return true;
	}
	return false;
}

static void do_due(struct disk *d)
{
	struct job **place = &d->held;

	while (*place) {
		struct job *j = *place;
		if (is_held(d, j)) {
			place = &j->next;
			continue;
		}
		*place = j->next;
		do_job(d, j);
		job_free(j);
	}
}

/* What is wrong with j, and when it is its turn. */
static void judge(struct disk *d, struct job *j)
{
	j->due_ns = now_ns();
	if (d->rate_bytes) {
		j->due_ns = max_u64(j->due_ns, d->busy_until_ns) +
			    j->request.size_bytes * 1000000000 / d->rate_bytes;
		d->busy_until_ns = j->due_ns;
	}
	for (size_t i = 0; i < d->n_faults; i++) {
		j->is_hit[i] = fault_hits(&d->faults[i], &j->request);
		if (j->is_hit[i])
			j->due_ns += d->faults[i].hold_ms * 1000000;
	}
}

/* bytes: what is written; NULL: nothing, or zeros. */
static void arrive(fuse_req_t from, struct request request, const void *bytes)
{
	struct disk *d = fuse_req_userdata(from);
	struct job *j = calloc(1, sizeof *j);
	struct job **last = &d->held;

	if (j)
		j->bytes = calloc(1, (size_t)request.size_bytes + 1);
	if (!j || !j->bytes) {
		job_free(j);
		(void)fuse_reply_err(from, ENOMEM);
		return;
	}
	if (bytes)
		memcpy(j->bytes, bytes, (size_t)request.size_bytes);
	j->from = from;
	j->request = request;
	judge(d, j);
	while (*last)
		last = &(*last)->next;
	*last = j;
	do_due(d);
}

/* ---- What the kernel asks for ------------------------------------------------------------------
 */

static void on_getattr(fuse_req_t from, fuse_ino_t inode, struct fuse_file_info *fi)
{
	const struct disk *d = fuse_req_userdata(from);
	const struct stat st = {
		.st_ino = inode,
		.st_mode = S_IFREG | 0600,
		.st_nlink = 1,
		.st_size = (off_t)d->store.size_bytes,
		.st_blksize = BLOCK_BYTES,
	};

	(void)fi;
	(void)fuse_reply_attr(from, &st, 1);
}

/* The loop device asks for the block size, to know what can be zeroed. */
static void on_statfs(fuse_req_t from, fuse_ino_t inode)
{
	const struct statvfs st = {.f_bsize = BLOCK_BYTES, .f_frsize = BLOCK_BYTES};

	(void)inode;
	(void)fuse_reply_statfs(from, &st);
}

static void on_open(fuse_req_t from, fuse_ino_t inode, struct fuse_file_info *fi)
{
	(void)inode;
	fi->direct_io = 1;
	(void)fuse_reply_open(from, fi);
}

/* How many of n bytes at offset are on the disk. */
static uint64_t bytes_there(const struct disk *d, off_t offset, uint64_t n)
{
	uint64_t offset_bytes = min_u64((uint64_t)offset, d->store.size_bytes);

	return min_u64(n, d->store.size_bytes - offset_bytes);
}

static void on_read(fuse_req_t from, fuse_ino_t inode, size_t n, off_t offset,
		    struct fuse_file_info *fi)
{
	uint64_t n_there = bytes_there(fuse_req_userdata(from), offset, n);

	(void)inode;
	(void)fi;
	arrive(from, (struct request){REQUEST_READ, (uint64_t)offset, n_there}, NULL);
}

static void on_write(fuse_req_t from, fuse_ino_t inode, const char *bytes, size_t n, off_t offset,
		     struct fuse_file_info *fi)
{
	(void)inode;
	(void)fi;
	if (bytes_there(fuse_req_userdata(from), offset, n) == n)
		arrive(from, (struct request){REQUEST_WRITE, (uint64_t)offset, n}, bytes);
	else
		(void)fuse_reply_err(from, ENOSPC);
}

static void on_fsync(fuse_req_t from, fuse_ino_t inode, int is_data_only, struct fuse_file_info *fi)
{
	(void)inode;
	(void)is_data_only;
	(void)fi;
	arrive(from, (struct request){REQUEST_FLUSH, 0, 0}, NULL);
}

static void on_fallocate(fuse_req_t from, fuse_ino_t inode, int mode, off_t offset, off_t length,
			 struct fuse_file_info *fi)
{
	const struct disk *d = fuse_req_userdata(from);
	uint64_t n = (uint64_t)length;

	(void)inode;
	(void)fi;
	if (d->has_no_zeroing || !(mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)))
		(void)fuse_reply_err(from, EOPNOTSUPP);
	else if (bytes_there(d, offset, n) != n)
		(void)fuse_reply_err(from, ENOSPC);
	else
		arrive(from, (struct request){REQUEST_ZERO, (uint64_t)offset, n}, NULL);
}

static const struct fuse_lowlevel_ops operations = {
	.getattr = on_getattr,
	.statfs = on_statfs,
	.open = on_open,
	.read = on_read,
	.write = on_write,
	.fsync = on_fsync,
	.fallocate = on_fallocate,
};

/* ---- Program -----------------------------------------------------------------------------------
 */

/* How long until the first that waits is due, or its file is looked for again. */
static struct timespec next_look(const struct disk *d)
{
	uint64_t now = now_ns();
	uint64_t wait_ns = HELD_POLL_NS;

	if (d->held->due_ns > now)
		wait_ns = min_u64(d->held->due_ns - now, HELD_POLL_NS);
	return (struct timespec){.tv_nsec = (long)wait_ns};
}

/* Signals that end it come while it waits, and at no other time: one that came just before would
 * let it wait for ever. */
static void serve(struct disk *d, struct fuse_session *se)
{
	struct pollfd p = {.fd = fuse_session_fd(se), .events = POLLIN};
	struct fuse_buf request = {0};
	sigset_t all;
	sigset_t none;
	int n = 0;

	(void)sigfillset(&all);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	while (!fuse_session_exited(se)) {
		struct timespec wait = d->held ? next_look(d) : (struct timespec){0};
		n = ppoll(&p, 1, d->held ? &wait : NULL, &none);
		do_due(d);
		if (n <= 0)
			continue;
		n = fuse_session_receive_buf(se, &request);
		if (n > 0)
			fuse_session_process_buf(se, &request);
		else if (n != -EINTR && n != -EAGAIN)
			break;
	}
	free(request.mem);
}

static void session_freep(struct fuse_session **se)
{
	if (*se)
		fuse_session_destroy(*se);
}

static int run(struct disk *d, char *program, const char *where, struct err *e)
{
	struct fuse_args args = {.argc = 1, .argv = (char *[]){program, NULL}};
	CLEANUP(session_freep) struct fuse_session *se = NULL;

	if (disk_store_open(&d->store, d->store_path, d->journal_path, e) < 0)
		return -1;
	se = fuse_session_new(&args, &operations, sizeof operations, d);
	fuse_opt_free_args(&args); /* libfuse has put its own copy there */
	if (!se || fuse_set_signal_handlers(se) != 0 || fuse_session_mount(se, where) != 0 ||
	    fcntl(fuse_session_fd(se), F_SETFL, O_NONBLOCK) < 0)
		return err_set(e, ERR_IO, "mounting %s", where);
	serve(d, se);
	fuse_session_unmount(se);
	return 0;
}

static int add_fault(struct disk *d, char *text, struct err *e)
{
	if (d->n_faults == N_FAULTS_MAX)
		return err_set(e, ERR_USAGE, "more than %d faults", N_FAULTS_MAX);
	return fault_parse(text, &d->faults[d->n_faults++], e);
}

static int set_option(struct disk *d, int option, char *text, struct err *e)
{
	bool is_good = true;

	switch (option) {
	case 's':
		is_good = parse_size(text, &d->store.size_bytes);
		break;
	case 'w':
		is_good = parse_size(text, &d->store.real_bytes);
		break;
	case 'r':
		is_good = parse_size(text, &d->rate_bytes);
		break;
	case 'z':
		d->has_no_zeroing = true;
		break;
	case 'S':
		d->store_path = text;
		break;
	case 'j':
		d->journal_path = text;
		break;
	case 'f':
		return add_fault(d, text, e);
	default:
		is_good = false;
	}
	return is_good ? 0 : err_set(e, ERR_USAGE, "the options are in tests/lib/fuse_disk.c");
}

static int parse_arguments(int argc, char **argv, struct disk *d, struct err *e)
{
	static const struct option names[] = {
		{"size", required_argument, NULL, 's'},  {"real", required_argument, NULL, 'w'},
		{"store", required_argument, NULL, 'S'}, {"journal", required_argument, NULL, 'j'},
		{"no-zeroing", no_argument, NULL, 'z'},  {"rate", required_argument, NULL, 'r'},
		{"fault", required_argument, NULL, 'f'}, {0},
	};
	int c = 0;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1)
		if (set_option(d, c, optarg, e) < 0)
			return -1;
	if (d->store.size_bytes == 0 || optind + 1 != argc)
		return err_set(e, ERR_USAGE, "usage: fuse_disk --size SIZE [options] FILE");
	if (d->store.real_bytes == 0)
		d->store.real_bytes = d->store.size_bytes;
	return 0;
}

int main(int argc, char **argv)
{
	CLEANUP(disk_release) struct disk d = {0};
	struct err e = {0};

	if (parse_arguments(argc, argv, &d, &e) == 0 && run(&d, argv[0], argv[optind], &e) == 0)
		return 0;
	(void)fprintf(stderr, "fuse_disk: %s\n", e.text);
	return (int)e.code;
}
