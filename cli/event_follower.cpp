// SPDX-License-Identifier: MIT
#include "cli/event_follower.h"

#include <algorithm>
#include <utility>

#include "core/json/document.h"

namespace edge::cli {
namespace {

constexpr std::size_t kPage = 200;
constexpr std::size_t kMostFollowed = 1'000;
constexpr std::size_t kMostAsked = 50;  // of one look
constexpr std::chrono::milliseconds kLongestPause{10'000};

std::string text_of(json::Value object, std::string_view name) {
  const auto value = object.find(name);
  return std::string(value ? value->as_string().value_or("") : "");
}

}  // namespace

EventFollower::EventFollower(Call& call,
                             StoredEvents& stored,
                             profiles::ObjectFilter filter,
                             std::optional<Time> since)
    : call_(call), stored_(stored), filter_(std::move(filter)), choice_(choice_of(call)) {
  choice_.limit = kPage;
  choice_.since = since ? to_ms(*since) : choice_.since;
}

bool EventFollower::takes(const std::string& event) {
  const auto document = json::Document::parse(event, json::kEvent);
  return document && filter_.takes(document->root(), call_.clock().now());
}

Result<std::vector<std::string>> EventFollower::present(std::size_t most) {
  const auto newest = stored_.before({.limit = 1});
  if (!newest) {
    return Failure(newest.error());
  }
  position_ = newest->positions.empty() ? 0 : newest->positions.front();
  std::vector<std::string> events;
  storage::Find query = choice_;
  query.before = position_ + 1;
  bool more = most > 0 && position_ > 0;
  while (more) {
    auto page = stored_.before(query);
    if (!page) {
      return Failure(page.error());
    }
    for (std::string& event : page->events) {
      if (events.size() < most && takes(event)) {
        events.push_back(std::move(event));
      }
    }
    more = page->next && events.size() < most;
    query.before = page->next.value_or(0);
  }
  std::ranges::reverse(events);
  return events;
}

Result<std::vector<std::string>> EventFollower::fresh() {
  auto page = stored_.after(choice_, position_);
  if (!page) {
    return Failure(page.error());
  }
  position_ = page->next.value_or(position_);
  std::erase_if(page->events, [this](const std::string& event) { return !takes(event); });
  return std::move(page->events);
}

bool DeliveryFollower::follow(std::string message_id) {
  const bool has_room = followed_.size() < kMostFollowed;
  if (!has_room) {
    followed_.pop_front();
  }
  followed_.push_back({.message_id = std::move(message_id), .due = clock_.steady()});
  return has_room;
}

Result<std::vector<DeliveryFollower::News>> DeliveryFollower::look(bool is_last) {
  std::vector<News> news;
  std::size_t asked = 0;
  for (auto one = followed_.begin(); one != followed_.end();) {
    if (!is_last && (one->due > clock_.steady() || asked == kMostAsked)) {
      ++one;
      continue;
    }
    ++asked;
    const auto is_settled = ask(*one, is_last, news);
    if (!is_settled && news.empty()) {
      return Failure(is_settled.error());
    }
    if (!is_settled) {
      break;  // what is known by now is told
    }
    one = *is_settled ? followed_.erase(one) : one + 1;
  }
  return news;
}

/// True: nothing can change any more.
Result<bool> DeliveryFollower::ask(Followed& one, bool is_last, std::vector<News>& news) {
  one.due = clock_.steady() + one.pause;
  one.pause = std::min(one.pause * 2, kLongestPause);
  const auto report = stored_.report(one.message_id);
  if (!report) {
    const bool is_gone = report.error().code == ErrorCode::NotFound;  // erased meanwhile
    return is_gone ? Result<bool>(true) : Failure(report.error());
  }
  const auto document = json::Document::parse(*report, json::kEvent);
  const auto destinations = document ? document->root().find("destinations") : std::nullopt;
  if (!destinations) {
    return true;
  }
  bool is_settled = true;
  for (const json::Value destination : destinations->elements()) {
    const std::string status = text_of(destination, "status");
    if (status == "filtered") {
      continue;
    }
    is_settled = is_settled && (status == "delivered" || status == "dead");
    std::string id = text_of(destination, "id");
    std::string& told = one.told[id];
    if (told == status || (status == "pending" && !is_last)) {
      continue;
    }
    told = status;
    const auto attempts = destination.find("attempts");
    news.push_back({.message_id = one.message_id,
                    .destination = std::move(id),
                    .status = status,
                    .reason = text_of(destination, "reason"),
                    .attempts = attempts ? attempts->as_uint64().value_or(0) : 0});
  }
  return is_settled;
}

}  // namespace edge::cli
