/* What a web server says of a resource, and whether a later answer is about the same one, so that
 * two versions are never glued together. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flash/base/err.h"

struct http_reply {
	long status;
	bool is_chunked;       /* the body tells its end by itself */
	uint64_t length_bytes; /* of the body; SIZE_UNKNOWN when the server does not say */
	const char *etag;      /* borrowed, as all below; NULL when the server does not say */
	const char *last_modified;
	const char *content_range;
	const char *accept_ranges;
};

struct http_resource {
	uint64_t size_bytes; /* SIZE_UNKNOWN when the server does not say */
	char *etag;          /* owned; NULL when the server does not say */
	char *last_modified; /* owned; NULL when the server does not say */
	bool has_ranges;
};

/* Fill the zeroed *r from the reply to a request for all of it. Fails with ERR_PROTOCOL when the
 * reply is anything else than 200, or has neither length nor another end than that of the
 * connection, by which a broken transfer would look like a complete one. */
int http_resource_init(struct http_resource *r, const struct http_reply *reply, struct err *e);
void http_resource_release(struct http_resource *r);

/* Fill the zeroed *out with copies of what r holds. Fails with ERR_IO when there is no memory. */
int http_resource_copy(const struct http_resource *r, struct http_resource *out, struct err *e);

/* Does r have something by which a changed resource is told: a date, or an ETag that stands for
 * exactly these bytes (not a weak one)? */
bool http_resource_has_version(const struct http_resource *r);

/* Is this, the reply to a request for r from offset_bytes on, about the same resource? Of its body,
 * *out_skip_bytes come before what was asked for: a server may send everything. Fails with
 * ERR_PROTOCOL when the resource changed or the reply is not what was asked for. */
int http_resource_check(const struct http_resource *r, const struct http_reply *reply,
			uint64_t offset_bytes, uint64_t *out_skip_bytes, struct err *e);

/* Does the body run to the end of the resource, whatever range was asked for? */
bool http_reply_is_whole(const struct http_reply *reply);

/* What a status of 400 or above means: ERR_IO, or ERR_PROTOCOL when a resource of which something
 * was received already (is_known) has become shorter. *out_is_transient: the server may get over
 * it. Returns -1. */
int http_status_fail(long status, bool is_known, bool *out_is_transient, struct err *e);
