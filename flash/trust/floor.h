/* What must never go back, kept in the state folder: the lowest acceptable security version of each
 * rollback group, and the latest time that a verified manifest proved. */
#pragma once

#include <stdint.h>

#include "flash/base/err.h"

/* Can floors be raised in folder? Makes it, for its owner only, where it is missing: to be asked
 * before work that will raise one. Fails with ERR_IO, or with ERR_USAGE when something else is in
 * its place. */
int floor_check_folder(const char *folder, struct err *e);

/* The floor of group in folder; 0 when none is kept. Fails with ERR_IO when the file cannot be read
 * and with ERR_REFUSED when it does not hold a number (it is never guessed) or group is no name. */
int floor_security_version(const char *folder, const char *group, uint64_t *out, struct err *e);

/* Raise the floor of group to version, atomically and durably; a higher floor stays as it is. The
 * folder is made where it is missing, for its owner only. Fails with ERR_IO, with ERR_USAGE
 * when something else is in its place, and with ERR_REFUSED when group is no name or what is kept
 * is not a number. */
int floor_raise_security_version(const char *folder, const char *group, uint64_t version,
				 struct err *e);

/* The clock's floor, seconds since 1970, in the same way. */
int floor_clock(const char *folder, uint64_t *out_s, struct err *e);
int floor_raise_clock(const char *folder, uint64_t time_s, struct err *e);
