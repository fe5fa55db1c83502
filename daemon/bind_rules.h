// SPDX-License-Identifier: MIT
#pragma once

#include "core/base/result.h"
#include "core/edge.h"

namespace edge {

/// What the operator has spelled out on the command line.
struct BindConsent {
  bool behind_proxy = false;
  bool insecure_http = false;
};

/// Refuses to listen beyond this machine unless everything that protects the daemon is set up
/// (identity spec 6.3). Failure: InvalidArgument, reason `open_bind`, with every reason in the
/// message. A loopback bind always passes.
Result<void> check_bind(Edge& edge, const BindConsent& consent);

}  // namespace edge
