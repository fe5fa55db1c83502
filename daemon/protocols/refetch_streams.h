// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "core/flags/project.h"
#include "daemon/http/stream.h"

namespace edge::protocols {

/// The clients that want to hear of new datafiles of one project (decisions spec 17.2). Each change
/// is one event:
///
///     id: MILLISECONDS
///     event: message
///     data: {"type":"refetchEvaluation","etag":TAG,"lastModified":SECONDS}
///
/// Thread-safe.
class RefetchStreams {
 public:
  /// Borrows the project for life and listens to it.
  explicit RefetchStreams(flags::Project& project);
  RefetchStreams(const RefetchStreams&) = delete;
  RefetchStreams& operator=(const RefetchStreams&) = delete;
  RefetchStreams(RefetchStreams&&) = delete;
  RefetchStreams& operator=(RefetchStreams&&) = delete;
  ~RefetchStreams() = default;

  /// A stream for one more client. `last_event_id`: what it heard last; when that is another one
  /// than the last change, the stream begins with that change.
  std::shared_ptr<http::Stream> open(std::optional<std::string_view> last_event_id);

 private:
  struct Clients {
    std::mutex mutex;
    std::vector<std::shared_ptr<http::Stream>> streams;  // guarded by mutex
  };

  flags::Project& project_;
  const std::shared_ptr<Clients> clients_ = std::make_shared<Clients>();
};

}  // namespace edge::protocols
