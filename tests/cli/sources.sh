#!/bin/bash
# Files, pipes and what the tools of each format make.
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
requires gzip xz zstd bzip2 lz4

CAT=${BUILD:-$PWD/build/release}/tests/lib/cat_source

# reads NAME OPTIONS... WHERE: the image, every byte of it.
reads() {
	"$CAT" "${@:2}" >"$TMP/got" 2>"$TMP/err"
	status=$?
	cmp -s "$TMP/image" "$TMP/got" && [ "$status" = 0 ]
	ok $? "$1"
	[ "$status" = 0 ] || diag "$(cat "$TMP/err")"
}

# decodes NAME COMMAND...: what the command makes of the image.
decodes() {
	"${@:2}" <"$TMP/image" >"$TMP/packed" || diag "$2 failed"
	reads "$1" --decode "$TMP/packed"
}

# Text, zeros and noise, so that every kind of block occurs.
{
	seq 1 100000
	head -c 1000000 /dev/zero
	head -c 300000 /dev/urandom
} >"$TMP/image"
n_bytes=$(stat -c %s "$TMP/image")

# ---- Where from ------------------------------------------------------------------------------------

reads "a file is read" "$TMP/image"
is "$("$CAT" --size "$TMP/image")" "$n_bytes" "and its size is known"
reads "a pipe is read" - < <(cat "$TMP/image")
reads "a file as standard input is read" - <"$TMP/image"
reads "a substituted process is read" <(cat "$TMP/image")
run "$CAT" --seek 1 - < <(cat "$TMP/image")
exits 2 "a pipe refuses to seek"
like "$err" "from start to end; use a file" "and says the way out"
"$CAT" --seek 999999 "$TMP/image" | cmp -s - <(tail -c +1000000 "$TMP/image")
ok $? "a file is read from anywhere"
mkfifo "$TMP/fifo"
run "$CAT" --stop-on-input "$TMP/fifo"
exits 8 "waiting for the writer of a pipe ends when asked to stop"

# ---- What the tools make ---------------------------------------------------------------------------

decodes "gzip" gzip -c
decodes "gzip -1" gzip -1c
decodes "gzip with a file name" gzip -Nc "$TMP/image"
decodes "xz" xz -c
decodes "xz in blocks" xz -c -1 --block-size=300000
decodes "xz with SHA-256" xz -c -1 --check=sha256
decodes "xz with a filter for x86" xz -c --x86 --lzma2=preset=1
decodes "xz -9" xz -9c
decodes "zstd" zstd -qc
decodes "zstd --ultra -22" zstd -qc --ultra -22
decodes "zstd --long=27" zstd -qc --long=27 --no-content-size
decodes "zstd without a checksum" zstd -qc --no-check
decodes "bzip2" bzip2 -c
decodes "bzip2 -1" bzip2 -1c
decodes "lz4" lz4 -qc
decodes "lz4 with blocks that depend on each other and have checksums" lz4 -qc -B4 -BD -BX
decodes "lz4 with its size" lz4 -qc --content-size
reads "a pipe is decoded" --decode - < <(gzip -c "$TMP/image")

split -n 2 "$TMP/image" "$TMP/half."
for tool in gzip xz zstd bzip2 lz4; do
	{ "$tool" -c "$TMP/half.aa" && "$tool" -c "$TMP/half.ab"; } 2>/dev/null >"$TMP/packed"
	reads "two streams of $tool are one image" --decode "$TMP/packed"
	truncate -s -1 "$TMP/packed"
	run "$CAT" --decode "$TMP/packed"
	exits 4 "without its last byte $tool is refused"
	like "$err" "ends inside a $tool stream, after .*; the file is cut short" "as cut short"
done

run "$CAT" --decode <(zstd -qc --long=28 --zstd=wlog=28 --no-content-size <"$TMP/image")
exits 4 "zstd with a window of 256 MiB is refused"
like "$err" "window of more than 128 MiB; compress it with zstd --long=27" "and says the way out"

finish
