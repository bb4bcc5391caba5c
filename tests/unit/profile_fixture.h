/* Profiles as text: parsed, or refused. */
#pragma once

#include "boards/profile.h"

/* The profile, the caller's; the test fails when it is refused. */
struct board *profile_parse(const char *yaml);

/* It must be refused with ERR_USAGE and text; its name is a.yaml. */
void profile_refuses(const char *yaml, const char *text);
