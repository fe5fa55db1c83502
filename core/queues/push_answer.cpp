// SPDX-License-Identifier: MIT
#include "core/queues/push_answer.h"

#include <algorithm>
#include <map>

#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::queues {
namespace {

constexpr std::int64_t kLongestBackoff = 600;
constexpr std::uint32_t kMostDoublings = 10;

/// The messages that an answer wants repeated, with their delays.
std::map<std::string_view, std::optional<std::int64_t>> wanted_again(json::Value answer) {
  std::map<std::string_view, std::optional<std::int64_t>> again;
  const auto retries = answer.find("retries");
  for (const json::Value retry : retries ? retries->elements() : json::Elements{}) {
    const auto id = retry.find("id");
    const auto text = id ? id->as_string() : retry.as_string();
    if (text) {
      again.emplace(*text, read_delay(retry).value_or(std::nullopt));
    }
  }
  return again;
}

}  // namespace

std::string push_body(const Queue& queue, const std::vector<Delivery>& deliveries) {
  json::Writer out;
  out.begin_object().member("queue", queue.name).key("messages").begin_array();
  for (const auto& [message, lease] : deliveries) {
    out.begin_object().member("id", message.id).member("timestamp_ms", message.timestamp);
    out.member("attempts", std::uint64_t{message.attempts});
    write_content(out, message, JsonBody::AsJson);
    out.end_object();
  }
  return out.end_array().end_object().take();
}

std::int64_t push_backoff(const Consumer& consumer, std::uint32_t attempts) {
  const std::int64_t delay = consumer.retry_delay > 0
                                 ? consumer.retry_delay
                                 : std::int64_t{1} << std::min(attempts, kMostDoublings);
  return std::min(delay, kLongestBackoff);
}

Outcomes push_outcomes(const Queue& queue,
                       const std::vector<Delivery>& deliveries,
                       const Result<transport::IncomingResponse>& answer) {
  Outcomes outcomes;
  if (!answer || answer->status / 100 != 2) {
    for (const Delivery& delivery : deliveries) {
      outcomes.retries.push_back(
          {delivery.lease, push_backoff(queue.rules(), delivery.message.attempts)});
    }
    return outcomes;
  }
  const auto body = json::Document::parse(answer->body, json::kApi);
  const auto again =
      body ? wanted_again(body->root()) : std::map<std::string_view, std::optional<std::int64_t>>();
  for (const Delivery& delivery : deliveries) {
    const auto found = again.find(delivery.message.id);
    if (found == again.end()) {
      outcomes.acks.push_back(delivery.lease);
    } else {
      outcomes.retries.push_back({delivery.lease, found->second});
    }
  }
  return outcomes;
}

}  // namespace edge::queues
