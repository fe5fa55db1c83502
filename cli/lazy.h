// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>

#include "cli/call.h"
#include "cli/remote.h"
#include "core/config/load.h"

namespace edge::cli {

/// What a call has made so far of the expensive things.
struct Call::Lazy {
  std::optional<config::Loaded> config;
  std::unique_ptr<Remote> remote;
  std::shared_ptr<void> edge;  // an Edge; erased so that only services.cpp needs it whole
};

}  // namespace edge::cli
