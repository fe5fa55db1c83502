// SPDX-License-Identifier: MIT
// Named places where tests make the world fail: `if (const int error =
// EDGE_FAULT("log.before_commit")) …`. Compiled in only with EDGE_FAULT_POINTS; otherwise the
// expression is the constant 0. The one macro of the project: a function could not be compiled out
// by name.
#pragma once

#include <array>
#include <string_view>
#include <vector>

namespace edge::fault {

/// Every point of the code; `edged --fault-points` prints them. A name that is not here does not
/// compile.
inline constexpr std::array kPoints = std::to_array<std::string_view>({
    "ack.before_send",
    "apply.after_commit",
    "apply.before_commit",
    "checkpoint.mid",
    "config.swap",
    "deliver.after_answer",
    "deliver.before_send",
    "erase.after_swap",
    "erase.before_swap",
    "log.after_commit",
    "log.before_commit",
    "park.after_commit",
    "regulation.after_step",
    "scrub.before_checkpoint",
    "settle.after_commit",
    "settle.before_commit",
    "volume.roll.after_create",
    "volume.seal.before_digest",
    "volume.unlink",
});

consteval std::string_view known(std::string_view name) {
  for (const std::string_view point : kPoints) {
    if (point == name) {
      return point;
    }
  }
  throw "not a fault point: add it to kPoints";
}

/// What EDGE_FAULT is in a program without fault points.
constexpr int absent() {
  return 0;
}

/// Passes the point `name`: 0, or the errno that the caller must act as if it had got; may not
/// return (kill, hang). Reads the environment variable EDGE_FAULT once, when the first point is
/// passed. Thread-safe.
int pass(std::string_view name);

/// Sets the faults of this process in place of EDGE_FAULT: `name[:n][:action]`, several separated
/// by commas. The n-th passage (default 1) does `action`: kill (default, SIGKILL), hang, error or
/// eio (EIO), enospc (ENOSPC). `n+`: that one and all later. False and no change when the text is
/// not of this form or names no point of `kPoints`.
bool arm(std::string_view text);

/// How often each point was passed, in the order of `kPoints`.
std::vector<unsigned long> passages();

}  // namespace edge::fault

#ifdef EDGE_FAULT_POINTS
#define EDGE_FAULT(name) ::edge::fault::pass(::edge::fault::known(name))
#else
#define EDGE_FAULT(name) ::edge::fault::absent()
#endif
