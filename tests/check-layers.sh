#!/bin/bash
# The rules of the architecture that a program can check. Each is held against the tree, and against
# a line that breaks it, so that a rule that never fires is found.
# shellcheck source-path=SCRIPTDIR/..
. tests/lib/tap.sh
requires perl gcc objdump
BUILD=${BUILD:-build/release}
plant=$TMP/plant

# holds RULE NAME: no line of the tree breaks RULE.
holds() { is "$(perl tests/lib/layers.pl "$1" .)" "" "$2"; }

# fires RULE FILE LINES...: FILE with these lines breaks RULE.
fires() {
	rm -rf "$plant"
	mkdir -p "$plant/$(dirname "$2")" "$plant/boards" "$plant/flash/base"
	printf '/* A profile. */\n#pragma once\n' >"$plant/boards/profile.h"
	printf '/* Errors. */\n#pragma once\n' >"$plant/flash/base/err.h"
	printf '%s\n' "${@:3}" >"$plant/$2"
	like "$(perl tests/lib/layers.pl "$1" "$plant")" "^$2:[0-9]+: " "$1 refuses: ${*:$#}"
}

holds downward "includes point downward"
fires downward flash/disk/a.c '#include "boards/profile.h"'
fires downward flash/base/a.c '#include "flash/disk/table.h"'
fires downward flash/sink/a.c '#include "flash/plan/plan.h"'
fires downward flash/plan/a.c '#include "flash/copy.h"'
fires downward boards/a.c '#include "flash/image/index.h"'
fires downward bootloader/a.c '#include "flash/sink/sink.h"'
fires downward provision/a.c '#include "provision/cli/options.h"'
fires downward provision/netboot/a.c '#include "provision/station/station.h"'

holds paths "includes are paths from the root"
fires paths boards/a.c '#include "profile.h"'
fires paths boards/a.c '#include "boards/missing.h"'

holds order "own header, then the system's, then ours"
fires order boards/profile.c '#include <stdio.h>' '#include "boards/profile.h"'
fires order boards/a.c '#include "boards/profile.h"' '#include "flash/base/err.h"' '#include <stdio.h>'

holds outside "each outside library has one place"
fires outside flash/image/a.c '#include <mbedtls/md.h>'
fires outside flash/trust/a.c '#include <jansson.h>'
fires outside boards/a.c '#include <cyaml/cyaml.h>'
fires outside flash/base/a.c '#include <openssl/evp.h>'

holds calls "only provision/cli prints, exits and reads the environment"
fires calls flash/base/a.c '	printf("%d", 1);'
fires calls boards/a.c '	fputs("a", stderr);'
fires calls flash/base/a.c '	if (!getenv("A"))'
fires calls flash/base/a.c '	exit(1);'
fires calls provision/cli/a.c '	return system("true");'
fires calls provision/cli/a.c '	return atoi(text);'

holds comments "files start with a comment, headers with #pragma once behind it"
fires comments boards/a.c '#include <stdio.h>'
fires comments boards/a.h '/* A board. */' '#ifndef A_H'

holds plain "no goto, no typedef of a struct"
fires plain boards/a.c '	goto out;'
fires plain boards/a.h 'typedef struct board board;'

holds chunk "struct chunk is made in one file"
fires chunk flash/sink/a.c 'struct chunk {'
fires chunk flash/plan/a.c '	sink_write(s, (struct chunk *)bytes, e);'

holds writes "only the executor, and the probe of a capacity, write to sinks"
fires writes provision/a.c '	return sink_write(s, c, e);'
fires writes flash/plan/a.c '	return sink_write(s, c, e);'
fires writes flash/plan/a.c '	return s->ops->write(s, c, e);'

holds threads "threads are made in two files"
fires threads flash/plan/a.c '	return pthread_create(&t, NULL, run, NULL);'
fires threads flash/plan/a.c '	return thread_start(&t, run, NULL, e);'

# Words for work that is not done; spelt so that this line is none.
unfinished() {
	(cd "$1" && grep -rnE '\<(TO[D]O|FIX[M]E)\>' --exclude-dir=build --exclude-dir=.git .)
}
is "$(unfinished .)" "" "nothing is left to do later"
mkdir "$TMP/words"
echo "/* TO""DO: the rest */" >"$TMP/words/a.c"
like "$(unfinished "$TMP/words")" '^./a.c:1:' "unfinished work is found"

# header_alone FILE: what gcc says about it.
header_alone() {
	gcc -std=gnu11 -D_GNU_SOURCE -I. -Wall -Wextra -Werror -fsyntax-only -include "$1" \
		-x c /dev/null 2>&1 | head -3
}
faults=$(find flash boards bootloader provision -name '*.h' | sort | while read -r header; do
	header_alone "$header"
done)
is "$faults" "" "every header compiles alone"
echo 'int use(uint8_t *bytes);' >"$TMP/words/a.h"
like "$(header_alone "$TMP/words/a.h")" 'uint8_t' "a header that needs another is found"

# mutable ARCHIVE_OR_OBJECT: its variables that can change. The sanitizers' and coverage's own do not
# count; .data.rel.ro is constant once the program runs.
mutable() {
	objdump -t "$1" | grep -E '[[:space:]](\.data|\.bss|\.tdata|\.tbss|\*COM\*)' |
		grep -v '\.data\.rel\.ro' | awk '{print $NF}' | grep -vE '^(\.|__odr_asan|__gcov|__llvm)'
}
if [ ! -f "$BUILD/liblkflash.a" ]; then
	make -s "$BUILD/liblkflash.a" >&2
fi
is "$(mutable "$BUILD/liblkflash.a")" "is_debug_on" "no state of file scope but the log level"
printf 'static int n;\nint *f(void);\nint *f(void)\n{\n\treturn &n;\n}\n' >"$TMP/words/b.c"
gcc -c -o "$TMP/words/b.o" "$TMP/words/b.c"
is "$(mutable "$TMP/words/b.o")" "n" "state of file scope is found"

finish
