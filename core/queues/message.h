// SPDX-License-Identifier: MIT
// What a queue carries, and the bounds for it (platform spec 3.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::queues {

inline constexpr std::size_t kMaxMessageBytes = 128'000;
inline constexpr std::size_t kMaxSendMessages = 100;
inline constexpr std::size_t kMaxSendBytes = 256'000;
inline constexpr std::int64_t kMaxDelay = 86'400;  ///< seconds
inline constexpr std::size_t kMaxPullMessages = 100;
inline constexpr std::uint64_t kMaxBacklogBytes = 25'000'000'000;  ///< of one queue

enum class ContentType : std::uint8_t {
  Json,  ///< the body is a JSON text
  Text,  ///< UTF-8
  Bytes,
};
/// `json`, `text` or `bytes`.
std::string_view name_of(ContentType type);
std::optional<ContentType> content_type_of(std::string_view name);

/// A message to send.
struct NewMessage {
  std::string body = {};
  ContentType type = ContentType::Json;
  std::optional<std::int64_t> delay = {};  ///< seconds; an explicit 0 beats every default
};

/// A message as it lies in a queue.
struct Message {
  std::string id = {};  ///< 32 lower-case hexadecimal digits
  std::string body = {};
  ContentType type = ContentType::Json;
  std::int64_t timestamp = 0;       ///< ms; when it was sent
  std::uint32_t attempts = 0;       ///< deliveries so far
  std::string source = {};          ///< of a dead letter: the queue that gave it up
  std::uint32_t dead_attempts = 0;  ///< of a dead letter: deliveries there
  std::int64_t arrived = 0;         ///< ms; in this queue

  bool operator==(const Message&) const = default;
};

/// Messages to send at once, and the delay of those that have none.
struct SendRequest {
  std::vector<NewMessage> messages = {};
  std::optional<std::int64_t> delay = {};  ///< seconds
};

/// A delay in seconds, absent when the member is. Failure: InvalidArgument, reason `bad_delay`.
Result<std::optional<std::int64_t>> read_delay(json::Value object);
/// `{"body":…,"content_type"?:"json"|"text"|"bytes","delay_seconds"?:N}`; bytes are base64 there.
/// Failures: InvalidArgument, reason `bad_shape`, `bad_content_type` or `bad_delay`; TooLarge,
/// reason `message_too_large`.
Result<NewMessage> read_message(json::Value object);
/// `{"messages":[…],"delay_seconds"?:N}`. As above, and TooLarge, reason `batch_too_large`, or
/// InvalidArgument, reason `too_many_messages`. An element is named by its index.
Result<SendRequest> read_batch(json::Value object);
/// The bounds of one send. Failures: as above.
Result<void> check(const SendRequest& request);

/// How a body that is JSON is shown.
enum class JsonBody : std::uint8_t { AsBase64, AsJson };
/// Writes `"body":…,"metadata":{…}`: text as it is, bytes in base64, as pulls and peeks show them.
void write_content(json::Writer& out, const Message& message, JsonBody json = JsonBody::AsBase64);

}  // namespace edge::queues
