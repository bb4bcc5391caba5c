#!/bin/bash
# A packed image on a web server, and a target that holds most of it: only what it lacks is fetched, chunks
# that follow one another at once.
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/web.sh
. tests/lib/web.sh
requires nginx perl cmp
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
CHUNK_BYTES=65536
IMAGE_BYTES=$((100 * CHUNK_BYTES))

port=$(free_port)
mkdir "$TMP/www" "$TMP/nginx"
cat >"$TMP/nginx.conf" <<-END
	user root;
	worker_processes 1;
	pid $TMP/nginx.pid;
	error_log $TMP/nginx/error.log;
	events {}
	http {
		log_format ranges '\$request_method \$http_range \$body_bytes_sent';
		access_log $TMP/ranges.log ranges;
		$(nginx_temp_paths)
		root $TMP/www;
		server { listen 127.0.0.1:$port; }
	}
END
nginx -p "$TMP/nginx" -e "$TMP/nginx/error.log" -c "$TMP/nginx.conf"
at_end "kill $(cat "$TMP/nginx.pid")"

# Random bytes, so that a chunk is as large when it is packed.
make_keys
head -c "$IMAGE_BYTES" /dev/urandom >"$TMP/image.raw"
"$LKFLASH" pack -q --key "$TMP/keys/sign.key" --cert "$TMP/keys/sign.pem" --board generic --version 1 \
	--chunk-size 64K --out "$TMP/www/image.raw.zst" "$TMP/image.raw"

# spoil CHUNK: zeros are there on the target in place of random bytes.
spoil() { dd if=/dev/zero of="$TMP/target" bs="$CHUNK_BYTES" count=1 seek="$1" conv=notrunc status=none; }

# write_from_web: with --delta; $n_ranges is how many ranges of payload were asked for.
write_from_web() {
	: >"$TMP/ranges.log"
	run "$LKFLASH" write --json --delta --trust "$TMP/keys/ca.pem" \
		"http://127.0.0.1:$port/image.raw.zst" "$TMP/target"
	exits 0 "$1"
	cmp -s "$TMP/target" "$TMP/image.raw"
	ok $? "and the target holds the image"
	n_ranges=$(grep -c '^GET bytes=[1-9][0-9]*-[0-9]' "$TMP/ranges.log")
}

# fetched_bytes: of all ranges that have an end.
fetched_bytes() { awk '/^GET bytes=[1-9][0-9]*-[0-9]/ {n += $3} END {print n + 0}' "$TMP/ranges.log"; }

cp "$TMP/image.raw" "$TMP/target"
write_from_web "a target that holds the image is compared"
is "$n_ranges" 0 "and no chunk is fetched"

# The first chunk is always among what is written, for the target must not start meanwhile.
for chunk in 50 51 52 53 90; do spoil "$chunk"; done
write_from_web "a target that lacks chunks is completed"
is "$(jq -r 'select(.event == "done") | .written_bytes' <<<"$out")" $((6 * CHUNK_BYTES)) "by these and the first"
# It came when the image was opened.
is "$n_ranges" 2 "chunks that follow one another are fetched at once"
[ "$(fetched_bytes)" -lt $((6 * CHUNK_BYTES)) ]
ok $? "and no others: $(fetched_bytes) bytes"

finish
