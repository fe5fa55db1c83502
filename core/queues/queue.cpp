// SPDX-License-Identifier: MIT
#include "core/queues/queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/encoding/utf8.h"
#include "core/queues/message.h"

namespace edge::queues {
namespace {

constexpr std::size_t kIdDigits = 32;

Error wrong(std::string message, std::string_view member, const char* reason = "bad_shape") {
  return {ErrorCode::InvalidArgument, std::move(message), fmt::format("/{}", member), reason};
}

/// A whole number with its bounds, as a setting.
struct Bounded {
  const char* member;
  std::int64_t* slot;
  std::int64_t least;
  std::int64_t most;
  const char* reason = "bad_shape";
};

/// Sets it when the member is there; `null` leaves it as it is.
Result<void> read_number(json::Value object, const Bounded& setting) {
  const auto given = object.find(setting.member);
  if (!given || given->is_null()) {
    return {};
  }
  const auto number = given->as_int64();
  if (!number || *number < setting.least || *number > setting.most) {
    return Failure(wrong(fmt::format("{} is a whole number from {} to {}, not {}",
                                     setting.member,
                                     setting.least,
                                     setting.most,
                                     given->raw()),
                         setting.member,
                         setting.reason));
  }
  *setting.slot = *number;
  return {};
}

Result<std::optional<std::string>> read_text(json::Value object, const char* member) {
  const auto given = object.find(member);
  if (!given) {
    return std::optional<std::string>();
  }
  if (given->is_null()) {
    return std::optional<std::string>("");
  }
  const auto text = given->as_string();
  return text ? Result<std::optional<std::string>>(std::string(*text))
              : Failure(wrong(fmt::format("{} is a text", member), member));
}

Result<void> read_type(json::Value object, Consumer& consumer) {
  const auto type = object.find("type");
  if (!type) {
    return {};
  }
  const bool pushes = type->as_string() == "worker";
  if (!pushes && type->as_string() != "http_pull") {
    return Failure(wrong(fmt::format("type is worker or http_pull, not {}", type->raw()), "type"));
  }
  const auto wanted = pushes ? Consumer::Type::Worker : Consumer::Type::HttpPull;
  if (wanted != consumer.type) {
    consumer.batch_size = pushes ? kPushBatch : kPullBatch;
  }
  consumer.type = wanted;
  return {};
}

Result<void> read_url(json::Value object, Consumer& consumer) {
  for (const char* member : {"url", "script_name"}) {
    auto url = read_text(object, member);
    if (!url) {
      return Failure(std::move(url.error()));
    }
    if (*url && !(*url)->empty()) {
      consumer.url = std::move(**url);
      break;
    }
  }
  if (consumer.type == Consumer::Type::HttpPull) {
    consumer.url.clear();
    return {};
  }
  if (!consumer.url.starts_with("https://") && !consumer.url.starts_with("http://")) {
    return Failure(
        wrong("a consumer of the type worker needs a url that messages are posted to, http:// or "
              "https://",
              "url"));
  }
  return {};
}

Result<void> read_consumer_settings(json::Value settings, Consumer& consumer) {
  for (const Bounded& setting :
       {Bounded{"batch_size", &consumer.batch_size, 1, 100},
        {"max_retries", &consumer.max_retries, 0, 100},
        {"max_wait_time_ms", &consumer.max_wait_time, 0, 60'000},
        {"visibility_timeout_ms", &consumer.visibility_timeout, 0, kMaxVisibility},
        {"max_concurrency", &consumer.max_concurrency, 1, kMaxConcurrency},
        {"retry_delay", &consumer.retry_delay, 0, kMaxDelay, "bad_delay"}}) {
    if (auto read = read_number(settings, setting); !read) {
      return read;
    }
  }
  return {};
}

}  // namespace

bool is_queue_id(std::string_view text) {
  return text.size() == kIdDigits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Result<void> check_name(std::string_view name) {
  const bool fits =
      !name.empty() && name.size() <= kMaxNameBytes && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
      });
  return fits ? Result<void>{}
              : Failure({ErrorCode::InvalidArgument,
                         fmt::format("the name of a queue is 1 to {} of a-z, 0-9 and -, not \"{}\"",
                                     kMaxNameBytes,
                                     encoding::repaired_utf8(name)),
                         "/queue_name",
                         "bad_name"});
}

Error queue_not_found(std::string_view name) {
  return {ErrorCode::NotFound,
          fmt::format("there is no queue \"{}\"", encoding::repaired_utf8(name)),
          {},
          "queue_not_found"};
}

Result<Settings> read_settings(json::Value object, Settings base) {
  if (!object.is_object()) {
    return Failure(wrong("settings is an object", "settings"));
  }
  if (auto read = read_number(
          object, Bounded{"delivery_delay", &base.delivery_delay, 0, kMaxDelay, "bad_delay"});
      !read) {
    return Failure(std::move(read.error()));
  }
  if (auto read =
          read_number(object, Bounded{"message_retention_period", &base.retention, 60, 1'209'600});
      !read) {
    return Failure(std::move(read.error()));
  }
  const auto paused = object.find("delivery_paused");
  if (paused && !paused->is_null()) {
    const auto value = paused->as_bool();
    if (!value) {
      return Failure(wrong("delivery_paused is true or false", "delivery_paused"));
    }
    base.delivery_paused = *value;
  }
  return base;
}

Result<Consumer> read_consumer(json::Value object, Consumer base) {
  if (!object.is_object()) {
    return Failure(wrong("a consumer is an object: {\"type\":\"http_pull\"}", "type"));
  }
  auto read = read_type(object, base);
  read = read ? read_url(object, base) : read;
  if (const auto settings = object.find("settings"); read && settings && !settings->is_null()) {
    read = settings->is_object() ? read_consumer_settings(*settings, base)
                                 : Failure(wrong("settings is an object", "settings"));
  }
  auto letters = read ? read_text(object, "dead_letter_queue")
                      : Result<std::optional<std::string>>(Failure(read.error()));
  if (!letters) {
    return Failure(std::move(letters.error()));
  }
  if (*letters) {
    if (auto fits = check_name(**letters); !fits && !(*letters)->empty()) {
      fits.error().field = "/dead_letter_queue";
      fits.error().reason = "bad_shape";
      return Failure(std::move(fits.error()));
    }
    base.dead_letter_queue = std::move(**letters);
  }
  return base;
}

void write_settings(json::Writer& out, const Settings& settings) {
  out.begin_object()
      .member("delivery_delay", settings.delivery_delay)
      .member("delivery_paused", settings.delivery_paused)
      .member("message_retention_period", settings.retention)
      .end_object();
}

void write_consumer(json::Writer& out, const Consumer& consumer) {
  const bool pushes = consumer.type == Consumer::Type::Worker;
  out.member("type", pushes ? "worker" : "http_pull");
  if (pushes) {
    out.member("url", consumer.url);
  }
  out.key("settings").begin_object();
  out.member("batch_size", consumer.batch_size).member("max_retries", consumer.max_retries);
  out.member("retry_delay", consumer.retry_delay);
  if (pushes) {
    out.member("max_wait_time_ms", consumer.max_wait_time);
    out.member("max_concurrency", consumer.max_concurrency);
  } else {
    out.member("visibility_timeout_ms", consumer.visibility_timeout);
  }
  out.end_object();
  if (!consumer.dead_letter_queue.empty()) {
    out.member("dead_letter_queue", consumer.dead_letter_queue);
  }
}

}  // namespace edge::queues
