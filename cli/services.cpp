// SPDX-License-Identifier: MIT
// The services on the local store. In a file of its own, so that a program without them need not
// link them.
#include <fmt/format.h>

#include <utility>

#include "cli/call.h"
#include "cli/lazy.h"
#include "cli/secret_sources.h"
#include "core/config/config.h"
#include "core/edge.h"

namespace edge::cli {

Edge& Call::edge(Access access) {
  if (!lazy_->edge) {
    const config::Config& settings = config();
    auto opened = Edge::open(
        settings, open_secrets(*this), {.read_only = access == Access::Read}, clock_, random_);
    if (!opened) {
      const bool is_held = opened.error().reason == "unavailable";
      throw Stop({.error = opened.error(),
                  .hint = is_held && flag("local") ? "the same without --local" : ""});
    }
    detail(fmt::format("via {}", settings.data_dir.string()));
    lazy_->edge = std::shared_ptr<Edge>(std::move(*opened));
  }
  return *std::static_pointer_cast<Edge>(lazy_->edge);
}

}  // namespace edge::cli
