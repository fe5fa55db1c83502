// SPDX-License-Identifier: MIT
#include "cli/commands/replay_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <utility>
#include <vector>

#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::cli {
namespace {

using delivery::ReplayItem;
using queues::Message;
using queues::PeekPage;

Error no_event(const Message& message) {
  return {ErrorCode::InvalidArgument,
          fmt::format("message {} is no event: its body is not a JSON object", message.id),
          "",
          "bad_item"};
}

/// The event that the message holds.
Result<std::string> event_of(const Message& message) {
  const auto document = message.type == queues::ContentType::Bytes
                            ? Result<json::Document>(Failure(no_event(message)))
                            : json::Document::parse(message.body, json::kEvent);
  if (!document || !document->root().is_object()) {
    return Failure(no_event(message));
  }
  const auto id = document->root().find("messageId");
  if (id && !id->is_null() && id->as_string() != "") {
    return message.body;
  }
  json::Writer out;
  out.begin_object().member("messageId", "queue-" + message.id);
  for (const auto& [name, value] : document->root().members()) {
    if (name != "messageId") {
      out.key(name).value(value);
    }
  }
  return out.end_object().take();
}

class QueueSource final : public delivery::ReplaySource {
 public:
  QueueSource(std::unique_ptr<QueueStore> store,
              std::string name,
              bool keeps,
              std::int64_t begin,
              std::string given_up_by,
              PeekPage first)
      : store_(std::move(store)),
        name_(std::move(name)),
        keeps_(keeps),
        begin_(begin),
        given_up_by_(std::move(given_up_by)) {
    take(std::move(first));
  }

  /// Messages leave when they are acknowledged, so a later run begins with the rest by itself.
  [[nodiscard]] std::string identity() const override { return {}; }
  Result<void> seek(std::uint64_t /*position*/) override { return {}; }

  Result<std::optional<ReplayItem>> next() override {
    while (ready_.empty() && !cursor_.empty()) {
      auto page = store_->peek(name_, {.batch_size = kPage, .cursor = cursor_, .ready = true});
      if (!page) {
        return Failure(page.error());
      }
      take(std::move(*page));
    }
    if (ready_.empty()) {
      return std::nullopt;
    }
    queues::Peeked peeked = std::move(ready_.front());
    ready_.pop_front();
    ReplayItem item{.position = ++position_};
    auto event = event_of(peeked.message);
    if (event) {
      item.event = std::move(*event);
      refs_.emplace(item.position, std::move(peeked.ref));
    } else {
      item.problem = std::move(event.error());
    }
    return item;
  }

  Result<void> acknowledged(const ReplayItem& item) override {
    if (const auto ref = refs_.extract(item.position); !ref.empty()) {
      taken_.push_back(ref.mapped());
    }
    return taken_.size() < kPage ? Result<void>{} : flush();
  }
  Result<void> failed(const ReplayItem& item) override {
    refs_.erase(item.position);
    return {};
  }
  Result<void> flush() override {
    const std::vector<std::string> refs = std::exchange(taken_, {});
    return keeps_ || refs.empty() ? Result<void>{} : store_->remove(name_, refs);
  }

 private:
  static constexpr std::size_t kPage = queues::kMaxPullMessages;

  /// What came after the start is left; a page of nothing else is the end.
  void take(PeekPage page) {
    cursor_ = std::move(page.next);
    const auto old = [this](const queues::Peeked& peeked) {
      return peeked.message.timestamp <= begin_;
    };
    if (std::ranges::none_of(page.messages, old)) {
      cursor_.clear();
    }
    for (queues::Peeked& peeked : page.messages) {
      const bool is_wanted = given_up_by_.empty() || peeked.message.source == given_up_by_;
      if (is_wanted && old(peeked)) {
        ready_.push_back(std::move(peeked));
      }
    }
  }

  const std::unique_ptr<QueueStore> store_;
  const std::string name_;
  const bool keeps_;
  const std::int64_t begin_;  // ms
  const std::string given_up_by_;
  std::string cursor_;
  std::uint64_t position_ = 0;
  std::deque<queues::Peeked> ready_;
  std::map<std::uint64_t, std::string> refs_;  // of what is on its way, by position
  std::vector<std::string> taken_;             // acknowledged, still in the queue
};

}  // namespace

Result<std::unique_ptr<delivery::ReplaySource>> replay_queue(std::unique_ptr<QueueStore> store,
                                                             const std::string& name,
                                                             bool keeps,
                                                             Time now,
                                                             const std::string& given_up_by) {
  auto first = store->peek(name, {.batch_size = queues::kMaxPullMessages, .ready = true});
  if (!first) {
    return Failure(std::move(first.error()));
  }
  return std::make_unique<QueueSource>(
      std::move(store), name, keeps, to_ms(now), given_up_by, std::move(*first));
}

}  // namespace edge::cli
