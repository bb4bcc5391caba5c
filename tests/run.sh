#!/bin/bash
# Run the given tests with prove, two at a time, and end with "N passed, N failed". In CI a test that
# skips counts as failed.
set -u
cd "$(dirname "$0")/.." || exit 1
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export CMOCKA_MESSAGE_OUTPUT=TAP
prove --jobs "${JOBS:-2}" --timer --exec '' "$@" 2>&1 | tee "$log"
status=${PIPESTATUS[0]}
n_tests=$(sed -n 's/^Files=[0-9]*, Tests=\([0-9]*\),.*/\1/p' "$log")
n_failed=$(sed -n 's/.*Failed: \([0-9]*\)).*/\1/p' "$log" | awk '{n += $1} END {print n + 0}')
n_passed=$((${n_tests:-0} - n_failed))
n_skipped=$(grep -c 'skipped: ' "$log")
if [ "$status" != 0 ] && [ "$n_failed" = 0 ]; then
	n_failed=1
fi
if [ "$n_skipped" != 0 ] && [ "${CI:-}" = true ]; then
	echo "$n_skipped test files skipped, which CI does not allow"
	n_failed=$((n_failed + n_skipped))
fi
echo "$n_passed passed, $n_failed failed"
[ "$n_failed" = 0 ]
