# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What ./run and ./check share: the packages of a fresh Debian 12, and a quiet build. Sourced, not run.

export build_packages="g++ cmake ninja-build pkg-config libpoco-dev libcli11-dev libspdlog-dev libfmt-dev libsqlite3-dev \
libssl-dev zlib1g-dev libtomlplusplus-dev libsimdjson-dev libexpected-dev libsodium-dev libwslay-dev"
export test_packages="catch2 python3 curl mandoc shellcheck bash fish zsh"
export lint_packages="clang-14 clang-tidy-14 clang-format-14 libclang-rt-14-dev"

# What runs clients from npm; other runs than CI use what is there or skip those tests.
client_packages=""
if [ "${CI:-}" = true ]; then
  command -v node >/dev/null 2>&1 || client_packages="nodejs"
  command -v npm >/dev/null 2>&1 || client_packages="$client_packages npm"
fi
export client_packages

# Jobs: as many as there are cores, but 1.5 GiB of memory for each.
jobs=$(nproc)
by_memory=$(awk '/^MemTotal:/ { n = int($2 / 1572864); print (n > 0 ? n : 1) }' /proc/meminfo)
[ "$jobs" -le "$by_memory" ] || jobs=$by_memory

# need_packages NAME...: installs what is missing; with --no-install or without the right to, says how and ends with 2.
need_packages() {
  if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "this is no Debian; make sure these are there: $*" >&2
    return 0
  fi
  missing=""
  for package in "$@"; do
    dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  sudo=""
  [ "$(id -u)" = 0 ] || sudo="sudo "
  echo "${sudo}apt-get install -y --no-install-recommends$missing" >&2
  if [ "${install:-yes}" = no ] || { [ -n "$sudo" ] && ! command -v sudo >/dev/null 2>&1; }; then
    echo "packages are missing; run the line above (and ${sudo}apt-get update before it), then try again" >&2
    exit 2
  fi
  log=$(mktemp)
  # shellcheck disable=SC2086 # the words are meant to be split
  if ! { ${sudo}apt-get update && ${sudo}env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    $missing; } >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    exit 2
  fi
  rm -f "$log"
}

# build_in DIR CMAKE_ARGUMENT...: configures once and builds; the compiler's talk is shown when it fails.
build_in() {
  dir=$1
  shift
  mkdir -p "$dir"
  if [ ! -f "$dir/build.ninja" ] && ! cmake -S . -B "$dir" -G Ninja "$@" >"$dir/configure.log" 2>&1; then
    cat "$dir/configure.log" >&2
    exit 1
  fi
  if [ -t 2 ]; then
    cmake --build "$dir" --parallel "$jobs" 2>&1 | tee "$dir/build.log" |
      while IFS= read -r line; do printf '\r\033[K%.78s' "$line" >&2; done
    printf '\r\033[K' >&2
  fi
  cmake --build "$dir" --parallel "$jobs" >"$dir/build.log" 2>&1 && return 0
  grep -v '^\[' "$dir/build.log" >&2 || cat "$dir/build.log" >&2
  exit 1
}
