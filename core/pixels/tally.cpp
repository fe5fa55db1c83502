// SPDX-License-Identifier: MIT
#include "core/pixels/tally.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/crypto/digest.h"
#include "core/encoding/hex.h"
#include "core/events/ingest.h"
#include "core/pixels/mail_event.h"

namespace edge::pixels {
namespace {

constexpr std::chrono::seconds kPatience{5};
constexpr std::size_t kMaxPending = 4'000;
constexpr std::int64_t kHourMs = 3'600'000;
/// Where what has no campaign is counted.
constexpr std::string_view kNoCampaign = "";

std::string text_at(const std::optional<json::Value>& object, std::string_view name) {
  const auto value = object ? object->find(name) : std::nullopt;
  return std::string(value ? value->as_string().value_or("") : "");
}

bool flag_at(const std::optional<json::Value>& object, std::string_view name, bool absent = false) {
  const auto value = object ? object->find(name) : std::nullopt;
  return value ? value->as_bool().value_or(absent) : absent;
}

/// Names within a campaign are short and ours, ids are checked: a NUL keeps them apart.
std::string joined(std::string_view first, std::string_view second, std::string_view third) {
  std::string key(first);
  key += '\0';
  key += second;
  key += '\0';
  key += third;
  return key;
}

std::string_view prefix_of(TokenKind kind) {
  return kind == TokenKind::Click ? "clicks" : "opens";
}

}  // namespace

std::string seen_key(TokenKind kind,
                     std::string_view campaign,
                     std::string_view email,
                     std::string_view recipient,
                     bool human) {
  const std::string digest = crypto::sha256(joined(campaign, email, recipient));
  return fmt::format("{}:{}{}",
                     prefix_of(kind),
                     encoding::hex_encode(std::string_view(digest).substr(0, 16)),
                     human ? ":human" : "");
}

Result<void> Tally::load_position() {
  if (loaded_) {
    return {};
  }
  const auto position = store_.position(
      kTallyConsumer, events::kStream, options_.lane, storage::Deadline::in(kPatience));
  if (!position) {
    return Failure(position.error());
  }
  epoch_ = position->epoch;
  folded_ = position->offset;
  written_ = position->offset;
  loaded_ = true;
  return {};
}

Result<void> Tally::catch_up(const std::stop_token& stop) {
  if (auto loaded = load_position(); !loaded) {
    return loaded;
  }
  const std::uint64_t head = store_.head(events::kStream, options_.lane);
  while (folded_ < head && !stop.stop_requested()) {
    const auto slice = store_.read({.stream = events::kStream,
                                    .lane = options_.lane,
                                    .after = folded_,
                                    .max_records = careful_ ? std::size_t{1} : 1'024},
                                   storage::Deadline::in(kPatience));
    if (!slice && slice.error().reason != "corrupt") {
      return Failure(slice.error());
    }
    if (!slice) {
      folded_ += careful_ ? 1 : 0;  // alone, and damaged: pass over it
      careful_ = !careful_;
      continue;
    }
    careful_ = careful_ && !slice->records.empty();
    for (const storage::RecordPointer& record : slice->records) {
      fold(*record);
    }
    folded_ = std::max(folded_, slice->reached);
    if (totals_.size() + hours_.size() + seen_.size() > kMaxPending) {
      if (auto flushed = flush(); !flushed) {
        return flushed;
      }
    }
    if (slice->records.empty() && slice->reached < head) {
      break;
    }
  }
  return {};
}

void Tally::fold(const storage::Record& record) {
  const bool ours = record.name == kOpened || record.name == kClicked ||
                    record.name == kUnsubscribed || record.name == kRepeated ||
                    record.name == kReclassified || record.name == kRejected;
  if (!ours || record.kind != static_cast<std::uint32_t>(events::Type::Track)) {
    return;
  }
  const auto event = events::Event::decode(record.body);
  if (!event || event->source() != kSource) {
    return;  // somebody else's event of that name
  }
  if (record.name == kOpened || record.name == kClicked) {
    fold_visit(record.name == kOpened ? TokenKind::Open : TokenKind::Click, *event);
  } else if (record.name == kUnsubscribed) {
    count(*event, "unsubscribed");
  } else if (record.name == kRepeated) {
    fold_repeats(*event);
  } else if (record.name == kReclassified) {
    fold_reclassified(*event);
  } else {
    fold_rejected(*event);
  }
}

void Tally::count(const events::Event& event, std::string_view metric, std::int64_t by) {
  const std::string campaign = text_at(event.properties(), "campaignId");
  totals_[joined(campaign, text_at(event.properties(), "emailId"), metric)] += by;
  const std::int64_t hour = to_ms(event.timestamp()) / kHourMs;
  hours_[joined(fmt::format("{:08}", hour), campaign, metric)] += by;
}

void Tally::fold_visit(TokenKind kind, const events::Event& event) {
  const auto pixel = event.context() ? event.context()->find("pixel") : std::nullopt;
  const std::string prefix = std::string(prefix_of(kind)) + ".";
  if (flag_at(pixel, "late")) {
    count(event, prefix + "late");
    return;
  }
  if (!flag_at(pixel, "counted", true)) {
    return;
  }
  count(event, prefix + "total");
  count(event, prefix + (flag_at(pixel, "machineOpen") ? "machine" : "human"));
  if (!flag_at(pixel, "authenticated")) {
    count(event, prefix + "unauthenticated");
  }
  const std::string campaign = text_at(event.properties(), "campaignId");
  const std::string email = text_at(event.properties(), "emailId");
  const std::string recipient = text_at(event.properties(), "recipientId");
  for (const bool human : {false, true}) {
    if (flag_at(pixel, human ? "uniqueHuman" : "unique")) {
      count(event, prefix + (human ? "unique_human" : "unique"));
      const std::string key = seen_key(kind, campaign, email, recipient, human);
      seen_.insert(key);
      forgotten_.erase(key);
    }
  }
}

void Tally::fold_repeats(const events::Event& event) {
  const auto repeats = event.properties() ? event.properties()->find("repeats") : std::nullopt;
  const bool click = text_at(event.properties(), "kind") == name_of(TokenKind::Click);
  count(event,
        click ? "clicks.repeats" : "opens.repeats",
        repeats ? repeats->as_int64().value_or(0) : 0);
}

void Tally::fold_reclassified(const events::Event& event) {
  const auto clicks = event.properties() ? event.properties()->find("clicks") : std::nullopt;
  std::int64_t moved = 0;
  bool was_unique = false;
  for (const json::Value click : clicks ? clicks->elements() : json::Elements{}) {
    ++moved;
    was_unique = was_unique || flag_at(click, "wasUniqueHuman");
  }
  count(event, "clicks.human", -moved);
  count(event, "clicks.machine", moved);
  if (was_unique) {
    count(event, "clicks.unique_human", -1);
    const std::string key = seen_key(TokenKind::Click,
                                     text_at(event.properties(), "campaignId"),
                                     text_at(event.properties(), "emailId"),
                                     text_at(event.properties(), "recipientId"),
                                     true);
    seen_.erase(key);
    forgotten_.insert(key);
  }
}

void Tally::fold_rejected(const events::Event& event) {
  if (!event.properties()) {
    return;
  }
  for (const auto& [status, number] : event.properties()->members()) {
    const std::string metric = "rejected." + std::string(status);
    const std::int64_t by = number.as_int64().value_or(0);
    totals_[joined(kNoCampaign, {}, metric)] += by;
  }
}

Result<void> Tally::flush() {
  if (!is_dirty()) {
    return {};
  }
  const std::int64_t expires =
      options_.retention.count() == 0 ? 0 : to_ms(clock_.store_now()) + options_.retention.count();
  storage::Batch batch;
  for (const auto& [key, by] : totals_) {
    batch.adds.push_back({{kTallySpace, kTotalPart, key}, by, 0});
  }
  for (const auto& [key, by] : hours_) {
    batch.adds.push_back({{kTallySpace, kHourPart, key}, by, expires});
  }
  for (const std::string& key : seen_) {
    batch.puts.push_back({{kTallySpace, kSeenPart, key}, "1", expires});
  }
  for (const std::string& key : forgotten_) {
    batch.dels.push_back({{kTallySpace, kSeenPart, key}});
  }
  batch.advances.push_back({.consumer = kTallyConsumer,
                            .stream = events::kStream,
                            .lane = options_.lane,
                            .position = {.offset = folded_, .epoch = epoch_}});
  const auto receipt = store_.commit(std::move(batch), storage::Deadline::in(kPatience));
  totals_.clear();
  hours_.clear();
  seen_.clear();
  forgotten_.clear();
  if (!receipt) {
    // Whether it was applied or not, the stored position says from where to count again.
    loaded_ = false;
    folded_ = written_;
    return Failure(receipt.error());
  }
  written_ = folded_;
  return {};
}

}  // namespace edge::pixels
