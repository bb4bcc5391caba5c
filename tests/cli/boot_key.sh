#!/bin/bash
# A signed boot.img for a Raspberry Pi, as its boot loader would check it: by openssl.
# shellcheck source-path=SCRIPTDIR/../..
. tests/lib/tap.sh
requires openssl sfdisk jq mcopy fsck.fat perl

cd "$TMP" || exit 1

openssl genrsa -out boot.key 2048 2>/dev/null
mkdir -p firmware dtb/broadcom
for file in start4.elf fixup4.dat; do echo "$file" >"firmware/$file"; done
echo tree >dtb/broadcom/bcm2711-rpi-4-b.dtb
echo initrd >initrd
# The header of an arm64 kernel: its magic is at byte 56.
{ head -c 56 /dev/zero && printf 'ARM\x64' && head -c 4036 /dev/zero; } >kernel

"$LKFLASH" build --board rpi4 --kernel kernel --initrd initrd --cmdline quiet --dtb dtb \
	--firmware firmware --boot-key boot.key -o image.raw >log 2>&1
is $? 0 'an image with a boot key is built'
at=$(sfdisk -J image.raw | jq '.partitiontable.partitions[0].start * 512')
mcopy -n -i "image.raw@@$at" ::/boot.img ::/boot.sig ::/config.txt .
is "$(cat config.txt)" 'boot_ramdisk=1' 'firmware is told to start boot.img'
is "$(head -1 boot.sig)" "$(sha256sum <boot.img | cut -d' ' -f1)" 'boot.sig has its digest'
sed -n 's/^rsa2048: //p' boot.sig | perl -ne 'chomp; print pack "H*", $_' >signature
is "$(openssl dgst -sha256 -prverify boot.key -signature signature boot.img)" 'Verified OK' \
	'openssl verifies the signature'
fsck.fat -n boot.img >log 2>&1
is $? 0 'fsck.fat is content with boot.img'
finish
