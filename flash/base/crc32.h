/* The CRC-32 of Ethernet and zlib, which a GPT (UEFI 2.10, 5.3.2) and U-Boot's images have. For
 * headers: it goes bit by bit. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Of n_bytes that follow those whose CRC is before; 0 where none do. */
uint32_t crc32_of(uint32_t before, const uint8_t *bytes, size_t n_bytes);
