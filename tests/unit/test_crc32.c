/* CRC-32 against its check value. */
#include "flash/base/crc32.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const uint8_t digits[] = "123456789";

/* "check" of CRC-32/ISO-HDLC: G. Cook, Catalogue of parametrised CRC algorithms. */
static void nine_digits_give_the_check_value(void **state)
{
	(void)state;
	assert_int_equal(crc32_of(0, digits, 9), 0xcbf43926);
}

static void two_pieces_give_what_the_whole_gives(void **state)
{
	(void)state;
	assert_int_equal(crc32_of(crc32_of(0, digits, 4), digits + 4, 5), 0xcbf43926);
}

static void no_bytes_change_nothing(void **state)
{
	(void)state;
	assert_int_equal(crc32_of(0x12345678, digits, 0), 0x12345678);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nine_digits_give_the_check_value),
		cmocka_unit_test(two_pieces_give_what_the_whole_gives),
		cmocka_unit_test(no_bytes_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
