#!/bin/bash
# SPDX-License-Identifier: MIT
# Decisions per second over HTTP: POST /v1/decide of edged against its GET /health/live, in one run on this machine.
# Goal: at 64 connections at least half of what the probe does (20,000/s where that is 40,000/s).
# usage: tests/bench/agent.sh [BIN_DIR] [SECONDS]   (BIN_DIR holds edged; default .build/release/bin, 5)
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
bin=${1:-$root/.build/release/bin}
seconds=${2:-5}
work=$(mktemp -d)
trap 'kill ${edged:-} 2> /dev/null || true; wait; rm -rf "$work"' EXIT
# shellcheck source=tests/bench/daemon.sh
. "$root/tests/bench/daemon.sh"

# measure PATH SCRIPT: requests per second; refuses answers that are no success
measure() {
  local report
  report=$(wrk -t2 -c64 -d"${seconds}s" -s "$2" "$url$1")
  if grep -q 'Non-2xx' <<< "$report"; then
    echo "$1 answered errors" >&2
    exit 1
  fi
  awk '/Requests\/sec/ { print $2 }' <<< "$report"
}

export EDGE_FLAGS_DATAFILE=$root/tests/vectors/decisions/starter.json
start_edged "$bin"
echo '' > "$work/get.lua"
flag=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["featureFlags"][0]["key"])' \
  "$root/tests/vectors/decisions/starter.json")
# 5,000 users: the first request of each finds nothing remembered and is stored.
cat > "$work/decide.lua" << 'LUA'
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["X-Optimizely-SDK-Key"] = "bench"
request = function()
  local user = math.random(1, 5000)
  return wrk.format(nil, nil, nil, '{"userId":"user-' .. user .. '","userAttributes":{"plan":"pro","age":42}}')
end
LUA
echo "machine: $(nproc) cores, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1); $seconds s each, 64 connections"
measure "/v1/decide?keys=$flag" "$work/decide.lua" > /dev/null
probe=$(measure /health/live "$work/get.lua")
printf '%-34s %10s %7s\n' request per_s ratio
printf '%-34s %10.0f %7.2f\n' 'GET /health/live' "$probe" 1
for path in "/v1/decide?keys=$flag" /v1/decide; do
  rate=$(measure "$path" "$work/decide.lua")
  printf '%-34s %10.0f %7.2f\n' "POST $path" "$rate" "$(awk "BEGIN { print $rate / $probe }")"
done
