// SPDX-License-Identifier: MIT
#include "cli/edge_for_reading.h"

#include <fmt/format.h>

#include <utility>

#include "cli/secret_sources.h"
#include "core/storage/empty_store.h"
#include "core/transport/open.h"

namespace edge::cli {

std::unique_ptr<Edge> edge_for_reading(Call& call) {
  const config::Config& settings = call.config();
  const Clock& clock = call.clock();
  auto opened = Edge::open(settings, open_secrets(call), {.read_only = true}, clock, call.random());
  if (!opened && opened.error().code == ErrorCode::NotFound) {
    opened = Edge::build({.config = settings,
                          .secrets = open_secrets(call),
                          .store = std::make_unique<storage::EmptyStore>(),
                          .http = transport::open_client(transport::GuardRules::trusted(), clock),
                          .read_only = true},
                         clock,
                         call.random());
  }
  if (!opened) {
    throw Stop({.error = opened.error()});
  }
  call.detail(fmt::format("via {}", settings.data_dir.string()));
  return std::move(*opened);
}

}  // namespace edge::cli
