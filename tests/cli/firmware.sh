#!/bin/bash
# lkflash firmware: what Debian packages of a board's firmware is fetched, and this machine's apt does not
# notice. Against an archive of our own, without a network.
. "$(dirname "$0")/../lib/tap.sh"
requires apt-get dpkg-deb gpg gpgv strace jq perl
# shellcheck source=tests/lib/archive.sh
. tests/lib/archive.sh

mkdir "$TMP/boards"
FILES=$TMP/cache/firmware

# board ID <PART_OF_PROFILE: a profile.
board() {
	{
		printf 'id: %s\nname: Board\narch: arm\nboot: U-Boot\ntested: no\ntable: mbr\n' "$1"
		cat
	} >"$TMP/boards/$1.yaml"
}

# fetch ARGUMENT...: from our archive.
fetch() {
	run "$LKFLASH" firmware --boards-dir "$TMP/boards" --mirror "file://$ARCHIVE" \
		--keyring "$TMP/us.gpg" "$@"
}

sha256() { sha256sum <"$1" | cut -d' ' -f1; }

# ---- The archive
archive_key us || skip_all "gpg cannot make keys here"
archive_key them
P=$TMP/package
mkdir -p "$P/usr/lib/u-boot/acme"
printf '\0\0\0\0eGON.BT0 and more' >"$P/usr/lib/u-boot/acme/spl.bin"
head -c 100000 /dev/urandom >"$P/usr/lib/u-boot/acme/u-boot.itb"
ln -s spl.bin "$P/usr/lib/u-boot/acme/link.bin"
ln -s /etc/passwd "$P/usr/lib/u-boot/acme/out.bin"
: >"$P/usr/lib/u-boot/acme/empty.bin"
archive_package u-boot-acme armhf 2023.01-2 "$P"
mkdir -p "$TMP/shared/usr/lib/acme"
echo start >"$TMP/shared/usr/lib/acme/start.elf"
archive_package acme-firmware all 1:3 "$TMP/shared"
archive_publish bookworm us armhf amd64

board acme <<'END'
blobs:
  - name: SPL
    offset: 8192
    magic: 65474f4e2e425430
    magic_at: 4
    file: spl.bin
    maximum: 1048576
firmware:
  - file: spl.bin
    package: u-boot-acme:armhf
    path: usr/lib/u-boot/acme/spl.bin
  - file: u-boot.itb
    package: u-boot-acme:armhf
    path: usr/lib/u-boot/acme/u-boot.itb
  - file: start.elf
    package: acme-firmware:all
    path: usr/lib/acme/start.elf
  - file: scp.bin
    source: "the maker's page"
    optional: yes
END
board shared <<'END'
firmware:
  - file: start.elf
    package: acme-firmware:all
    path: usr/lib/acme/start.elf
END
board link <<'END'
firmware:
  - file: link.bin
    package: u-boot-acme:armhf
    path: usr/lib/u-boot/acme/link.bin
END
board out <<'END'
firmware:
  - file: out.bin
    package: u-boot-acme:armhf
    path: usr/lib/u-boot/acme/out.bin
END
board moved <<'END'
firmware:
  - file: moved.bin
    package: u-boot-acme:armhf
    path: usr/lib/u-boot/moved/moved.bin
END
board nobody <<'END'
firmware:
  - file: nobody.bin
    package: u-boot-nobody:armhf
    path: usr/lib/u-boot/nobody.bin
END
board later <<'END'
firmware:
  - file: spl.bin
    package: u-boot-acme:armhf
    suite: trixie
    path: usr/lib/u-boot/acme/spl.bin
END
board wrong <<'END'
blobs:
  - name: SPL
    offset: 8192
    magic: 65474f4e2e425430
    file: spl.bin
    maximum: 1048576
firmware:
  - file: spl.bin
    package: u-boot-acme:armhf
    path: usr/lib/u-boot/acme/u-boot.itb
END
board ours <<'END'
firmware:
  - file: fip.bin
    source: "make fip in the maker's tree"
END

# ---- What is fetched
fetch acme
exits 0 "firmware is fetched"
like "$err" "note: fetching the list of packages of bookworm for armhf from file://" "which archive is told"
like "$err" "note: fetching u-boot-acme:armhf" "and which package"
like "$out" "^spl.bin +21  $(sha256 "$P/usr/lib/u-boot/acme/spl.bin")  u-boot-acme:armhf 2023.01-2\$" \
	"a table tells size, digest and version of each file"
like "$out" "^u-boot.itb +100000  $(sha256 "$P/usr/lib/u-boot/acme/u-boot.itb") " "of all files of the package"
like "$out" "^start.elf +6 .* acme-firmware:all 1:3\$" "and of a package for all architectures"
like "$out" "^in $FILES/acme\$" "and where they are"
like "$out" "^scp.bin is not there, and not needed by all: the maker's page\$" "what Debian has not is told"
like "$out" "as --firmware DIR\$" "and how to give it"
ok "$(cmp -s "$P/usr/lib/u-boot/acme/u-boot.itb" "$FILES/acme/u-boot.itb"; echo $?)" "the file is that of the package"
is "$(stat -c %a "$FILES/acme/spl.bin")" 644 "anyone may read it"
is "$(ls "$TMP/cache/apt")" "bookworm-armhf
lock" "nothing but lists is kept besides"

fetch shared
exits 0 "a package for all architectures needs no other"
like "$err" "for amd64" "its list is one that Debian always has"
fetch link
exits 0 "a link within the package is followed"
is "$(sha256 "$FILES/link/link.bin")" "$(sha256 "$P/usr/lib/u-boot/acme/spl.bin")" "to its file"

fetch acme -q
exits 0 "fetching works quietly"
is "$out$err" "" "and then says nothing"
fetch acme --out "$TMP/here"
exits 0 "files can go elsewhere"
is "$(ls "$TMP/here")" "spl.bin
start.elf
u-boot.itb" "and are there"
fetch acme --json
exits 0 "it can be told to programs"
is "$(jq -c 'select(.event == "firmware") | [.board, .file, .found, .optional, .version, .source]' <<<"$out")" \
	'["acme","spl.bin",true,false,"2023.01-2",null]
["acme","u-boot.itb",true,false,"2023.01-2",null]
["acme","start.elf",true,false,"1:3",null]
["acme","scp.bin",false,true,null,"the maker'"'"'s page"]' "a line a file"
is "$(jq -r 'select(.file == "spl.bin") | [.size_bytes, .sha256, .package, .path] | @tsv' <<<"$out")" \
	"21	$(sha256 "$P/usr/lib/u-boot/acme/spl.bin")	u-boot-acme:armhf	$FILES/acme/spl.bin" "with all about it"
is "$(jq -r 'select(.event == "note") | .text' <<<"$out" | wc -l)" 3 "and what was done before"

fetch ours
exits 0 "a board without packages is no failure"
like "$out" "^fip.bin is not there: make fip in the maker's tree\$" "what it needs is told"
fetch generic
exits 0 "neither is one without firmware"
is "$out" "generic needs no firmware files" "which is said"

# ---- This machine's apt
echo 'this is { no configuration' >"$TMP/broken.conf"
APT_CONFIG=$TMP/broken.conf fetch acme
exits 0 "a broken apt does not matter"
# The leak sanitizer cannot work beside strace.
run env ASAN_OPTIONS=detect_leaks=0 strace -f -qq -e trace=file -o "$TMP/calls" "$LKFLASH" firmware --boards-dir "$TMP/boards" \
	--mirror "file://$ARCHIVE" --keyring "$TMP/us.gpg" acme
exits 0 "fetching can be watched"
like "$(grep -c "$ARCHIVE" "$TMP/calls")" '^[1-9]' "and is seen"
is "$(grep -E '"/(etc/(apt|dpkg)|var/(lib|cache|log)/(apt|dpkg))' "$TMP/calls")" "" "nothing of this machine's apt is looked at"

# ---- What goes wrong
fetch out
exits 1 "a link out of the package is not followed"
like "$err" "firmware of out: u-boot-acme:armhf 2023.01-2: usr/lib/u-boot/acme/out.bin leads out of it" "which is told"
ok "$([ ! -e "$FILES/out/out.bin" ]; echo $?)" "and nothing is made"
fetch moved
exits 1 "a file that is not in the package is an error"
like "$err" "u-boot-acme:armhf 2023.01-2: there is no usr/lib/u-boot/moved/moved.bin in it" "with its name"
fetch nobody
exits 1 "so is a package that is not in the archive"
like "$err" "fetching u-boot-nobody:armhf of bookworm from file://.*Unable to locate package u-boot-nobody" "with its name"
like "$err" "another --mirror, or get the files yourself and build with --firmware DIR" "and a way out"
fetch later
exits 1 "so is a suite that is not there"
like "$err" "fetching the packages of trixie for armhf" "with its name"
fetch wrong
exits 2 "a file without the magic of its blob is refused"
like "$err" "wrong/spl.bin is not wrong's SPL" "with its name"
fetch nosuchboard
exits 2 "so is a board that nobody knows"
fetch
exits 2 "and no board"
run "$LKFLASH" firmware --boards-dir "$TMP/boards" --mirror "ftp://x" acme
exits 2 "a mirror of another kind is refused"
run "$LKFLASH" firmware --boards-dir "$TMP/boards" --mirror "http://x/ [trusted=yes]" acme
exits 2 "so is one that says more"
run "$LKFLASH" firmware --boards-dir "$TMP/boards" --mirror "file://$ARCHIVE" --keyring "$TMP/nothing" acme
exits 1 "a keyring that is not there is an error"
like "$err" "debian-archive-keyring" "that says how to get Debian's"
LKFLASH_CACHE_DIR=/sys/lkflash fetch acme
exits 1 "so is a cache that cannot be written to"
like "$err" "making the folder /sys/lkflash/apt: .*LKFLASH_CACHE_DIR" "with its name, and a way out"
exec 9>"$TMP/cache/apt/lock"
flock 9
fetch acme
exits 1 "two at once are one too many"
like "$err" "held by another lkflash" "which is told"
exec 9>&-

# ---- Signatures
rm -rf "$TMP/cache"
run "$LKFLASH" firmware --boards-dir "$TMP/boards" --mirror "file://$ARCHIVE" --keyring "$TMP/them.gpg" acme
exits 4 "an archive that another signed is not trusted"
like "$err" "apt: GPG error.*NO_PUBKEY.*is not signed.*--keyring FILE" "which is told, with a way out"
ok "$([ ! -e "$FILES/acme/spl.bin" ]; echo $?)" "nothing of it is taken"
archive_publish bookworm "" armhf amd64
fetch acme
exits 4 "neither is one that nobody signed"
archive_publish bookworm us armhf amd64
sed -i 's/^Codename: .*/Codename: other/' "$ARCHIVE/dists/bookworm/InRelease"
fetch acme
exits 4 "nor one that was changed since"
archive_publish bookworm us armhf amd64
gpg --batch --quiet --armor --export us >"$TMP/us.asc"
run "$LKFLASH" firmware --boards-dir "$TMP/boards" --mirror "file://$ARCHIVE" --keyring "$TMP/us.asc" acme
exits 0 "keys may be text"
fetch link
cp "$ARCHIVE/pool/u-boot-acme_2023.01-2_armhf.deb" "$TMP/good.deb"
head -c "$(stat -c %s "$TMP/good.deb")" /dev/urandom >"$ARCHIVE/pool/u-boot-acme_2023.01-2_armhf.deb"
fetch link
exits 4 "a package that is not the signed one is not trusted"
like "$err" "Hash Sum mismatch.*; try later or with another --mirror" "which is told, with a way out"
ok "$([ -e "$FILES/link/link.bin" ]; echo $?)" "what was there stays"
cp "$TMP/good.deb" "$ARCHIVE/pool/u-boot-acme_2023.01-2_armhf.deb"

# ---- Offline
fetch acme
mv "$ARCHIVE" "$TMP/away"
before=$(sha256 "$FILES/acme/u-boot.itb")
fetch acme
exits 0 "without the archive, what is there stays"
like "$err" "note: the files of u-boot-acme:armhf in $FILES/acme stay as they are: fetching" "which is told"
like "$out" "^u-boot.itb +100000 .* was there\$" "and shown"
is "$(sha256 "$FILES/acme/u-boot.itb")" "$before" "as it was"
rm "$FILES/acme/spl.bin"
fetch acme
exits 1 "but not when a file is missing"
mv "$TMP/away" "$ARCHIVE"

# ---- Interrupted
# A mirror that takes a call and never answers.
perl -MIO::Socket::INET -e '
	my $s = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1") or die;
	open my $f, ">", "$ARGV[0].new" or die;
	print $f $s->sockport, "\n";
	close $f;
	rename "$ARGV[0].new", $ARGV[0];
	my @calls;
	while (my $c = $s->accept) { push @calls, $c; open my $g, ">", "$ARGV[0].called"; }
' "$TMP/port" &
at_end "kill $!"
wait_for 10 test -s "$TMP/port"
"$LKFLASH" firmware --boards-dir "$TMP/boards" --keyring "$TMP/us.gpg" \
	--mirror "http://127.0.0.1:$(cat "$TMP/port")/debian" acme >"$TMP/out" 2>"$TMP/err" &
pid=$!
wait_for 20 test -e "$TMP/port.called"
kill -TERM $pid
wait $pid
is $? 143 "a signal ends it"
like "$(cat "$TMP/err")" "stopped by a signal" "which is told"
is "$(ls "$TMP/cache/apt" "$FILES/acme")" "$TMP/cache/apt:
bookworm-armhf
lock

$FILES/acme:
start.elf
u-boot.itb" "nothing is left half done"
is "$(pgrep -f "APT_CONFIG=$TMP|$TMP/cache/apt")" "" "and nobody goes on"
fetch acme
exits 0 "the next time works"

finish
