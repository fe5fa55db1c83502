#!/bin/bash
# SPDX-License-Identifier: MIT
# Requests per second of edged against nginx serving empty_gif with its access log on, in one run on this machine.
# usage: tests/bench/http.sh [BIN_DIR] [SECONDS]   (BIN_DIR holds edged; default .build/release/bin, 5)
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
bin=${1:-$root/.build/release/bin}
seconds=${2:-5}
work=$(mktemp -d)
trap 'kill ${edged:-} ${nginx:-} 2> /dev/null || true; wait; rm -rf "$work"' EXIT
# shellcheck source=tests/bench/daemon.sh
. "$root/tests/bench/daemon.sh"

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start_nginx() {
  nginx_port=$(free_port)
  cat > "$work/nginx.conf" << CONF
worker_processes auto;
daemon off;
pid $work/nginx.pid;
error_log $work/error.log;
events { worker_connections 2048; }
http {
  access_log $work/access.log;
  client_body_temp_path $work; proxy_temp_path $work; fastcgi_temp_path $work; uwsgi_temp_path $work; scgi_temp_path $work;
  server { listen 127.0.0.1:$nginx_port; location / { empty_gif; } }
}
CONF
  nginx -c "$work/nginx.conf" &
  nginx=$!
}

# measure URL CONNECTIONS [SCRIPT]: requests per second; refuses answers that are no success
measure() {
  local report
  report=$(wrk -t2 -c"$2" -d"${seconds}s" ${3:+-s "$3"} "$1")
  if grep -q 'Non-2xx' <<< "$report"; then
    echo "$1 answered errors" >&2
    exit 1
  fi
  awk '/Requests\/sec/ { print $2 }' <<< "$report"
}

exists() {
  [ "$(curl -s -o /dev/null -w '%{http_code}' "$@")" = 200 ]
}

start_nginx
"$bin/edgectl" key generate --kind pixel --config none --data-dir "$work/data" > "$work/key.log"
token=$("$bin/edgectl" pixel generate --campaign bench --recipient u-1 --as token --config none --data-dir "$work/data")
start_edged "$bin"
event=$(printf '{"type":"track","event":"Order Completed","userId":"user-42","properties":{"note":"%0480d"}}' 7)
cat > "$work/event.lua" << LUA
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '$event'
LUA
echo "machine: $(nproc) cores, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1); $seconds s each; event of ${#event} octets"
printf '%-22s %6s %10s %10s %7s\n' target conns edged nginx ratio
for connections in 32 400; do
  peer=$(measure "http://127.0.0.1:$nginx_port/x.gif" "$connections")
  row() {
    local rate
    rate=$(measure "$2" "$connections" "${3:-}")
    printf '%-22s %6d %10.0f %10.0f %7.2f\n' "$1" "$connections" "$rate" "$peer" "$(awk "BEGIN { print $rate / $peer }")"
  }
  row /health/live "$url/health/live"
  if exists "$url/pixel/track/$token"; then
    row /pixel/track "$url/pixel/track/$token"  # a valid token: every open is stored
  fi
  if exists -H 'Content-Type: application/json' -d "$event" "$url/track/event"; then
    row /track/event "$url/track/event" "$work/event.lua"
  fi
done
