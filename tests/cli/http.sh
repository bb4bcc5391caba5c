#!/bin/bash
# Images from web servers: a real one (nginx), and one with faults. Only on the loopback device.
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
# shellcheck source=tests/lib/web.sh
. tests/lib/web.sh
requires nginx openssl perl

CAT=${BUILD:-$PWD/build/release}/tests/lib/cat_source
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY

# ---- Servers ---------------------------------------------------------------------------------------

make_certificates() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=test-ca \
		-keyout "$TMP/ca.key" -out "$TMP/ca.pem" &&
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=127.0.0.1 \
			-keyout "$TMP/tls.key" -out "$TMP/tls.csr" &&
		printf 'subjectAltName=IP:127.0.0.1\n' >"$TMP/san" &&
		openssl x509 -req -in "$TMP/tls.csr" -CA "$TMP/ca.pem" -CAkey "$TMP/ca.key" -days 1 \
			-CAcreateserial -extfile "$TMP/san" -out "$TMP/tls.pem"
}

start_nginx() {
	port=$(free_port)
	tls_port=$(free_port)
	mkdir -p "$TMP/www" "$TMP/nginx"
	cat >"$TMP/nginx.conf" <<-END
		user root;
		worker_processes 1;
		pid $TMP/nginx.pid;
		error_log $TMP/nginx/error.log;
		events {}
		http {
			access_log off;
			log_format ranges '\$http_range \$body_bytes_sent \$connection';
			$(nginx_temp_paths)
			root $TMP/www;
			server {
				listen 127.0.0.1:$port;
				limit_rate_after 1m;
				if (-e $TMP/hold) { set \$limit_rate 1; }
				location /rangeless/ { alias $TMP/www/; max_ranges 0; }
				location /counted/ { alias $TMP/www/; access_log $TMP/ranges.log ranges; }
				location /moved/ { rewrite ^/moved/(.*) /\$1 permanent; }
				location /denied/ { deny all; }
			}
			server {
				listen 127.0.0.1:$tls_port ssl;
				ssl_certificate $TMP/tls.pem;
				ssl_certificate_key $TMP/tls.key;
				location /plain/ { return 302 http://127.0.0.1:$port/image; }
			}
		}
	END
	at_end "kill \$(cat $TMP/nginx.pid)"
	nginx -e "$TMP/nginx/error.log" -c "$TMP/nginx.conf"
}

start_faulty() {
	tests/lib/faulty_http.pl "$TMP/www/image" "$TMP/faulty.port" "$TMP/faulty.log" &
	at_end "kill $!"
	wait_for 60 test -s "$TMP/faulty.port"
	faulty=http://127.0.0.1:$(cat "$TMP/faulty.port")
}

# ---- What tests say --------------------------------------------------------------------------------

# gives NAME OPTIONS... URL: the image, every byte of it.
gives() {
	"$CAT" "${@:2}" >"$TMP/got" 2>"$TMP/err"
	status=$?
	cmp -s "$TMP/www/image" "$TMP/got" && [ "$status" = 0 ]
	ok $? "$1"
	[ "$status" = 0 ] || diag "$(cat "$TMP/err")"
}

# refuses STATUS WORDS NAME OPTIONS... URL
refuses() {
	run "$CAT" "${@:4}"
	exits "$1" "$3"
	like "$err" "$2" "$3, and says why"
}

# counts N NAME UNTIL FROM END...: the ranges come, and by N requests, that of opening included. A range
# for which the server was asked is a line "bytes=FROM-LAST BYTES CONNECTION" of ranges.log.
counts() {
	local n=$1 name=$2 until=$3
	shift 3
	: >"$TMP/ranges.log"
	"$CAT" ${until:+--until "$until"} "$web/counted/image" "$@" >"$TMP/got" 2>"$TMP/err"
	while [ $# -gt 0 ]; do
		tail -c +$(($1 + 1)) "$TMP/www/image" | head -c $(($2 - $1))
		shift 2
	done | cmp -s - "$TMP/got"
	ok $? "$name: every byte is right"
	# A request is logged when it is over, which may be after its last byte was read.
	wait_for 60 has_lines "$n" "$TMP/ranges.log"
	is "$(wc -l <"$TMP/ranges.log")" "$n" "$name: $n requests"
}

# A transfer that comes to no end before its server dies: of its bytes a part has come, and the others
# take weeks.
start_held() {
	rm "$TMP/got"
	: >"$TMP/hold"
	"$CAT" "$web/image" >"$TMP/got" 2>"$TMP/err" &
	held=$!
	wait_for 60 has_bytes 500000 "$TMP/got"
	rm "$TMP/hold"
}

# shellcheck disable=SC2317 # by wait_for
has_bytes() { [ "$(stat -c %s "$2" 2>/dev/null || echo 0)" -ge "$1" ]; }
# shellcheck disable=SC2317 # by wait_for
has_lines() { [ "$(wc -l <"$2")" -ge "$1" ]; }
kill_workers() { pkill -KILL -P "$(cat "$TMP/nginx.pid")"; }

mkdir -p "$TMP/www"
head -c 6000000 /dev/urandom >"$TMP/www/image"
make_certificates 2>"$TMP/openssl.log" || skip_all "openssl makes no certificates"
# Another program may take a port between the moment it was found free and its use.
start_nginx || start_nginx || start_nginx || skip_all "nginx does not start"
start_faulty
web=http://127.0.0.1:$port
tls=https://127.0.0.1:$tls_port

# ---- A real server ---------------------------------------------------------------------------------

gives "http:// gives the file" "$web/image"
gives "a scheme may be in capitals" "HTTP://127.0.0.1:$port/image"
gives "a redirect is followed" "$web/moved/image"
gives "a server without ranges gives the file" "$web/rangeless/image"
gives "user and password may be in the URL" "http://user:secret@127.0.0.1:$port/image"
is "$("$CAT" --size "$web/image")" 6000000 "the size is known"

gives "https:// gives the file, with a private CA" --tls-ca "$TMP/ca.pem" "$tls/image"
refuses 1 "certificate.*--tls-ca" "https:// of an unknown CA is refused" "$tls/image"
refuses 1 "/nowhere/ca.pem" "a CA file that is missing is an error" --tls-ca /nowhere/ca.pem "$tls/image"
refuses 6 "127.0.0.1:$tls_port/plain/: " "a redirect from https:// to http:// is refused" \
	--tls-ca "$TMP/ca.pem" "$tls/plain/"

refuses 1 "$web/nothing: there is no such file on the server \(404\)" "404 is final" "$web/nothing"
refuses 1 "the server denies access \(403\)" "403 is final" "$web/denied/image"
run "$CAT" "http://user:secret@127.0.0.1:$port/nothing"
like "$err" "http://127.0.0.1:$port/nothing" "an error names the URL without the password"
grep -q secret <<<"$err"
is $? 1 "and shows it nowhere"

"$CAT" --seek 4000001 "$web/image" >"$TMP/got"
tail -c +4000002 "$TMP/www/image" | cmp -s - "$TMP/got"
ok $? "reading goes on anywhere by a range"
is "$("$CAT" --seek 6000000 "$web/image" | wc -c)" 0 "at the end there is nothing"
is "$("$CAT" --seek 7000000 "$web/image" | wc -c)" 0 "past the end there is nothing"
refuses 2 "can only be read from start to end" "a server without ranges refuses to seek" \
	--seek 1 "$web/rangeless/image"

counts 3 "ranges far from one another" "" 4000000 5000000 200 300
is "$(sed -n 's/^\(bytes=[^ ]* [0-9]*\) .*/\1/p' "$TMP/ranges.log")" "bytes=4000000-4999999 1000000
bytes=200-299 100" "and nothing else is asked for"
is "$(sed -n 's/^bytes=.* //p' "$TMP/ranges.log" | uniq | wc -l)" 1 "over one connection"
counts 2 "ranges that are part of one" 5000000 3000000 3500000 3500000 4000000 4262144 5000000
is "$(sed -n 's/^\(bytes=[^ ]* [0-9]*\) .*/\1/p' "$TMP/ranges.log")" "bytes=3000000-4999999 2000000" \
	"and the short gap between them is read over"
counts 3 "ranges that are asked for one by one" "" 3000000 3500000 3500000 5000000
counts 1 "ranges of what is being sent" "" 0 1000000 1200000 2000000 2262144 3000000
counts 3 "a range before the last one" "" 5999000 6000000 5999000 6000000

gzip -c "$TMP/www/image" >"$TMP/www/image.gz"
gives "a compressed file is decoded" --decode "$web/image.gz"

gives "a clone gives the file" --clone "$web/image"
gives "a clone of a decoder gives the file" --clone --decode "$web/image.gz"
gives "a clone knows the private CA" --clone --tls-ca "$TMP/ca.pem" "$tls/image"
gives "a clone needs no ranges" --clone "$web/rangeless/image"

start_held
ok $? "a transfer is held"
kill_workers
wait "$held"
is $? 0 "a transfer whose server died is completed by the next"
cmp -s "$TMP/www/image" "$TMP/got"
ok $? "and every byte is right"

start_held
cp "$TMP/www/image" "$TMP/www/next"
touch -d '2001-01-01' "$TMP/www/next"
mv "$TMP/www/next" "$TMP/www/image"
kill_workers
wait "$held"
is $? 6 "a file that changed during a transfer is refused"
like "$(cat "$TMP/err")" "changed during the transfer; start again" "and it is said"

# ---- One with faults -------------------------------------------------------------------------------

gives "a transfer that breaks again and again is completed" "$faulty/cut/700000"
is "$(grep -c '^cut' "$TMP/faulty.log")" 9 "by asking nine times"
is "$(sed -n 's/^cut.* //p' "$TMP/faulty.log" | sort -n | tail -1)" 5600000 "from where it stopped"
gives_range() {
	"$CAT" "$2" 1000000 3000000 2>"$TMP/err" | cmp -s - "$TMP/range"
	ok $? "$1"
}
tail -c +1000001 "$TMP/www/image" | head -c 2000000 >"$TMP/range"
gives_range "a range that breaks again and again is completed" "$faulty/cut/700001"
is "$(sed -n 's,^cut/700001 ,,p' "$TMP/faulty.log" | paste -sd ' ')" "- 1000000 1700001 2400002" \
	"from where it stopped, too"
gives_range "a range is cut out of a whole file" "$faulty/rangeless/6000000"
gives "a server that is busy is asked again" "$faulty/busy/2"
gives "a server that stalls is asked again" --timeout-ms 500 "$faulty/stall/1500000"
gives "a server that knows no ranges sends it all again" "$faulty/rangeless/1500000"
gives "a body in chunks is read" "$faulty/chunked"
is "$("$CAT" "$faulty/empty" | wc -c)" 0 "an empty file is empty"

refuses 6 "changed during the transfer" "another ETag is refused" "$faulty/change/1500000"
refuses 6 "changed during the transfer" "a file that became shorter is refused" "$faulty/shrink/1500000"
refuses 6 "asked for the bytes from 1500000 on" "another range is refused" "$faulty/misplaced/1500000"
refuses 6 "changed during the transfer" "a clone of what changed is refused" --clone "$faulty/change/6000000"
refuses 2 "come only once" "without a version there is no clone" --clone "$faulty/anonymous/6000000"
refuses 2 "can only be read from start to end" "without a version nothing is sought" \
	--seek 1 "$faulty/anonymous/6000000"
refuses 1 "names no version \(ETag or Last-Modified\).*at byte 1500000; start again" \
	"without a version nothing is glued together" "$faulty/anonymous/1500000"
refuses 1 "names no version" "chunks without their end are refused" "$faulty/unchunked"
refuses 6 "use one that sends Content-Length" "a body without an end is refused" "$faulty/endless"
refuses 6 "answers 204" "a reply without a file is refused" "$faulty/teapot"
refuses 6 "" "what is no web server is refused" "$faulty/nonsense"
refuses 6 "" "a redirect to a file is refused" "$faulty/away"
refuses 6 "redirects" "a redirect in circles is refused" "$faulty/circle"

# By then libcurl waits for nothing but the server.
timeout 60 "$CAT" --stop-on-input "$faulty/silent" < <(sleep 2; echo) 2>"$TMP/err"
is $? 8 "waiting for a server ends at once when asked to stop"

# Giving up takes the waits of all tries, so the three are tried at once.
give_up() { "$CAT" "${@:2}" >"$TMP/$1.out" 2>"$TMP/$1.err"; echo $? >"$TMP/$1.status"; }
give_up down "$faulty/busy/99" &
jobs=$!
give_up refused "http://127.0.0.1:$(free_port)/image" &
jobs="$jobs $!"
give_up silent --timeout-ms 500 "$faulty/silent" &
jobs="$jobs $!"
# shellcheck disable=SC2086 # process ids
wait $jobs
for what in down refused silent; do
	is "$(cat "$TMP/$what.status")" 1 "a server that is $what is given up"
	like "$(cat "$TMP/$what.err")" "gave up after 6 tries" "and that is said ($what)"
done
like "$(cat "$TMP/silent.err")" "sent nothing for 500 ms" "a silent server is called so"

# ---- The whole way ---------------------------------------------------------------------------------

sign_image "$TMP/www/image"
trust=(--trust "$TMP/keys/ca.pem" --tls-ca "$TMP/ca.pem")
run "$LKFLASH" -q "${trust[@]}" "$tls/image" "$TMP/target"
exits 0 "a signed image is written from https://"
cmp -s "$TMP/www/image" "$TMP/target"
ok $? "and every byte is right"

"$LKFLASH" pack --key "$TMP/keys/sign.key" --cert "$TMP/keys/sign.pem" --board generic --version 1 \
	-q --out "$TMP/www/packed.zst" "$TMP/www/image"
run "$LKFLASH" -q "${trust[@]}" "$tls/packed.zst" "$TMP/target2"
exits 0 "a packed image is written from https://"
cmp -s "$TMP/www/image" "$TMP/target2"
ok $? "and every byte is right, too"

run "$LKFLASH" -q "${trust[@]}" --manifest "$tls/image.lkm" "$web/rangeless/image" "$TMP/target3"
exits 0 "the manifest may come from another server"

printf 'X' | dd of="$TMP/www/image" bs=1 seek=3000000 conv=notrunc status=none
run "$LKFLASH" -q "${trust[@]}" "$tls/image" "$TMP/target4"
exits 4 "an image that was altered on the server is refused"

run "$LKFLASH" -q "${trust[@]}" "$web/nothing" "$TMP/target5"
exits 1 "an image that is not on the server is an I/O error"
[ ! -e "$TMP/target5" ]
ok $? "and no target is made"

finish
