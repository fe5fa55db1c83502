// SPDX-License-Identifier: MIT
#include "core/queues/records.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>
#include <vector>

#include "core/json/members.h"

namespace edge::queues {
namespace {

constexpr std::string_view kNoSource = ".";  // no name of a queue

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t to = std::min(text.find(' ', from), text.size());
    words.push_back(text.substr(from, to - from));
    from = to + 1;
  }
  return words;
}

template <typename Number>
bool read_number(std::string_view text, Number& number) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && stop == end;
}

Error unreadable(std::string_view what) {
  return {ErrorCode::Internal, fmt::format("{} in the store is not readable", what), {}, "corrupt"};
}

}  // namespace

storage::Key queue_key(const std::string& id) {
  return {"queue", "", id};
}

storage::Key name_key(const std::string& name) {
  return {"queue_name", "", name};
}

storage::Key gone_key(const std::string& due_queue) {
  return {"queue_gone", "", due_queue};
}

storage::Key lease_key() {
  return {"queue_key", "", "leases"};
}

std::string due_queue(const Queue& queue) {
  return fmt::format("queue/{}/{}", queue.id, queue.generation);
}

std::string to_json(const Queue& queue) {
  json::Writer out;
  out.begin_object().member("name", queue.name).member("created", queue.created);
  out.member("modified", queue.modified).member("generation", queue.generation);
  out.member("purged", queue.purged).key("settings");
  write_settings(out, queue.settings);
  if (queue.consumer) {
    out.key("consumer").begin_object().member("id", queue.consumer->id);
    out.member("created", queue.consumer->created);
    write_consumer(out, *queue.consumer);
    out.end_object();
  }
  return out.end_object().take();
}

Result<Queue> read_queue(const std::string& id, std::string_view json) {
  const auto document = json::Document::parse(json, json::kStrict);
  const auto settings = document ? document->root().find("settings") : std::nullopt;
  if (!settings) {
    return Failure(unreadable("the queue " + id));
  }
  const json::Value root = document->root();
  Queue queue{.id = id,
              .name = json::text_in(root, "name"),
              .created = json::number_in(root, "created"),
              .modified = json::number_in(root, "modified"),
              .generation = static_cast<std::uint64_t>(json::number_in(root, "generation")),
              .purged = json::number_in(root, "purged")};
  const auto read = read_settings(*settings, {});
  if (!read) {
    return Failure(unreadable("the queue " + id));
  }
  queue.settings = *read;
  if (const auto stored = root.find("consumer")) {
    auto consumer = read_consumer(
        *stored,
        {.id = json::text_in(*stored, "id"), .created = json::number_in(*stored, "created")});
    if (!consumer) {
      return Failure(unreadable("the consumer of the queue " + id));
    }
    queue.consumer = std::move(*consumer);
  }
  return queue;
}

std::string item_id(const Message& message) {
  std::string id = fmt::format("{} {} {}", message.id, message.timestamp, name_of(message.type));
  if (!message.source.empty() || message.arrived > message.timestamp) {
    id += fmt::format(" {} {} {}",
                      message.source.empty() ? kNoSource : message.source,
                      message.dead_attempts,
                      message.arrived);
  }
  return id;
}

Result<Message> head_of(const storage::Due& item) {
  const std::vector<std::string_view> words = words_of(item.id);
  const auto type = words.size() >= 3 ? content_type_of(words[2]) : std::nullopt;
  Message message;
  bool good =
      type && (words.size() == 3 || words.size() == 6) && read_number(words[1], message.timestamp);
  message.arrived = message.timestamp;
  if (good && words.size() == 6) {
    message.source = words[3] == kNoSource ? "" : words[3];
    good = read_number(words[4], message.dead_attempts) && read_number(words[5], message.arrived);
  }
  if (!good) {
    return Failure(unreadable(fmt::format("message {}", item.number)));
  }
  message.id = words[0];
  message.type = *type;
  message.attempts = item.tries;
  return message;
}

}  // namespace edge::queues
