/* Which kernel makes SHA-256 here, and the answers it must know. See digest_kernel.h. */
#include "flash/trust/digest_kernel.h"

#include <string.h>

#include "flash/base/log.h"
#include "flash/trust/digest_sha256.h"

enum { QUESTION_BYTES = 112 };

/* Two messages that differ, so that lanes which get mixed up are seen: NIST's example for SHA-256
 * of 896 bits, and as many letters a. Their first blocks go through both lanes, the rest through
 * one. */
static const struct {
	char text[QUESTION_BYTES + 1];
	uint8_t answer[SHA256_BYTES];
} questions[2] = {
	{"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
	 "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
	 {0xcf, 0x5b, 0x16, 0xa7, 0x78, 0xaf, 0x83, 0x80, 0x03, 0x6c, 0xe5,
	  0x9e, 0x7b, 0x04, 0x92, 0x37, 0x0b, 0x24, 0x9b, 0x11, 0xe8, 0xf0,
	  0x7a, 0x51, 0xaf, 0xac, 0x45, 0x03, 0x7a, 0xfe, 0xe9, 0xd1}},
	{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	 {0xf5, 0x43, 0x53, 0x00, 0x8a, 0x25, 0x53, 0x26, 0x2e, 0xcd, 0xc4,
	  0xa3, 0x47, 0x49, 0x56, 0x3b, 0xa0, 0x95, 0x0e, 0x8b, 0x0f, 0xc8,
	  0x65, 0x27, 0x80, 0xb0, 0xa6, 0x14, 0xb9, 0x96, 0x83, 0xc1}},
};

static const struct digest_kernel *const built_in[] = {
#ifdef DIGEST_HAS_SHA_NI
	&digest_sha_ni,
#endif
#ifdef DIGEST_HAS_ARMV8
	&digest_armv8,
#endif
	NULL,
};

const struct digest_kernel *const *digest_kernels(void)
{
	return built_in;
}

static bool knows_answers(const struct digest_kernel *kernel)
{
	const struct digest_piece pieces[2] = {
		{questions[0].text, QUESTION_BYTES},
		{questions[1].text, QUESTION_BYTES},
	};
	uint8_t out[2][SHA256_BYTES];

	sha256_many(kernel, pieces, 2, out);
	return memcmp(out[0], questions[0].answer, SHA256_BYTES) == 0 &&
	       memcmp(out[1], questions[1].answer, SHA256_BYTES) == 0;
}

const struct digest_kernel *digest_kernel_pick(const struct digest_kernel *const *list)
{
	for (; *list; list++) {
		if (!(*list)->is_supported())
			continue;
		if (knows_answers(*list))
			return *list;
		log_debug("SHA-256 by %s gives wrong answers on this machine: not used",
			  (*list)->name);
	}
	return NULL;
}
