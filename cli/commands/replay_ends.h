// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/call.h"
#include "cli/commands/replay_history.h"
#include "core/delivery/replay_source.h"
#include "core/delivery/replay_target.h"
#include "core/destinations/catalogue.h"
#include "core/transport/http_client.h"

namespace edge::cli {

/// Opens what `--from` and `--to` name and owns what they need. One thread only.
class ReplayEnds {
 public:
  /// `wait` is how to wait for a daemon that does not answer now; false: interrupted. `buries`:
  /// what the target refuses goes to `graveyard`.
  ReplayEnds(Call& call, std::function<bool(std::chrono::milliseconds)> wait, bool buries = false)
      : call_(call), wait_(std::move(wait)), buries_(buries) {}

  /// `FILE`, `-`, `store`, `queue:NAME`, `dlq`, `dlq:NAME`, `http(s)://daemon`. Failure: usage, or
  /// of the file, the store, the queue or the daemon.
  Result<std::unique_ptr<delivery::ReplaySource>> source(const std::string& from);
  /// `http(s)://daemon`, `local`, `destination:NAME`, `webhook:URL`, `-`. Failure: usage, NotFound,
  /// or of the store.
  Result<std::unique_ptr<delivery::ReplayTarget>> target(const std::string& to);
  /// For an event (as it is stored) the ids of destinations that it would reach by that target, as
  /// far as they are known here; after `target`.
  std::function<std::vector<std::string>(const events::Event&)> destinations(const std::string& to);
  /// What watches for events that the target no longer knows, when history is sent to a destination
  /// that forgets ids; after `target`.
  std::optional<HistoryWatch> history(const std::string& from, const std::string& to);
  /// Keeps what that target refuses among the dead letters of the daemon, or of the store where
  /// none runs; after `target`.
  std::function<Result<void>(const delivery::ReplayItem&, const std::string& reason)> graveyard(
      const std::string& to);
  /// Locally stored events: profiles and forwarders take notice.
  Result<void> finish();

 private:
  Result<std::unique_ptr<delivery::ReplaySource>> letters(const std::string& name);
  Result<std::unique_ptr<delivery::ReplaySource>> daemon(const std::string& url,
                                                         const delivery::ColumnMap& columns);
  Result<std::unique_ptr<delivery::ReplayTarget>> webhook(const std::string& url);
  transport::HttpClient& client();
  /// Nothing is sent, or it is only printed: the source stays as it is.
  [[nodiscard]] bool only_looks() const;

  Call& call_;
  std::function<bool(std::chrono::milliseconds)> wait_;
  destinations::Catalogue catalogue_;
  std::unique_ptr<transport::HttpClient> client_;
  std::unique_ptr<Ids> ids_;
  const bool buries_;
  bool stores_ = false;
};

}  // namespace edge::cli
