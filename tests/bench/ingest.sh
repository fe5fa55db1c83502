#!/bin/bash
# SPDX-License-Identifier: MIT
# Batches of 100 events by many people into edged: events per second and processor time of each part of the daemon,
# with the reads of profiles meanwhile, against SQLite alone in the same run (bench_store). What is compared with a goal is
# processor time, since the load generator works on the same cores: an event may cost one core's 1/60,000 s where SQLite alone
# appends 276,000/s; folding into profiles (threads projector and state) counts apart and should keep up.
# usage: tests/bench/ingest.sh [BUILD_DIR] [SECONDS] [EVENTS]   (default .build/release, 10; EVENTS already stored, default 0)
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$root/.build/release}
seconds=${2:-10}
stored=${3:-0}
work=$(mktemp -d)
trap 'kill ${edged:-} 2> /dev/null || true; wait; rm -rf "$work"' EXIT
# shellcheck source=tests/bench/daemon.sh
. "$root/tests/bench/daemon.sh"

# batches PEOPLE: a wrk script of 100 events by some of so many people, a tenth of them identify
batches() {
  cat << LUA
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local threads = 0
function setup(thread) threads = threads + 1; thread:set("seed", threads) end
function init() math.randomseed(seed) end
function request()
  local events = {}
  for i = 1, 100 do
    local who = math.random(1, $1)
    if i % 10 == 0 then
      events[i] = '{"type":"identify","userId":"user-' .. who .. '","traits":{"plan":"pro","visits":' .. i .. ',"email":"user-' .. who .. '@shop.example"}}'
    else
      events[i] = '{"type":"track","event":"Product Viewed","userId":"user-' .. who .. '","anonymousId":"device-' .. who ..
        '","properties":{"price":19.9,"currency":"EUR","sku":"sku-' .. i .. '","category":"shoes","list":"spring"},"context":{"page":{"path":"/shop/' .. i .. '","url":"https://shop.example/shop/' .. i .. '"},"locale":"de-AT","timezone":"Europe/Vienna"}}'
    end
  end
  return wrk.format(nil, "/v1/batch", nil, '{"batch":[' .. table.concat(events, ",") .. ']}')
end
LUA
}

# Processor time so far in ms: "NAME MS" of each kind of thread.
spent() {
  cat /proc/"$edged"/task/*/stat | sed 's/^[0-9]* (\([^)]*\)) /\1 /' |
    awk -v tick="$(getconf CLK_TCK)" '{ ms[$1] += ($13 + $14) * 1000 / tick } END { for (name in ms) print name, ms[name] }'
}

metric() {
  curl -s "$url/metrics" | awk -v name="$1" '$1 ~ "^" name { sum += $2 } END { printf "%d", sum }'
}

behind() {
  local start
  start=$(date +%s%N)
  until [ "$(metric edge_profiles_behind)" = 0 ]; do sleep 0.02; done
  awk -v a="$start" -v b="$(date +%s%N)" 'BEGIN { printf "%.1f", (b - a) / 1e9 }'
}

start_edged "$build/bin"
token=$("$build/bin/edgectl" token mint --sub bench --role admin --config none --data-dir "$work/data")
cat > "$work/read.lua" << LUA
wrk.headers["Authorization"] = "Bearer $token"
wrk.headers["Content-Type"] = "application/json"
function request() return wrk.format("POST", "/cdp/profile", nil, '{"userId":"user-' .. math.random(1, 1000) .. '"}') end
function delay() return 5 end
LUA
people=20000
if [ "$stored" != 0 ]; then
  people=1000000
  batches $people > "$work/fill.lua"
  until [ "$(metric edge_events_received_total)" -ge "$stored" ]; do
    wrk -t2 -c16 -d30s -s "$work/fill.lua" "$url" > /dev/null
    until [ "$(metric edge_profiles_behind)" -lt 100000 ]; do sleep 0.2; done
  done
  echo "$(metric edge_events_received_total) events stored, $(du -sm "$work/data" | cut -f1) MiB; profiles were behind for $(behind) s"
fi
batches $people > "$work/batch.lua"
wrk -t1 -c8 -d1s -s "$work/batch.lua" "$url" > /dev/null
behind > "$work/warm"
spent > "$work/before"
before=$(metric edge_events_received_total)
wrk -t2 -c16 -d"${seconds}s" -s "$work/batch.lua" "$url" > "$work/report"
after=$(metric edge_events_received_total)
late=$(behind)
spent > "$work/after"
if grep -q 'Non-2xx' "$work/report"; then
  echo "batches were refused" >&2
  exit 1
fi
events=$((after - before))
echo "machine: $(nproc) cores, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)"
awk -v n="$events" -v s="$seconds" -v late="$late" 'BEGIN { printf "%.0f events/s answered after the flush; profiles had everything %.1f s after the last answer: %.0f events/s through the whole chain\n", n / s, late, n / (s + late) }'
# Reads wait for what was answered before them, so they are measured below what folding takes: 100 batches/s.
(cat "$work/batch.lua"; echo 'function delay() return 10 end') > "$work/steady.lua"
wrk -t1 -c1 -d"${seconds}s" -s "$work/steady.lua" "$url" > "$work/steady" &
steady=$!
wrk -t1 -c1 -d"${seconds}s" --latency -s "$work/read.lua" "$url" > "$work/reads"
wait "$steady"
awk '/Requests.sec/ { printf "%.0f events/s: ", $2 * 100 }' "$work/steady"
awk '$1 ~ /^(50|99)%$/ { printf "%s %s, ", $1, $2 } /Requests.sec/ { print $2, "profile reads/s" } /Non-2xx/ { print "reads refused:", $5 }' "$work/reads"
join <(sort "$work/before") <(sort "$work/after") | awk -v n="$events" '
  { us = ($3 - $2) * 1000 / n; total += us; if ($1 == "projector") folding = us; if ($1 != "projector" && $1 != "state") ingest += us; if (us >= 0.05) printf "  %-14s %6.2f us/event\n", $1, us }
  END { printf "processor time: %.2f us/event in all, %.2f without folding: %.0f events/s on one core; the projector alone: %.0f\n", total, ingest, 1e6 / ingest, 1e6 / folding }'
echo "resident: $(awk '/VmRSS/ { print int($2 / 1024) }' "/proc/$edged/status") MiB, $(awk '/VmHWM/ { print int($2 / 1024) }' "/proc/$edged/status") at most"
if [ -x "$build/tests/bench_store" ]; then "$build/tests/bench_store" | tail -3; fi
