/* Which targets are probed for a capacity that they do not have. */
#include "provision/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct facts disk(const char *transport, bool is_removable, bool is_hotplug)
{
	return (struct facts){
		.kind = TARGET_BLOCK,
		.transport = (char *)(uintptr_t)transport,
		.is_removable = is_removable,
		.is_hotplug = is_hotplug,
	};
}

static void card_in_a_reader_is_probed(void **state)
{
	const struct facts f = disk("usb", true, true);

	(void)state;
	assert_true(target_is_probed(&f, CAPACITY_PROBE_AUTO));
}

static void card_in_a_slot_is_probed(void **state)
{
	const struct facts f = disk("mmc", false, true);

	(void)state;
	assert_true(target_is_probed(&f, CAPACITY_PROBE_AUTO));
}

static void fixed_disk_is_not_probed(void **state)
{
	const struct facts f = disk("nvme", false, false);

	(void)state;
	assert_false(target_is_probed(&f, CAPACITY_PROBE_AUTO));
}

static void devices_that_the_machine_makes_are_not_probed(void **state)
{
	const struct facts loop = disk("loop", false, true);
	const struct facts nbd = disk("nbd", false, true);
	const struct facts zram = disk("zram", false, true);

	(void)state;
	assert_false(target_is_probed(&loop, CAPACITY_PROBE_AUTO));
	assert_false(target_is_probed(&nbd, CAPACITY_PROBE_AUTO));
	assert_false(target_is_probed(&zram, CAPACITY_PROBE_AUTO));
}

static void file_is_not_probed(void **state)
{
	struct facts f = disk("", false, false);

	(void)state;
	f.kind = TARGET_FILE;
	assert_false(target_is_probed(&f, CAPACITY_PROBE_AUTO));
}

static void everything_is_probed_when_asked_for(void **state)
{
	const struct facts f = disk("loop", false, true);

	(void)state;
	assert_true(target_is_probed(&f, CAPACITY_PROBE_ALWAYS));
}

static void nothing_is_probed_when_asked_for(void **state)
{
	const struct facts f = disk("usb", true, true);

	(void)state;
	assert_false(target_is_probed(&f, CAPACITY_PROBE_NEVER));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(card_in_a_reader_is_probed),
		cmocka_unit_test(card_in_a_slot_is_probed),
		cmocka_unit_test(fixed_disk_is_not_probed),
		cmocka_unit_test(devices_that_the_machine_makes_are_not_probed),
		cmocka_unit_test(file_is_not_probed),
		cmocka_unit_test(everything_is_probed_when_asked_for),
		cmocka_unit_test(nothing_is_probed_when_asked_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
