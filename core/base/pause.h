// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <stop_token>

namespace edge {

/// Waits on the calling thread for `time`, or until a stop is asked for, whichever is first.
void pause(std::chrono::milliseconds time, const std::stop_token& stop);

}  // namespace edge
