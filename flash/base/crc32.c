/* CRC-32, lowest bit first. See crc32.h. */
#include "flash/base/crc32.h"

uint32_t crc32_of(uint32_t before, const uint8_t *bytes, size_t n_bytes)
{
	static const uint32_t polynomial = 0xedb88320;
	uint32_t crc = ~before;

	for (size_t i = 0; i < n_bytes; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
	}
	return ~crc;
}
