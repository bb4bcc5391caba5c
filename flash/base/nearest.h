/* Which known word was probably meant. Pure. */
#pragma once

#include <stddef.h>

/* The number of letters to insert, drop, change or swap with a neighbour to make b of a. Words of
 * more than 31 letters are far from everything. */
size_t nearest_distance(const char *a, const char *b);

/* Of two words, candidate and best (may be NULL), the one that word is nearer to, or NULL when
 * neither is near: at most one letter of three may be wrong. */
const char *nearest_of(const char *word, const char *candidate, const char *best);
