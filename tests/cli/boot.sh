#!/bin/bash
# lkflash boot: how a machine is started and ended, and what is told of it. QEMU is a script here; real
# machines are in tests/qemu.
. tests/lib/tap.sh

mkdir -p "$TMP/bin" "$TMP/boards" "$TMP/firmware"
IMAGE=$TMP/image.raw
head -c 3000000 /dev/urandom >"$IMAGE"
echo "variables of a new machine" >"$TMP/vars.fd"
echo "U-Boot" >"$TMP/firmware/u-boot.bin"
cat >"$TMP/bin/qemu-system-acme" <<-'END'
	#!/bin/bash
	printf '%s\n' "$@" >"$ARGS"
	. "$SCRIPT"
END
chmod +x "$TMP/bin/qemu-system-acme"
export PATH=$TMP/bin:$PATH ARGS=$TMP/args SCRIPT=$TMP/script TMPDIR=$TMP/scratch
mkdir "$TMPDIR"

# board ID [line of the section qemu]...
board() {
	cat >"$TMP/boards/$1.yaml" <<-END
		id: $1
		name: a machine
		arch: arm64
		boot: by itself
		tested: layout
		table: any
		firmware:
		  - {file: u-boot.bin, source: acme}
		qemu:
		  program: qemu-system-acme
		  package: qemu-system-misc
		  arguments: ["-bios", "{firmware:u-boot.bin}", "-vars", "{copy:$TMP/vars.fd}", "-drive", "{drive},if=sd"]
		$(printf '  %s\n' "${@:2}")
	END
}
board acme 'console: 1'
board acme-card 'console: 0' 'power_of_two: yes'

# boot BOARD [options]; see machine_does.
boot() {
	run timeout 60 "$LKFLASH" boot --boards-dir "$TMP/boards" --firmware "$TMP/firmware" \
		--board "$1" "${@:2}" "$IMAGE"
}
# The argument behind this one.
argument() { grep -A 1 -xF -- "$1" "$ARGS" | tail -n 1; }
# machine_does: what standard input says.
machine_does() { cat >"$SCRIPT"; }

# ---- A console ----
machine_does <<'END'
printf "firmware\r\n\033[1;1Hrea\033[0mdy\r\n"; exec sleep 60
END
boot acme --expect ready --timeout 30
exits 0 "a machine that says what is expected is ended with success"
like "$out" '^firmware' "what it said before is passed on"
boot acme --expect ready --timeout 30 --quiet
is "$out" "" "but not with --quiet"
boot acme --expect steady --timeout 1
exits 1 "one that does not say it in time is ended with status 1"
like "$err" 'did not say "steady" within 1 s; its last line: ready$' "with the last it said"
boot acme --timeout 1
exits 1 "without --expect, a machine that still runs is ended as well"
like "$err" 'still runs after 1 s; give it longer with --timeout$' "and that is told, with a way out"

machine_does <<'END'
echo hush; exec >/dev/null 2>&1; exec sleep 60
END
boot acme --expect ready --timeout 1
exits 1 "one that closes its console and runs on is ended in time as well"
like "$err" 'within 1 s; its last line: hush$' "with the last it said"

machine_does <<'END'
echo good-bye
END
boot acme --expect ready
exits 1 "a machine that ends before is a failure"
like "$err" 'ended before it said "ready"; its last line: good-bye$' "which names both"
boot acme
exits 0 "one that ends by itself is none, when nothing is expected"
machine_does <<'END'
echo "no such device" >&2; exit 3
END
boot acme
exits 1 "QEMU that fails is a failure"
like "$err" 'qemu-system-acme failed; its last line: no such device$' "with what it said"

# ---- Arguments ----
machine_does <<'END'
cat "$(sed -n "s/^-vars$//;T;n;p" "$ARGS")"
END
boot acme --qemu -smp --qemu=2
exits 2 "an argument that looks like an option of ours is refused"
boot acme --qemu=-smp --qemu=2
like "$out" '^variables of a new machine' "a file that the machine writes to is a copy"
is "$(argument -smp)" 2 "arguments for QEMU are added"
is "$(argument -bios)" "$TMP/firmware/u-boot.bin" "firmware is found where --firmware says"
is "$(grep -A 1 -xF -e -serial "$ARGS" | grep -vx -e -serial -e --)" 'null
stdio' "the console is the port that the profile names"
is "$(ls "$TMPDIR")" "" "nothing is left of a machine"

# ---- The image ----
machine_does <<'END'
qemu-img info "$(sed -n "s/^file=\([^,]*\),.*/\1/p" "$ARGS")"
END
boot acme
like "$out" 'file format: qcow2' "what the machine writes goes into a layer over the image"
like "$out" "backing file: $IMAGE" "which is this one"
boot acme --writable
is "$(argument -drive)" "file=$IMAGE,format=raw,if=sd" "with --writable it goes into the image"
boot acme-card
like "$out" 'virtual size: 4 MiB' "a card is as large as the reader wants it"
boot acme-card --writable
exits 2 "but the size of the image itself is not changed"
like "$err" 'has 3000000 bytes, .* takes powers of two; make it 4194304 by truncate' "and the way out is told"
truncate -s 4194304 "$IMAGE"
boot acme-card --writable
exits 0 "which works"
mkfifo "$TMP/fifo"
run timeout -k 1 10 "$LKFLASH" boot --boards-dir "$TMP/boards" --firmware "$TMP/firmware" --board acme "$TMP/fifo"
exits 1 "a FIFO is refused, and not waited for"

# ---- What is missing ----
boot x86-none
exits 2 "an unknown board is refused"
run "$LKFLASH" boot "$IMAGE"
exits 2 "--board is needed"
run "$LKFLASH" boot --board generic "$IMAGE"
exits 2 "a board that no emulator starts is refused"
like "$err" 'no emulator is known to start generic' "by name"
rm "$TMP/firmware/u-boot.bin"
boot acme
exits 2 "missing firmware is refused"
like "$err" 'u-boot\.bin' "by name"
echo "U-Boot" >"$TMP/firmware/u-boot.bin"
rm "$TMP/bin/qemu-system-acme"
boot acme
exits 1 "a missing QEMU is told"
like "$err" "qemu-system-acme is not installed; install Debian's qemu-system-misc" "with its package"

finish
