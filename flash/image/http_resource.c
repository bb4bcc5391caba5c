/* Replies about one resource, held against each other. See http_resource.h. */
#include "flash/image/http_resource.h"

#include <stdlib.h>
#include <string.h>

#include "flash/base/parse.h"
#include "flash/base/units.h"

/* RFC 9110, 15; RFC 6585, 4. */
enum {
	HTTP_OK = 200,
	HTTP_PARTIAL_CONTENT = 206,
	HTTP_UNAUTHORIZED = 401,
	HTTP_FORBIDDEN = 403,
	HTTP_NOT_FOUND = 404,
	HTTP_REQUEST_TIMEOUT = 408,
	HTTP_GONE = 410,
	HTTP_RANGE_NOT_SATISFIABLE = 416,
	HTTP_TOO_MANY_REQUESTS = 429,
	HTTP_SERVER_ERRORS = 500, /* and above */
};

/* A copy of text, which may be NULL. */
static int keep(char **out, const char *text, struct err *e)
{
	if (!text)
		return 0;
	*out = strdup(text);
	return *out ? 0 : err_set(e, ERR_IO, "out of memory");
}

int http_resource_init(struct http_resource *r, const struct http_reply *reply, struct err *e)
{
	if (reply->status != HTTP_OK)
		return err_set(e, ERR_PROTOCOL, "the server answers %ld, not %d", reply->status,
			       HTTP_OK);
	if (reply->length_bytes == SIZE_UNKNOWN && !reply->is_chunked)
		return err_set(e, ERR_PROTOCOL,
			       "the server does not say how many bytes it sends, so that a broken "
			       "transfer would look complete; use one that sends Content-Length");
	if (keep(&r->etag, reply->etag, e) < 0 ||
	    keep(&r->last_modified, reply->last_modified, e) < 0)
		return -1;
	r->size_bytes = reply->length_bytes;
	r->has_ranges = reply->accept_ranges && strcmp(reply->accept_ranges, "bytes") == 0;
	return 0;
}

void http_resource_release(struct http_resource *r)
{
	free(r->etag);
	free(r->last_modified);
	*r = (struct http_resource){0};
}

int http_resource_copy(const struct http_resource *r, struct http_resource *out, struct err *e)
{
	if (keep(&out->etag, r->etag, e) < 0 || keep(&out->last_modified, r->last_modified, e) < 0)
		return -1;
	out->size_bytes = r->size_bytes;
	out->has_ranges = r->has_ranges;
	return 0;
}

bool http_resource_has_version(const struct http_resource *r)
{
	return r->last_modified || (r->etag && strncmp(r->etag, "W/", 2) != 0);
}

static bool is_same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* The number that *text begins with, up to the first end_char, behind which *text points then. */
static bool take_number(const char **text, char end_char, uint64_t *out)
{
	char digits[24] = "";
	const char *end = strchr(*text, end_char);

	if (!end || (size_t)(end - *text) >= sizeof digits)
		return false;
	memcpy(digits, *text, (size_t)(end - *text));
	*text = end_char ? end + 1 : end;
	return parse_u64(digits, out);
}

/* RFC 9110, 14.4: "bytes 5-9/10" is from byte 5 on, of 10. */
static bool parse_content_range(const char *text, uint64_t *out_from, uint64_t *out_total)
{
	static const char unit[] = "bytes ";
	uint64_t last = 0;

	if (!text || strncmp(text, unit, strlen(unit)) != 0)
		return false;
	text += strlen(unit);
	return take_number(&text, '-', out_from) && take_number(&text, '/', &last) &&
	       take_number(&text, '\0', out_total) && *out_from <= last && last < *out_total;
}

static int changed(struct err *e)
{
	return err_set(e, ERR_PROTOCOL,
		       "the file on the server changed during the transfer; start again");
}

static int check_part(const struct http_resource *r, const struct http_reply *reply,
		      uint64_t offset_bytes, struct err *e)
{
	uint64_t from_bytes = 0;
	uint64_t total_bytes = 0;

	if (!parse_content_range(reply->content_range, &from_bytes, &total_bytes) ||
	    from_bytes != offset_bytes)
		return err_set(
			e, ERR_PROTOCOL,
			"asked for the bytes from %llu on, the server sends the range \"%s\"",
			(unsigned long long)offset_bytes,
			reply->content_range ? reply->content_range : "");
	return r->size_bytes != SIZE_UNKNOWN && r->size_bytes != total_bytes ? changed(e) : 0;
}

int http_resource_check(const struct http_resource *r, const struct http_reply *reply,
			uint64_t offset_bytes, uint64_t *out_skip_bytes, struct err *e)
{
	if (reply->status != HTTP_OK && reply->status != HTTP_PARTIAL_CONTENT)
		return err_set(e, ERR_PROTOCOL, "the server answers %ld, not %d or %d",
			       reply->status, HTTP_OK, HTTP_PARTIAL_CONTENT);
	if (!is_same(r->etag, reply->etag) || !is_same(r->last_modified, reply->last_modified))
		return changed(e);
	if (reply->status == HTTP_PARTIAL_CONTENT) {
		if (check_part(r, reply, offset_bytes, e) < 0)
			return -1;
		*out_skip_bytes = 0;
		return 0;
	}
	if (r->size_bytes != reply->length_bytes)
		return changed(e);
	*out_skip_bytes = offset_bytes;
	return 0;
}

bool http_reply_is_whole(const struct http_reply *reply)
{
	return reply->status == HTTP_OK;
}

int http_status_fail(long status, bool is_known, bool *out_is_transient, struct err *e)
{
	*out_is_transient = status == HTTP_REQUEST_TIMEOUT || status == HTTP_TOO_MANY_REQUESTS ||
			    status >= HTTP_SERVER_ERRORS;
	if (status == HTTP_RANGE_NOT_SATISFIABLE && is_known)
		return changed(e);
	if (status == HTTP_NOT_FOUND || status == HTTP_GONE)
		return err_set(e, ERR_IO, "there is no such file on the server (%ld)", status);
	if (status == HTTP_UNAUTHORIZED || status == HTTP_FORBIDDEN)
		return err_set(e, ERR_IO, "the server denies access (%ld)", status);
	return err_set(e, ERR_IO, "the server answers %ld", status);
}
