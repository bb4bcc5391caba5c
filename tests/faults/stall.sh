#!/bin/bash
# A disk that neither finishes nor fails: it is given up after --stall-timeout, told with its state, and
# keeps nobody else waiting.
# shellcheck source-path=SCRIPTDIR/../..
. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/../lib/disks.sh"
requires losetup cmp jq
disk=''

make_keys
head -c 3145728 /dev/urandom >"$TMP/image.raw"
sign_image "$TMP/image.raw" --chunk-size 256K
# Longer than a busy machine takes for any of the requests that are answered.
STALL_S=5

# gives_up NAME WORDS STATE: $disk, the content of which is in $TMP/NAME, beside a good file.
gives_up() {
	rm -f "$TMP/good.img"
	run timeout 60 "$LKFLASH" write --json --stall-timeout "$STALL_S" --trust "$TMP/keys/ca.pem" "$TMP/image.raw" \
		"$disk" "$TMP/good.img"
	exits 7 "a disk that stalls is given up: $1"
	is "$(jq -r 'select(.event == "failed") | [.target, .code] | join(" ")' <<<"$out")" "$disk 1" "it alone fails, with 1"
	like "$(jq -r 'select(.event == "failed") | .text' <<<"$out")" \
		"$2: nothing happened for $STALL_S.0 s; .*--stall-timeout.*; the target $3" "with the place, the time and its state"
	cmp -s "$TMP/image.raw" "$TMP/good.img"
	ok $? "and the other target is written"
	let_go
}
# The disk answers all that it held, so that nothing is left of it.
let_go() {
	: >"$TMP/go"
	wait_for 60 is_idle
	rm "$TMP/go"
}
# shellcheck disable=SC2317 # by wait_for
is_idle() { [ "$(awk '{print $9}' "/sys/block/${disk##*/}/stat")" = 0 ]; }

bad_disk disk write --fault "write:hold:at=2M:size=512:until=$TMP/go"
gives_up write "writing at byte 2097152" "is incomplete and will not boot"
bad_disk disk flush --fault "flush:hold:nth=3:until=$TMP/go"
gives_up flush flushing "is incomplete and will not boot"
bad_disk disk read --fault "read:hold:at=2500000:size=512:until=$TMP/go"
gives_up read "reading at byte [0-9]*" "is incomplete and will not boot"

# stops NAME STATE: whoever is asked to stop does not wait for a disk that stalls, whatever --stall-timeout says.
stops() {
	timeout -s KILL 60 "$LKFLASH" write -q --stall-timeout 0 --trust "$TMP/keys/ca.pem" "$TMP/image.raw" "$disk" \
		2>"$TMP/err" &
	wait_for 60 is_held
	kill -TERM "$(pgrep -P $!)"
	wait $!
	is "$?" 143 "a signal stops a write to a disk that stalls: $1"
	like "$(cat "$TMP/err")" "stopped by a signal; the target $2" "with its state"
	let_go
}
# The disk holds a request: nothing is done for a while.
# shellcheck disable=SC2317 # by wait_for
is_held() {
	local before
	before=$(cat "/sys/block/${disk##*/}/stat")
	sleep 1
	! is_idle && [ "$(awk '{print $1, $5, $9}' <<<"$before")" = "$(awk '{print $1, $5, $9}' "/sys/block/${disk##*/}/stat")" ]
}

bad_disk disk stopped --fault "write:hold:at=2M:size=512:until=$TMP/go"
stops write "is incomplete and will not boot"
bad_disk disk committing --fault "write:hold:at=0:size=512:nth=2:until=$TMP/go"
stops commit "holds the image, but its first chunk is in doubt"

bad_disk disk verify --fault "read:hold:at=2500000:size=512:nth=2:until=$TMP/go"
run "$LKFLASH" write -q --trust "$TMP/keys/ca.pem" "$TMP/image.raw" "$disk"
exits 0 "a disk is written that stalls later"
run timeout 60 "$LKFLASH" verify --stall-timeout "$STALL_S" --trust "$TMP/keys/ca.pem" --image "$TMP/image.raw" "$disk"
exits 1 "verify gives up, too"
like "$err" "verifying $disk: .*nothing happened for $STALL_S.0 s" "and says so"
let_go

finish
