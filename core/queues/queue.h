// SPDX-License-Identifier: MIT
// What a queue is: its settings and who consumes it (platform spec 3.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::queues {

inline constexpr std::size_t kMaxNameBytes = 63;
inline constexpr std::size_t kMaxQueues = 10'000;
inline constexpr std::int64_t kPullBatch = 5;  ///< when neither request nor consumer says
inline constexpr std::int64_t kPushBatch = 10;
inline constexpr std::int64_t kMaxVisibility = 43'200'000;  ///< ms
inline constexpr std::int64_t kMaxConcurrency = 64;         ///< of one push consumer

struct Settings {
  std::int64_t delivery_delay = 0;  ///< seconds
  bool delivery_paused = false;
  std::int64_t retention = 345'600;  ///< seconds

  bool operator==(const Settings&) const = default;
};

/// Who takes the messages.
struct Consumer {
  enum class Type : std::uint8_t {
    HttpPull,  ///< clients that ask
    Worker,    ///< `url`, which is posted to
  };
  std::string id = {};
  Type type = Type::HttpPull;
  std::string url = {};
  std::int64_t batch_size = kPullBatch;
  std::int64_t max_retries = 3;
  std::int64_t max_wait_time = 5'000;        ///< ms until a batch goes that is not full
  std::int64_t retry_delay = 0;              ///< seconds
  std::int64_t visibility_timeout = 30'000;  ///< ms
  std::int64_t max_concurrency = 4;
  std::string dead_letter_queue = {};  ///< its name; empty = what is given up is dropped
  std::int64_t created = 0;            ///< ms

  bool operator==(const Consumer&) const = default;
};

/// A value; the stored state of one queue.
struct Queue {
  std::string id = {};       ///< 32 lower-case hexadecimal digits
  std::string name = {};     ///< 1 to 63 of `a-z 0-9 -`
  std::int64_t created = 0;  ///< ms, as the next one
  std::int64_t modified = 0;
  Settings settings = {};
  std::optional<Consumer> consumer = {};
  std::uint64_t generation = 0;  ///< how often it was purged
  std::int64_t purged = 0;       ///< ms; when last, 0 = never
  std::uint64_t version = 0;     ///< of its entry in the store; not part of its text

  [[nodiscard]] bool is_pushed() const {
    return consumer && consumer->type == Consumer::Type::Worker;
  }
  /// The consumer, or what holds when there is none.
  [[nodiscard]] Consumer rules() const { return consumer.value_or(Consumer{}); }

  bool operator==(const Queue&) const = default;
};
using QueuePointer = std::shared_ptr<const Queue>;

bool is_queue_id(std::string_view text);
/// Failure: InvalidArgument, reason `bad_name`.
Result<void> check_name(std::string_view name);
/// What is told of an id or a name that no queue has. Reason `queue_not_found`.
Error queue_not_found(std::string_view name);

/// `{"delivery_delay"?,"delivery_paused"?,"message_retention_period"?}` over `base`; other members
/// are ignored. Failure: InvalidArgument naming the member, reason `bad_shape` or `bad_delay`.
Result<Settings> read_settings(json::Value object, Settings base);
/// `{"type":"http_pull"|"worker","url"?,"settings"?:{…},"dead_letter_queue"?}` over `base`;
/// `script_name` may stand for `url`. Failure: InvalidArgument, reason `bad_shape` or `bad_delay`.
Result<Consumer> read_consumer(json::Value object, Consumer base);

/// `{"delivery_delay":…,…}`.
void write_settings(json::Writer& out, const Settings& settings);
/// `"type":…,"settings":{…},"dead_letter_queue"?:…`, without the brackets.
void write_consumer(json::Writer& out, const Consumer& consumer);

}  // namespace edge::queues
