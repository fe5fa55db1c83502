#!/bin/bash
# SPDX-License-Identifier: MIT
# Decisions of our core against Optimizely's JavaScript SDK under node: same datafiles, same users, calls per second of
# processor time, in one run on this machine. Needs node and npm.
# usage: tests/bench/decide.sh [BUILD_DIR]   (a build with -DEDGE_BENCH=ON; default .build/bench)
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$root/.build/bench}
bench=$build/tests/bench_decide
[ -x "$bench" ] || bench=$build/bin/bench_decide
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cp "$root/tests/vectors/decisions/starter.json" "$work/"
gunzip -c "$root/tests/vectors/decisions/large.json.gz" > "$work/large.json"
CI=true "$root/tests/compat/run" bench/decide_sdk.mjs "$build/compat" "$work/starter.json" "$work/large.json" > "$work/sdk.tsv"
"$bench" "$work/starter.json" "$work/large.json" > "$work/ours.tsv"

echo "machine: $(nproc) cores, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1); node $(node --version)"
awk -F '\t' '
  NR == FNR { sdk[$1 FS $2] = $3; next }
  FNR == 1 { printf "%-10s %-10s %12s %12s %8s  %s\n", "datafile", "call", "SDK/s", "ours/s", "ratio", "" }
  { printf "%-10s %-10s %12.0f %12.0f %8.1f  %s\n", $1, $2, sdk[$1 FS $2], $3, $3 / sdk[$1 FS $2], $4 }
' "$work/sdk.tsv" "$work/ours.tsv"
