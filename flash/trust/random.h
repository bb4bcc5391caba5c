/* Random bytes from the kernel, in the shape that mbedTLS asks for. No state of our own: nothing to
 * seed, and nothing that a fork could duplicate. */
#pragma once

#include <stddef.h>

/* Fill out. unused is mbedTLS's context pointer. 0, or -1 when the kernel has none to give. */
int random_fill(void *unused, unsigned char *out, size_t n_bytes);
