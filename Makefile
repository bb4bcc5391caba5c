# lkflash: make · demo · check · check SAN=1 · golden · guests · check-mbedtls3 · lint · fuzz-<parser> ·
# bench · cover · format · install
#
# Quiet unless V=1. SAN=1 builds with address and undefined-behaviour sanitizers, SAN=thread with the
# thread sanitizer, each in its own folder.

# ---- Debian packages, each listed once -------------------------------------------------------------
BUILD_PACKAGES := gcc make pkg-config libmbedtls-dev libfdisk-dev libblkid-dev libcurl4-openssl-dev \
	libcyaml-dev libyaml-dev libjansson-dev libexpat1-dev libisal-dev liblzma-dev libzstd-dev libbz2-dev \
	liblz4-dev libxxhash-dev liburing-dev libarchive-dev
# What `lkflash build` starts.
IMAGE_PACKAGES := dosfstools mtools e2fsprogs squashfs-tools grub-common
DEMO_PACKAGES := $(IMAGE_PACKAGES) grub-pc-bin systemd-boot-efi memtest86+ qemu-system-x86 ovmf util-linux
UNIT_PACKAGES := libcmocka-dev libfuse3-dev zlib1g-dev
# The machines of tests/qemu, and what their kernels and initrds are made with.
MACHINE_PACKAGES := qemu-system-arm qemu-system-misc qemu-efi-aarch64 ipxe-qemu opensbi \
	debian-archive-keyring cpio bc flex bison gcc-arm-linux-gnueabihf libc6-dev-armhf-cross \
	gcc-riscv64-linux-gnu libc6-dev-riscv64-cross
# Fetched and unpacked, not installed.
GUEST_PACKAGES := linux-image-cloud-amd64:amd64 linux-image-arm64:arm64 linux-image-armmp:armhf \
	linux-source-6.1:amd64
TEST_PACKAGES := $(DEMO_PACKAGES) $(UNIT_PACKAGES) erofs-utils perl openssl fdisk lvm2 xz-utils gzip bzip2 \
	lz4 zstd bmap-tools nbdkit libnbd-bin qemu-utils strace jq curl nginx-light expect bash-completion man-db \
	procps systemd sbsigntool gpg gpg-agent gpgv gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user \
	$(MACHINE_PACKAGES)
CLANG_PACKAGES := clang
LINT_PACKAGES := $(CLANG_PACKAGES) $(UNIT_PACKAGES) clang-format clang-tidy cppcheck shellcheck git
FUZZ_PACKAGES := $(CLANG_PACKAGES) libclang-rt-14-dev
BENCH_PACKAGES := time fuse3
COVER_PACKAGES := gcovr

# ---- Settings --------------------------------------------------------------------------------------
ifeq ($(origin CC),default)
CC := gcc
endif
PREFIX ?= /usr/local
DESTDIR ?=
VERSION := 0.1.0
# The clock of a machine without one is at least this (seconds since 1970).
BUILD_TIME := $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null || date +%s))

PKGS := fdisk blkid liburing libcurl libcyaml yaml-0.1 jansson expat libisal liblzma libzstd liblz4 libxxhash libarchive

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wwrite-strings -Wvla -Wformat=2 -Wconversion -Wundef -Wswitch-enum -Werror
HARDENING := -O2 -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -fcf-protection
VARIANT := release
ifeq ($(SAN),1)
VARIANT := san
HARDENING := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
SAN_LDFLAGS := -fsanitize=address,undefined
else ifeq ($(SAN),thread)
VARIANT := tsan
HARDENING := -O1 -fsanitize=thread
SAN_LDFLAGS := -fsanitize=thread
else ifeq ($(COVER),1)
VARIANT := cover
HARDENING := -O0 --coverage
SAN_LDFLAGS := --coverage
endif
MBEDTLS_CFLAGS ?=
MBEDTLS_LDLIBS ?= -lmbedx509 -lmbedcrypto
CPPFLAGS += -I. -I$(GEN) -D_GNU_SOURCE $(MBEDTLS_CFLAGS)
CFLAGS ?= -g
ALL_CFLAGS = -std=gnu11 $(HARDENING) -fPIE $(WARNINGS) $(CFLAGS)
LDFLAGS += -pie -Wl,-z,relro,-z,now $(SAN_LDFLAGS)
LDLIBS = $(shell pkg-config --libs $(PKGS)) -lbz2 $(MBEDTLS_LDLIBS)

# The release program is build/lkflash; a variant's is build/<variant>/lkflash.
BUILD ?= build
OUT := $(BUILD)/$(VARIANT)
GEN := $(BUILD)/gen
PROGRAM := $(if $(filter release,$(VARIANT)),$(BUILD)/lkflash,$(OUT)/lkflash)

SOURCES := $(sort $(wildcard flash/*.c flash/*/*.c boards/*.c bootloader/*.c provision/*.c provision/*/*.c))
MAIN_SOURCE := provision/cli/main.c
BOARD_FILES := $(sort $(wildcard boards/data/*.yaml))
LIB_OBJECTS := $(patsubst %.c,$(OUT)/%.o,$(filter-out $(MAIN_SOURCE),$(SOURCES))) $(OUT)/boards_builtin.o
LIBRARY := $(OUT)/liblkflash.a
UNIT_TESTS := $(patsubst tests/%.c,$(OUT)/tests/%,$(sort $(wildcard tests/unit/test_*.c)))
UNIT_OBJECTS := $(patsubst %.c,$(OUT)/%.o,$(filter-out tests/unit/test_%,$(wildcard tests/unit/*.c)))
FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_REPLAYS := $(patsubst %,$(OUT)/tests/fuzz/replay_%,$(FUZZ_NAMES))
# Programs that shell tests start.
TEST_TOOLS := $(patsubst tests/%.c,$(OUT)/tests/%,$(sort $(wildcard tests/lib/*.c)))
SHELL_TESTS := $(sort $(wildcard tests/check-*.sh tests/cli/*.sh tests/faults/*.sh \
	tests/golden/*.sh))
# The slow ones first, so that the two that run side by side end together.
MACHINE_TESTS := $(wildcard $(addprefix tests/qemu/,x86-uefi.sh x86-bios.sh qemu-arm64.sh rpi3.sh orangepi-zero.sh))
MACHINE_TESTS += $(filter-out $(MACHINE_TESTS),$(sort $(wildcard tests/qemu/*.sh)))
# The boards of these have firmware that is fetched.
MACHINES := $(filter $(BOARD_FILES:boards/data/%.yaml=%),$(MACHINE_TESTS:tests/qemu/%.sh=%))
GUESTS := $(BUILD)/guests

Q := $(if $(V),,@)
say = $(if $(V),,@echo "  $(1)")

.PHONY: all demo check golden guests check-mbedtls3 lint bench cover format install clean deps-build deps-demo \
	deps-check deps-lint deps-fuzz deps-bench deps-cover tests
.DELETE_ON_ERROR:
.SECONDARY:

all: $(PROGRAM)

# ---- Building --------------------------------------------------------------------------------------
$(PROGRAM): $(OUT)/provision/cli/main.o $(LIBRARY)
	$(call say,LINK  $@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(LIBRARY): $(LIB_OBJECTS)
	$(call say,AR    $@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(OUT)/%.o: %.c
	$(call say,CC    $<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(OUT)/provision/cli/version.o: CPPFLAGS += -DLKFLASH_VERSION='"$(VERSION)"' -DLKFLASH_BUILD_TIME=$(BUILD_TIME)

# The profiles become string literals, so that the program needs no file to know its boards.
$(GEN)/boards_builtin.c: $(BOARD_FILES) boards/builtin.h
	$(call say,GEN   $@)
	$(Q)mkdir -p $(@D)
	$(Q){ echo '#include "boards/builtin.h"'; \
	  echo 'const struct board_builtin board_builtins[] = {'; \
	  for f in $(BOARD_FILES); do echo "{\"$$(basename $$f)\","; \
	    sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&\\n"/' $$f; echo '},'; done; \
	  echo '};'; \
	  echo 'const size_t n_board_builtins = sizeof board_builtins / sizeof *board_builtins;'; } > $@

$(OUT)/boards_builtin.o: $(GEN)/boards_builtin.c
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# ---- Testing ---------------------------------------------------------------------------------------
UNIT_LDFLAGS_test_source_memory := -Wl,--wrap=malloc,--wrap=calloc
UNIT_LDFLAGS_test_copy := -Wl,--wrap=pthread_create
UNIT_LDFLAGS_test_ioq := -Wl,--wrap=fork,--wrap=fsync,--wrap=poll,--wrap=io_uring_queue_init
UNIT_LDFLAGS_test_fd_sink := -Wl,--wrap=helper_do
UNIT_LDFLAGS_test_pool := -Wl,--wrap=calloc
UNIT_LDFLAGS_test_cursor := -Wl,--wrap=source_seek
UNIT_LDFLAGS_test_profile_memory := -Wl,--wrap=calloc,--wrap=realloc,--wrap=reallocarray,--wrap=strdup
UNIT_LDFLAGS_test_trust_memory := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
UNIT_LDFLAGS_test_facts_memory := -Wl,--wrap=calloc,--wrap=realloc,--wrap=strdup

UNIT_LDLIBS_test_codec := -lz
UNIT_LDLIBS_test_codec_gzip := -lz

$(OUT)/tests/unit/%: $(OUT)/tests/unit/%.o $(UNIT_OBJECTS) $(LIBRARY)
	$(call say,LINK  $@)
	$(Q)$(CC) $(LDFLAGS) $(UNIT_LDFLAGS_$*) -o $@ $^ $(LDLIBS) $(UNIT_LDLIBS_$*) -lcmocka

TOOL_LDLIBS_fuse_disk = $(shell pkg-config --libs fuse3)

$(OUT)/tests/lib/%: $(OUT)/tests/lib/%.o $(LIBRARY)
	$(call say,LINK  $@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) $(TOOL_LDLIBS_$*)

$(OUT)/tests/fuzz/replay_%: $(OUT)/tests/fuzz/fuzz_%.o $(OUT)/tests/fuzz/replay.o $(LIBRARY)
	$(call say,LINK  $@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

tests: $(if $(wildcard $(MAIN_SOURCE)),$(PROGRAM)) $(UNIT_TESTS) $(TEST_TOOLS) $(FUZZ_REPLAYS)

check: deps-check
	$(Q)$(MAKE) --no-print-directory tests guests
	$(Q)LKFLASH=$(abspath $(PROGRAM)) BUILD=$(abspath $(OUT)) GUESTS=$(abspath $(GUESTS)) tests/run.sh \
		$(UNIT_TESTS) $(FUZZ_REPLAYS) $(MACHINE_TESTS) $(SHELL_TESTS)

# make golden BOARD=x: the plan of that board's image as it is now (all, without BOARD); git diff
# shows what changed.
golden: $(PROGRAM)
	$(Q)LKFLASH=$(abspath $(PROGRAM)) UPDATE=1 BOARDS='$(BOARD)' tests/golden/build.sh

# Kernels, initrds and firmware for the machines of tests/qemu: the one step that needs a mirror.
guests: $(PROGRAM)
	$(Q)tests/lib/guest_packages.sh $(GUESTS)/packages $(GUEST_PACKAGES)
	$(Q)tests/lib/guests.sh $(GUESTS)
	$(Q)LKFLASH=$(abspath $(PROGRAM)) tests/lib/guest_firmware.sh $(GUESTS)/cache $(MACHINES)

# The trust code against mbedTLS 3.6, which Debian 12 does not have.
check-mbedtls3: deps-check
	$(Q)tests/run.sh tests/mbedtls3.sh

demo: deps-demo
	$(Q)$(MAKE) --no-print-directory all
	$(Q)LKFLASH=$(abspath $(PROGRAM)) tests/demo.sh

lint: deps-lint
	$(Q)WARNINGS='$(WARNINGS)' tests/lint.sh

# make fuzz-cms FUZZ_SECONDS=600
FUZZ_SECONDS ?= 60
fuzz-%: deps-fuzz
	$(Q)mkdir -p $(BUILD)/fuzz/corpus-$*
	$(Q)$(MAKE) --no-print-directory $(GEN)/boards_builtin.c
	$(call say,CLANG fuzz_$*)
	$(Q)clang $(CPPFLAGS) -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -o $(BUILD)/fuzz/fuzz_$* tests/fuzz/fuzz_$*.c \
		$(filter-out $(MAIN_SOURCE),$(SOURCES)) $(GEN)/boards_builtin.c \
		-DLKFLASH_VERSION='"fuzz"' -DLKFLASH_BUILD_TIME=0 $(LDLIBS)
	$(Q)cd $(BUILD)/fuzz && ./fuzz_$* -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 \
		-print_final_stats=1 $(if $(wildcard tests/fuzz/$*.dict),-dict=$(abspath tests/fuzz/$*.dict)) \
		corpus-$* $(abspath tests/fuzz/corpus/$*)

# make bench BENCH_CASE=zst
bench: deps-bench
	$(Q)$(MAKE) --no-print-directory all
	$(Q)LKFLASH=$(abspath $(PROGRAM)) BENCH_JSON=$(abspath $(BUILD))/bench.json tests/bench/bench.sh

cover: deps-check deps-cover
	$(Q)$(MAKE) --no-print-directory check COVER=1
	$(Q)gcovr -r . --object-directory $(BUILD)/cover --exclude tests/

format: deps-lint
	$(Q)clang-format -i $$(git ls-files '*.c' '*.h')

install: all
	install -D -m 755 $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/lkflash
	install -D -m 644 provision/cli/lkflash.8 $(DESTDIR)$(PREFIX)/share/man/man8/lkflash.8
	install -D -m 644 provision/cli/lkflash.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/lkflash

clean:
	rm -rf $(BUILD)

# ---- Packages --------------------------------------------------------------------------------------
deps-build:
	$(Q)tests/lib/packages.sh $(BUILD_PACKAGES)
deps-demo:
	$(Q)tests/lib/packages.sh $(BUILD_PACKAGES) $(DEMO_PACKAGES)
deps-check:
	$(Q)tests/lib/packages.sh $(BUILD_PACKAGES) $(TEST_PACKAGES)
deps-lint:
	$(Q)tests/lib/packages.sh $(BUILD_PACKAGES) $(LINT_PACKAGES)
deps-fuzz:
	$(Q)tests/lib/packages.sh $(BUILD_PACKAGES) $(FUZZ_PACKAGES)
deps-bench:
	$(Q)tests/lib/packages.sh $(BUILD_PACKAGES) $(TEST_PACKAGES) $(BENCH_PACKAGES)
deps-cover:
	$(Q)tests/lib/packages.sh $(COVER_PACKAGES)

-include $(shell find $(OUT) -name '*.d' 2>/dev/null)
