// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "cli/call.h"
#include "core/delivery/replay_source.h"
#include "core/delivery/replay_target.h"
#include "core/destinations/catalogue.h"
#include "core/transport/http_client.h"

namespace edge::cli {

/// Opens what `--from` and `--to` name and owns what they need. One thread only.
class ReplayEnds {
 public:
  explicit ReplayEnds(Call& call) : call_(call) {}

  /// `FILE`, `-`, `store`, `dlq`, `dlq:NAME`. Failure: usage, or of the file or store.
  Result<std::unique_ptr<delivery::ReplaySource>> source(const std::string& from);
  /// `http(s)://daemon`, `local`, `destination:NAME`, `webhook:URL`, `-`. Failure: usage, NotFound,
  /// or of the store.
  Result<std::unique_ptr<delivery::ReplayTarget>> target(const std::string& to);
  /// Locally stored events: profiles and forwarders take notice.
  Result<void> finish();

 private:
  Result<std::unique_ptr<delivery::ReplayTarget>> webhook(const std::string& url);
  transport::HttpClient& client();

  Call& call_;
  destinations::Catalogue catalogue_;
  std::unique_ptr<transport::HttpClient> client_;
  std::unique_ptr<Ids> ids_;
  bool stores_ = false;
};

}  // namespace edge::cli
