#!/bin/bash
# SPDX-License-Identifier: MIT
# Logins per second with the default argon2id (19 MiB, 2 passes), which is what a login consists of; 4 clients at once, as many
# as are hashed at once on two cores.
# usage: tests/bench/login.sh [BUILD_DIR] [SECONDS]   (default .build/release, 10)
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$root/.build/release}
seconds=${2:-10}
work=$(mktemp -d)
trap 'kill ${edged:-} 2> /dev/null || true; wait; rm -rf "$work"' EXIT
# shellcheck source=tests/bench/daemon.sh
. "$root/tests/bench/daemon.sh"

start_edged "$build/bin"
password="a long enough password"
echo "$password" | "$build/bin/edgectl" user create --email ada@example.com --role admin --url "$url" > /dev/null
cat > "$work/login.lua" << LUA
wrk.method = "POST"
wrk.path = "/auth/login"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"email":"ada@example.com","password":"$password"}'
LUA
wrk -t1 -c4 -d1s -s "$work/login.lua" "$url" > /dev/null
wrk -t1 -c4 -d"${seconds}s" --latency -s "$work/login.lua" "$url" > "$work/report"
if grep -q 'Non-2xx' "$work/report"; then
  cat "$work/report" >&2
  exit 1
fi
echo "machine: $(nproc) cores, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)"
awk '$1 ~ /^(50|99)%$/ { printf "%s %s, ", $1, $2 } /Requests.sec/ { printf "%.1f logins/s\n", $2 }' "$work/report"
