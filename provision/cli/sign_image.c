/* A signed manifest beside an image. See sign_image.h. */
#include "provision/cli/sign_image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flash/base/cleanup.h"
#include "flash/base/fdio.h"
#include "provision/cli/survey_options.h"

int sign_survey(const struct seal_options *so, struct survey **out, struct err *e)
{
	struct survey_options survey = {
		.o = so->o, .listener = so->listener, .is_packed_refused = true};

	return survey_options_run(&survey, out, e);
}

int sign_save(const struct seal_options *so, const char *path, const struct buf *bytes,
	      const char *what, struct err *e)
{
	if (fdio_save(path, bytes->bytes, bytes->n_bytes, 0644, e) < 0)
		return -1;
	return seal_options_tell(so, EVENT_DONE, what, path, e);
}

int sign_choose_path(const struct options *o, char **out, struct err *e)
{
	const char *where = o->operands[0];
	char *path = NULL;

	if (!o->out_path && (strcmp(where, "-") == 0 || strstr(where, "://")))
		return err_set(e, ERR_USAGE, "--out FILE is needed: there is no place beside %s",
			       where);
	if ((o->out_path ? asprintf(&path, "%s", o->out_path) : asprintf(&path, "%s.lkm", where)) <
	    0)
		return err_errno(e, "%s", where);
	*out = path;
	return 0;
}

int sign_image(const struct seal_options *so, struct err *e)
{
	CLEANUP(freep) char *path = NULL;
	CLEANUP(survey_freep) struct survey *s = NULL;
	CLEANUP(buf_release) struct buf sections = {0};

	if (sign_choose_path(so->o, &path, e) < 0 || sign_survey(so, &s, e) < 0 ||
	    seal_options_sign(so, s, &sections, e) < 0)
		return -1;
	return sign_save(so, path, &sections, "signed manifest in ", e);
}
