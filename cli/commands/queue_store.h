// SPDX-License-Identifier: MIT
// The queues of a daemon or of the local store.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "cli/call.h"
#include "core/base/result.h"
#include "core/json/writer.h"
#include "core/queues/queues.h"

namespace edge::cli {

/// One thread only. Failure of all: NotFound naming the queue.
class QueueStore {
 public:
  QueueStore() = default;
  QueueStore(const QueueStore&) = delete;
  QueueStore& operator=(const QueueStore&) = delete;
  QueueStore(QueueStore&&) = delete;
  QueueStore& operator=(QueueStore&&) = delete;
  virtual ~QueueStore() = default;

  /// How all queues stand, each a JSON object (core/queues/report.h).
  virtual Result<std::vector<std::string>> reports() = 0;
  /// How one stands, with its settings.
  virtual Result<std::string> details(const std::string& name) = 0;
  virtual Result<queues::PeekPage> peek(const std::string& name,
                                        const queues::PeekRequest& request) = 0;
  virtual Result<void> create(const std::string& name) = 0;
  virtual Result<void> send(const std::string& name, const queues::NewMessage& message) = 0;
  virtual Result<void> pause(const std::string& name, bool paused) = 0;
  virtual Result<void> purge(const std::string& name) = 0;
  /// Removes messages that were peeked; those that somebody took meanwhile stay.
  virtual Result<void> remove(const std::string& name, const std::vector<std::string>& refs) = 0;
  /// Puts dead letters of the queue back, at most 1,000; how many.
  virtual Result<std::size_t> revive(const std::string& name) = 0;
};

/// Asks the running daemon, else the local store.
std::unique_ptr<QueueStore> open_queues(Call& call, Call::Access access);

/// A report's member that is a text; empty when it is null.
std::string text_in_report(const std::string& report, std::string_view member);

/// Writes the body of a message as a value: JSON as it is, octets in base64.
void write_body(json::Writer& out, queues::ContentType type, const std::string& body);

}  // namespace edge::cli
