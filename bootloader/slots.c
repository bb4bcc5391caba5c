/* What boot loaders keep of slots. See slots.h. */
#include "bootloader/slots.h"

void slots_append_state(struct buf *out)
{
	buf_printf(out, "first=a\nleft_a=%d\nleft_b=good\n", SLOT_STARTS);
}
