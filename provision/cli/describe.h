/* A target in words: what it is and what is on it. Pure. */
#pragma once

#include "flash/base/buf.h"
#include "flash/disk/facts.h"
#include "flash/disk/probe.h"

/* Append "SanDisk Ultra, 14.9 GiB, serial 4C53, usb" without an end of line. */
void describe_target(const struct facts *f, struct buf *out);

/* Append "gpt, vfat \"BOOT\", ext4 \"root\"", or "nothing that is known". */
void describe_content(const struct signatures *s, struct buf *out);
