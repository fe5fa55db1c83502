#!/bin/bash
# SPDX-License-Identifier: MIT
# For the other scripts here, which set `work` to a folder of their own.
# shellcheck disable=SC2034,SC2154

# start_edged BIN_DIR: a daemon with its data below $work; sets `edged` (its process) and `url`
start_edged() {
  export XDG_RUNTIME_DIR=$work
  "$1/edged" --config none --data-dir "$work/data" --listen 127.0.0.1:0 2> "$work/edged.log" &
  edged=$!
  for _ in $(seq 100); do
    if [ -s "$work/edgectl/edged.json" ]; then break; fi
    sleep 0.05
  done
  url=$(sed 's/.*"url":"\([^"]*\)".*/\1/' "$work/edgectl/edged.json")
}
