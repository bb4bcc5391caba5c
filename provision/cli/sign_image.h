/* A signed manifest for a raw image, in a file beside it. What sign and build do. */
#pragma once

#include "flash/base/err.h"
#include "provision/cli/seal_options.h"

/* The image is the first operand of so->o, the result its --out, else IMAGE.lkm. so was loaded with
 * keys. Fails with the codes of survey_options_run and seal_options_sign; ERR_USAGE when there is
 * no place for the result. */
int sign_image(const struct seal_options *so, struct err *e);

/* The image, read once, into *out, the caller's. Fails with the codes of survey_options_run, and
 * with ERR_USAGE for one that is signed and packed already. */
int sign_survey(const struct seal_options *so, struct survey **out, struct err *e);

/* The path where the result goes into *out, the caller's. Fails with ERR_USAGE when there is no
 * place for it beside the image. */
int sign_choose_path(const struct options *o, char **out, struct err *e);

/* Put bytes into the file at path, which has them whole or not at all, and tell so: "what path".
 * Fails with ERR_IO, and with ERR_USAGE for a path that is no regular file. */
int sign_save(const struct seal_options *so, const char *path, const struct buf *bytes,
	      const char *what, struct err *e);
