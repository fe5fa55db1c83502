// SPDX-License-Identifier: MIT
#include "core/queues/message.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/encoding/base64.h"
#include "core/encoding/utf8.h"

namespace edge::queues {
namespace {

constexpr auto kTypes = std::to_array<std::pair<std::string_view, ContentType>>(
    {{"json", ContentType::Json}, {"text", ContentType::Text}, {"bytes", ContentType::Bytes}});

Error wrong(std::string message, const char* field, const char* reason) {
  return {ErrorCode::InvalidArgument, std::move(message), field, reason};
}

Result<ContentType> read_type(json::Value object) {
  const auto given = object.find("content_type");
  if (!given || given->is_null()) {
    return ContentType::Json;
  }
  const auto name = given->as_string();
  const auto type = name ? content_type_of(*name) : std::nullopt;
  if (!type) {
    return Failure(wrong(fmt::format("content_type is json, text or bytes, not {}", given->raw()),
                         "/content_type",
                         "bad_content_type"));
  }
  return *type;
}

Result<std::string> read_body(json::Value body, ContentType type) {
  if (type == ContentType::Json) {
    return std::string(body.raw());
  }
  const auto text = body.as_string();
  if (!text) {
    return Failure(wrong(fmt::format("the body of a message of the type {} is a text{}",
                                     name_of(type),
                                     type == ContentType::Bytes ? " in base64" : ""),
                         "/body",
                         "bad_shape"));
  }
  if (type == ContentType::Text) {
    return std::string(*text);
  }
  auto octets = encoding::base64_decode(*text);
  return octets ? Result<std::string>(std::move(*octets))
                : Failure(wrong("the body of a message of the type bytes is base64, this is not",
                                "/body",
                                "bad_shape"));
}

Result<void> check(const NewMessage& message) {
  if (message.body.size() > kMaxMessageBytes) {
    return Failure(
        {ErrorCode::TooLarge,
         fmt::format(
             "a message has at most {} octets, this one {}", kMaxMessageBytes, message.body.size()),
         "/body",
         "message_too_large"});
  }
  return {};
}

}  // namespace

std::string_view name_of(ContentType type) {
  return kTypes.at(static_cast<std::size_t>(type)).first;
}

std::optional<ContentType> content_type_of(std::string_view name) {
  const auto* const found =
      std::ranges::find(kTypes, name, &std::pair<std::string_view, ContentType>::first);
  return found == kTypes.end() ? std::nullopt : std::optional(found->second);
}

Result<std::optional<std::int64_t>> read_delay(json::Value object) {
  const auto given = object.find("delay_seconds");
  if (!given || given->is_null()) {
    return std::optional<std::int64_t>();
  }
  const auto seconds = given->as_int64();
  if (!seconds || *seconds < 0 || *seconds > kMaxDelay) {
    return Failure(
        wrong(fmt::format(
                  "delay_seconds is a whole number from 0 to {}, not {}", kMaxDelay, given->raw()),
              "/delay_seconds",
              "bad_delay"));
  }
  return seconds;
}

Result<NewMessage> read_message(json::Value object) {
  const auto body = object.find("body");
  if (!body) {
    return Failure(wrong(
        "a message is {\"body\":…,\"content_type\":json|text|bytes,\"delay_seconds\":N}, the last "
        "two may be left out",
        "/body",
        "bad_shape"));
  }
  const auto type = read_type(object);
  const auto delay = type ? read_delay(object) : Failure(type.error());
  if (!delay) {
    return Failure(delay.error());
  }
  auto octets = read_body(*body, *type);
  if (!octets) {
    return Failure(std::move(octets.error()));
  }
  NewMessage message{.body = std::move(*octets), .type = *type, .delay = *delay};
  const auto fits = check(message);
  return fits ? Result<NewMessage>(std::move(message)) : Failure(fits.error());
}

Result<SendRequest> read_batch(json::Value object) {
  const auto list = object.find("messages");
  if (!list || !list->is_array() || list->size() == 0) {
    return Failure(wrong("a batch is {\"messages\":[{\"body\":…},…]} with at least one message",
                         "/messages",
                         "bad_shape"));
  }
  const auto delay = read_delay(object);
  if (!delay) {
    return Failure(delay.error());
  }
  SendRequest request{.delay = *delay};
  if (list->size() > kMaxSendMessages) {
    request.messages.resize(list->size());
    return Failure(check(request).error());
  }
  for (const json::Value element : list->elements()) {
    auto message = read_message(element);
    if (!message) {
      Error error = std::move(message.error());
      const std::size_t index = request.messages.size();
      error.message = fmt::format("message {}: {}", index, error.message);
      error.field = fmt::format("/messages/{}{}", index, error.field);
      return Failure(std::move(error));
    }
    request.messages.push_back(std::move(*message));
  }
  const auto fits = check(request);
  return fits ? Result<SendRequest>(std::move(request)) : Failure(fits.error());
}

Result<void> check(const SendRequest& request) {
  if (request.messages.size() > kMaxSendMessages) {
    return Failure(wrong(fmt::format("a batch has at most {} messages, this one {}",
                                     kMaxSendMessages,
                                     request.messages.size()),
                         "/messages",
                         "too_many_messages"));
  }
  std::size_t bytes = 0;
  for (const NewMessage& message : request.messages) {
    if (auto fits = check(message); !fits) {
      return fits;
    }
    bytes += message.body.size();
  }
  if (bytes > kMaxSendBytes) {
    return Failure({ErrorCode::TooLarge,
                    fmt::format("the messages of a batch have at most {} octets together, these {}",
                                kMaxSendBytes,
                                bytes),
                    "/messages",
                    "batch_too_large"});
  }
  return {};
}

void write_content(json::Writer& out, const Message& message, JsonBody json) {
  out.key("body");
  if (message.type == ContentType::Text) {
    out.string(message.body);
  } else if (message.type == ContentType::Json && json == JsonBody::AsJson) {
    out.raw(message.body);
  } else {
    out.string(encoding::base64_encode(message.body));
  }
  out.key("metadata").begin_object().member("CF-Content-Type", name_of(message.type));
  if (!message.source.empty()) {
    out.member("CF-dead-letter-source", message.source);
    out.member("CF-dead-letter-attempts", std::to_string(message.dead_attempts));
  }
  out.end_object();
}

}  // namespace edge::queues
