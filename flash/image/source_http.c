/* A resource of a web server as a source: libcurl, driven from read(), without a thread. See
 * source.h. */
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "flash/base/cleanup.h"
#include "flash/base/clock.h"
#include "flash/base/log.h"
#include "flash/base/units.h"
#include "flash/image/http_resource.h"
#include "flash/image/source.h"

enum {
	BUFFER_BYTES = 1 << 20, /* at least what libcurl hands over at once (CURLOPT_BUFFERSIZE) */
	TIMEOUT_DEFAULT_MS = 30000,
	TRIES_MAX = 6,       /* in a row, without a new byte */
	FIRST_WAIT_MS = 250, /* before the second try; then twice as long each time: 8 s in all */
	REDIRECTS_MAX = 5,
};

struct http_source {
	struct source base;
	struct source_ops ops;       /* what base can do with this resource */
	const struct cancel *cancel; /* borrowed */
	unsigned timeout_ms;
	char *url;         /* owned */
	char *tls_ca_path; /* owned; NULL: those of the system */
	char *name;        /* owned; the URL without user and password, for messages */
	CURLM *multi;      /* owned */
	CURL *easy;        /* owned */
	char words[CURL_ERROR_SIZE];

	struct http_resource resource;
	bool is_known;           /* resource holds what the first reply said */
	uint64_t received_bytes; /* the resource up to here was received, or is before a seek */
	uint64_t end_bytes;      /* reading ends here; SIZE_UNKNOWN: where the body does */

	/* The transfer under way. */
	bool is_running;
	bool has_reply;      /* its first body bytes wait until its headers were looked at ... */
	bool is_reply_right; /* ... and found to fit */
	bool is_paused;
	uint64_t asked_bytes;     /* it was asked for from here on ... */
	uint64_t asked_end_bytes; /* ... to here; SIZE_UNKNOWN: to the end */
	uint64_t body_bytes;      /* where the next byte of its body belongs in the resource */
	uint64_t deadline_ms;
	unsigned n_failures; /* in a row */

	uint8_t *buffer; /* owned; BUFFER_BYTES long */
	size_t start;    /* what was received and not read yet is from here ... */
	size_t end;      /* ... to here */
};

/* ---- A transfer ------------------------------------------------------------------------------ */

static size_t on_body(char *bytes, size_t unit_bytes, size_t n_units, void *context)
{
	struct http_source *h = context;
	size_t n_bytes = unit_bytes * n_units;
	size_t n_skipped = min_u64(n_bytes, h->received_bytes - h->body_bytes);

	h->has_reply = true;
	h->is_paused = !h->is_reply_right || n_bytes - n_skipped > BUFFER_BYTES - h->end;
	if (h->is_paused)
		return CURL_WRITEFUNC_PAUSE;
	memcpy(h->buffer + h->end, bytes + n_skipped, n_bytes - n_skipped);
	h->body_bytes += n_bytes;
	h->end += n_bytes - n_skipped;
	h->received_bytes += n_bytes - n_skipped;
	h->deadline_ms = clock_now_ms() + h->timeout_ms;
	if (n_bytes > n_skipped)
		h->n_failures = 0;
	return n_bytes;
}

static void stop_transfer(struct http_source *h)
{
	if (h->is_running)
		(void)curl_multi_remove_handle(h->multi, h->easy);
	h->is_running = false;
}

static int start_transfer(struct http_source *h, struct err *e)
{
	bool has_end = h->end_bytes < h->base.size_bytes;
	char range[48];

	/* RFC 9110, 14.1.2: the last byte is part of the range. */
	int n = snprintf(range, sizeof range, "%llu-", (unsigned long long)h->received_bytes);
	if (has_end)
		(void)snprintf(range + n, sizeof range - (size_t)n, "%llu",
			       (unsigned long long)h->end_bytes - 1);
	(void)curl_easy_setopt(h->easy, CURLOPT_RANGE,
			       has_end || h->received_bytes > 0 ? range : NULL);
	h->has_reply = false;
	h->is_reply_right = false;
	h->is_paused = false;
	h->asked_bytes = h->received_bytes;
	h->asked_end_bytes = h->end_bytes;
	h->body_bytes = h->received_bytes;
	h->words[0] = '\0';
	h->deadline_ms = clock_now_ms() + h->timeout_ms;
	if (curl_multi_add_handle(h->multi, h->easy) != CURLM_OK)
		return err_set(e, ERR_IO, "out of memory");
	h->is_running = true;
	return 0;
}

/* Let libcurl hand over again what it has kept back. */
static void resume(struct http_source *h)
{
	if (!h->is_paused)
		return;
	h->is_paused = false;
	/* What goes wrong here is told by the transfer's result. */
	(void)curl_easy_pause(h->easy, CURLPAUSE_CONT);
}

/* ---- Its reply ------------------------------------------------------------------------------- */

/* Borrowed from libcurl until the transfer ends; NULL when there is none. */
static const char *header(struct http_source *h, const char *name)
{
	struct curl_header *found = NULL;

	if (curl_easy_header(h->easy, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK)
		return NULL;
	return found->value;
}

static int check_reply(struct http_source *h, struct err *e)
{
	const char *encoding = header(h, "Transfer-Encoding");
	curl_off_t length = -1;
	uint64_t skip_bytes = 0;
	struct http_reply reply = {
		.is_chunked = encoding && strcasecmp(encoding, "chunked") == 0,
		.etag = header(h, "ETag"),
		.last_modified = header(h, "Last-Modified"),
		.content_range = header(h, "Content-Range"),
		.accept_ranges = header(h, "Accept-Ranges"),
	};

	(void)curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &reply.status);
	(void)curl_easy_getinfo(h->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	reply.length_bytes = length < 0 ? SIZE_UNKNOWN : (uint64_t)length;
	if (h->is_known &&
	    http_resource_check(&h->resource, &reply, h->asked_bytes, &skip_bytes, e) < 0)
		return -1;
	if (!h->is_known && http_resource_init(&h->resource, &reply, e) < 0)
		return -1;
	h->body_bytes = h->asked_bytes - skip_bytes;
	if (http_reply_is_whole(&reply))
		h->asked_end_bytes = h->resource.size_bytes;
	h->is_known = true;
	h->is_reply_right = true;
	return 0;
}

/* ---- Its end --------------------------------------------------------------------------------- */

/* Wait that long, or until we are asked to stop. */
static int wait_ms(struct http_source *h, unsigned for_ms, struct err *e)
{
	struct curl_waitfd asked = {.fd = h->cancel ? h->cancel->fd : -1,
				    .events = CURL_WAIT_POLLIN};
	unsigned n_asked = asked.fd >= 0 ? 1 : 0;

	if (curl_multi_poll(h->multi, &asked, n_asked, (int)for_ms, NULL) != CURLM_OK)
		return err_set(e, ERR_IO, "waiting for the server failed");
	return cancel_check(h->cancel, e);
}

/* The transfer broke, as *e says: make ready for another one, or leave it at that. */
static int try_again(struct http_source *h, struct err *e)
{
	stop_transfer(h);
	h->n_failures++;
	if (h->n_failures >= TRIES_MAX)
		return err_hint(e, "gave up after %d tries", TRIES_MAX);
	if (h->received_bytes > 0 && !http_resource_has_version(&h->resource))
		return err_hint(e,
				"the server names no version (ETag or Last-Modified) of the file, "
				"so that it cannot go on at byte %llu; start again",
				(unsigned long long)h->received_bytes);
	log_debug("%s: %s; trying again", h->name, e->text);
	return wait_ms(h, (unsigned)FIRST_WAIT_MS << (h->n_failures - 1), e);
}

/* What a failed transfer means. */
static int explain(struct http_source *h, CURLcode result, bool *out_is_transient, struct err *e)
{
	const char *words = h->words[0] ? h->words : curl_easy_strerror(result);
	long status = 0;

	(void)curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
	switch ((int)result) {
	case CURLE_HTTP_RETURNED_ERROR:
		return http_status_fail(status, h->is_known, out_is_transient, e);
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_SSL_CONNECT_ERROR:
		*out_is_transient = true;
		return err_set(e, ERR_IO, "%s", words);
	case CURLE_TOO_MANY_REDIRECTS:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY:
		return err_set(e, ERR_PROTOCOL, "%s", words);
	case CURLE_PEER_FAILED_VERIFICATION:
		(void)err_set(e, ERR_IO, "%s", words);
		return err_hint(e, "a private CA is given with --tls-ca");
	default:
		return err_set(e, ERR_IO, "%s", words);
	}
}

static int finish_transfer(struct http_source *h, CURLcode result, struct err *e)
{
	bool is_transient = false;

	/* A body without bytes has not been looked at yet. */
	if (result == CURLE_OK && !h->is_reply_right && check_reply(h, e) < 0)
		return -1;
	if (result != CURLE_OK) {
		(void)explain(h, result, &is_transient, e);
		return is_transient ? try_again(h, e) : -1;
	}
	if (h->asked_end_bytes != SIZE_UNKNOWN && h->body_bytes < h->asked_end_bytes) {
		(void)err_set(e, ERR_IO, "the transfer ended after %llu of %llu bytes",
			      (unsigned long long)h->body_bytes,
			      (unsigned long long)h->asked_end_bytes);
		return try_again(h, e);
	}
	stop_transfer(h);
	if (h->end_bytes == SIZE_UNKNOWN)
		h->end_bytes = h->received_bytes;
	return 0;
}

/* ---- Driving it ------------------------------------------------------------------------------ */

/* Nothing to do but to wait for the server. */
static int wait_for_server(struct http_source *h, struct err *e)
{
	uint64_t now = clock_now_ms();

	if (now < h->deadline_ms)
		return wait_ms(h, (unsigned)(h->deadline_ms - now), e);
	(void)err_set(e, ERR_IO, "the server sent nothing for %u ms", h->timeout_ms);
	return try_again(h, e);
}

/* One round: start, take what is there, look at a reply or an end, or wait. */
static int turn(struct http_source *h, struct err *e)
{
	size_t end = h->end;
	int n_running = 0;
	int n_messages = 0;

	if (!h->is_running && start_transfer(h, e) < 0)
		return -1;
	if (h->is_reply_right)
		resume(h);
	if (curl_multi_perform(h->multi, &n_running) != CURLM_OK)
		return err_set(e, ERR_IO, "out of memory");
	if (h->has_reply && !h->is_reply_right)
		return check_reply(h, e);
	const CURLMsg *message = curl_multi_info_read(h->multi, &n_messages);
	if (message && message->msg == CURLMSG_DONE)
		return finish_transfer(h, message->data.result, e);
	return h->end > end ? 0 : wait_for_server(h, e);
}

/* Of the next byte that the reader has not had. */
static uint64_t position(const struct http_source *h)
{
	return h->received_bytes - (h->end - h->start);
}

static int http_read(struct source *s, void *bytes, size_t n_bytes, size_t *out_n_bytes,
		     struct err *e)
{
	struct http_source *h = (struct http_source *)s;

	if (h->start == h->end)
		h->start = h->end = 0;
	/* The time that the reader took for itself is not the server's. */
	h->deadline_ms = clock_now_ms() + h->timeout_ms;
	while (h->start == h->end && h->received_bytes < h->end_bytes) {
		if (turn(h, e) < 0) {
			stop_transfer(h);
			return err_wrap(e, "%s", h->name);
		}
	}
	uint64_t position_bytes = position(h);
	size_t n = 0;
	if (position_bytes < h->end_bytes)
		n = min_u64(n_bytes, min_u64(h->end - h->start, h->end_bytes - position_bytes));
	memcpy(bytes, h->buffer + h->start, n);
	h->start += n;
	*out_n_bytes = n;
	return 0;
}

/* Will the transfer under way come to this byte, behind what was received, soon? */
static bool is_on_the_way(const struct http_source *h, uint64_t offset_bytes)
{
	return h->is_running && offset_bytes > h->received_bytes &&
	       offset_bytes < h->asked_end_bytes &&
	       offset_bytes - h->body_bytes <= SOURCE_GAP_MAX_BYTES;
}

static int http_seek(struct source *s, uint64_t offset_bytes, uint64_t end_bytes, struct err *e)
{
	struct http_source *h = (struct http_source *)s;
	uint64_t to_bytes = min_u64(offset_bytes, s->size_bytes);
	uint64_t buffered_from = position(h);

	(void)e;
	h->end_bytes = min_u64(end_bytes, s->size_bytes);
	if (to_bytes >= buffered_from && to_bytes <= h->received_bytes) {
		h->start += to_bytes - buffered_from;
		return 0;
	}
	if (!is_on_the_way(h, to_bytes))
		stop_transfer(h);
	h->start = h->end = 0;
	h->received_bytes = to_bytes;
	return 0;
}

static void http_free(struct source *s)
{
	struct http_source *h = (struct http_source *)s;

	stop_transfer(h);
	curl_easy_cleanup(h->easy);
	(void)curl_multi_cleanup(h->multi);
	http_resource_release(&h->resource);
	free(h->buffer);
	free(h->url);
	free(h->tls_ca_path);
	curl_free(h->name);
	free(h);
	curl_global_cleanup();
}

static void http_freep(struct http_source **h)
{
	if (*h)
		http_free((struct source *)*h);
}

/* ---- Opening --------------------------------------------------------------------------------- */

/* The URL without user and password, which no message may show. Fails with ERR_USAGE when it is no
 * URL of a web server. */
static int name_new(const char *url, char **out, bool *out_is_tls, struct err *e)
{
	CURLU *parts = curl_url();
	char *scheme = NULL;
	bool is_good = parts && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
		       curl_url_set(parts, CURLUPART_USER, NULL, 0) == CURLUE_OK &&
		       curl_url_set(parts, CURLUPART_PASSWORD, NULL, 0) == CURLUE_OK &&
		       curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
		       (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) &&
		       curl_url_get(parts, CURLUPART_URL, out, 0) == CURLUE_OK;

	*out_is_tls = is_good && strcmp(scheme, "https") == 0;
	curl_free(scheme);
	curl_url_cleanup(parts);
	if (!is_good)
		return err_set(e, ERR_USAGE, "%s is no http:// or https:// URL", url);
	return 0;
}

static bool set_options(struct http_source *h, bool is_tls)
{
	/* A transfer that began with TLS does not go on without. */
	const char *redirect_schemes = is_tls ? "https" : "http,https";
	CURL *c = h->easy;

	return curl_easy_setopt(c, CURLOPT_URL, h->url) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, redirect_schemes) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX) == CURLE_OK &&
	       /* One file comes over one connection, and its pace is that of TCP. */
	       curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_USERAGENT, "lkflash") == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_ERRORBUFFER, h->words) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)h->timeout_ms) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_BUFFERSIZE, 256L << 10) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_WRITEDATA, h) == CURLE_OK &&
	       (!h->tls_ca_path || curl_easy_setopt(c, CURLOPT_CAINFO, h->tls_ca_path) == CURLE_OK);
}

/* Ready to ask for url, which has not been done yet. */
static int http_new(const char *url, const struct source_options *o, struct http_source **out,
		    struct err *e)
{
	struct http_source *h = calloc(1, sizeof *h);
	bool is_tls = false;

	if (!h || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(h);
		return err_set(e, ERR_IO, "opening %s: out of memory", url);
	}
	CLEANUP(http_freep) struct http_source *owned = h;
	h->base.ops = &h->ops;
	h->ops = (struct source_ops){.name = "http", .read = http_read, .free = http_free};
	h->base.size_bytes = SIZE_UNKNOWN;
	h->end_bytes = SIZE_UNKNOWN;
	h->cancel = o->cancel;
	h->timeout_ms = o->http_timeout_ms ? o->http_timeout_ms : TIMEOUT_DEFAULT_MS;
	if (name_new(url, &h->name, &is_tls, e) < 0)
		return -1;
	h->url = strdup(url);
	h->tls_ca_path = o->tls_ca_path ? strdup(o->tls_ca_path) : NULL;
	h->multi = curl_multi_init();
	h->easy = curl_easy_init();
	h->buffer = malloc(BUFFER_BYTES);
	if (!h->url || (o->tls_ca_path && !h->tls_ca_path) || !h->multi || !h->easy || !h->buffer ||
	    !set_options(h, is_tls))
		return err_set(e, ERR_IO, "opening %s: out of memory", h->name);
	*out = TAKE(owned);
	return 0;
}

static int http_clone(const struct source *s, struct source **out, struct err *e)
{
	const struct http_source *h = (const struct http_source *)s;
	const struct source_options o = {
		.cancel = h->cancel,
		.tls_ca_path = h->tls_ca_path,
		.http_timeout_ms = h->timeout_ms,
	};
	CLEANUP(http_freep) struct http_source *c = NULL;

	if (http_new(h->url, &o, &c, e) < 0)
		return -1;
	if (http_resource_copy(&h->resource, &c->resource, e) < 0)
		return err_wrap(e, "opening %s", h->name);
	c->is_known = true;
	c->ops = h->ops;
	c->base.size_bytes = s->size_bytes;
	c->end_bytes = s->size_bytes;
	*out = (struct source *)TAKE(c);
	return 0;
}

/* The resource is known now, and with it what can be done with it. */
static void set_abilities(struct http_source *h)
{
	if (h->resource.size_bytes != SIZE_UNKNOWN)
		h->base.size_bytes = h->end_bytes = h->resource.size_bytes;
	/* What has no version cannot be told from its next one, which must not be mixed with it. */
	if (!http_resource_has_version(&h->resource))
		return;
	h->ops.clone = http_clone;
	if (h->resource.has_ranges && h->resource.size_bytes != SIZE_UNKNOWN)
		h->ops.seek = http_seek;
}

int source_http_open(const char *url, const struct source_options *o, struct source **out,
		     struct err *e)
{
	static const struct source_options defaults = {0};
	CLEANUP(http_freep) struct http_source *h = NULL;

	if (http_new(url, o ? o : &defaults, &h, e) < 0)
		return -1;
	/* The first reply tells the size and what the server can do. */
	while (!h->is_known) {
		if (turn(h, e) < 0)
			return err_wrap(e, "%s", h->name);
	}
	set_abilities(h);
	*out = (struct source *)TAKE(h);
	return 0;
}
