// SPDX-License-Identifier: MIT
#include "core/delivery/dead_letter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/json/members.h"

namespace edge::delivery {
namespace {

constexpr const char* kSpace = "dead_letter";
constexpr std::chrono::hours kKept{14 * 24};
constexpr std::size_t kRetryPage = 200;

storage::Deadline soon() {
  return storage::Deadline::in(std::chrono::seconds(5));
}

storage::Key key_of(const std::string& id) {
  return {kSpace, "", id};
}

/// The id ends in the destination's own.
std::string_view destination_in(std::string_view id) {
  const std::size_t first = id.find('-');
  const std::size_t second = first == std::string_view::npos ? first : id.find('-', first + 1);
  return second == std::string_view::npos ? std::string_view{} : id.substr(second + 1);
}

bool matches(const LetterQuery& query, const DeadLetter& letter) {
  return query.reason.empty() || letter.reason == query.reason;
}

std::string raw(json::Value object, const char* name) {
  const auto value = object.find(name);
  return std::string(value ? value->raw() : "");
}

}  // namespace

std::string DeadLetter::encode() const {
  json::Writer out;
  out.begin_object().member("destination", destination).member("reason", reason);
  out.member("status", status).member("response", response);
  out.member("attempts", std::uint64_t{attempts}).member("first", first_attempt);
  out.member("last", last_attempt).member("replays", std::uint64_t{replays});
  out.member("replaying", replaying).member("offset", offset);
  if (!request.empty()) {
    out.key("request").raw(request);
  }
  out.key("event").raw(event).end_object();
  return out.take();
}

Result<DeadLetter> DeadLetter::decode(std::string_view id, std::string_view encoded) {
  const auto document = json::Document::parse(encoded, json::kEvent);
  if (!document || !document->root().find("event")) {
    return Failure(
        {ErrorCode::Internal, fmt::format("the dead letter {} cannot be read", id), "", "corrupt"});
  }
  const json::Value root = document->root();
  const auto replaying = root.find("replaying");
  return DeadLetter{.id = std::string(id),
                    .destination = json::text_in(root, "destination"),
                    .reason = json::text_in(root, "reason"),
                    .status = static_cast<int>(json::number_in(root, "status")),
                    .response = json::text_in(root, "response"),
                    .attempts = static_cast<std::uint32_t>(json::number_in(root, "attempts")),
                    .first_attempt = json::number_in(root, "first"),
                    .last_attempt = json::number_in(root, "last"),
                    .replays = static_cast<std::uint32_t>(json::number_in(root, "replays")),
                    .replaying = replaying && replaying->as_bool().value_or(false),
                    .offset = static_cast<std::uint64_t>(json::number_in(root, "offset")),
                    .request = raw(root, "request"),
                    .event = raw(root, "event")};
}

Result<LetterPage> DeadLetters::list(const LetterQuery& query) const {
  LetterPage result;
  storage::Scan scan{.space = kSpace, .to = query.cursor, .limit = 200, .reverse = true};
  for (;;) {
    const auto page = store_.scan(scan, soon());
    if (!page) {
      return Failure(page.error());
    }
    for (const storage::Page::Item& item : page->items) {
      if (!query.destination.empty() && destination_in(item.key) != query.destination) {
        continue;
      }
      auto letter = DeadLetter::decode(item.key, item.entry.value);
      if (!letter) {
        return Failure(letter.error());
      }
      letter->version = item.entry.version;
      if (!matches(query, *letter)) {
        continue;
      }
      if (result.items.size() == query.limit) {
        result.next = result.items.back().id;
        return result;
      }
      result.items.push_back(std::move(*letter));
    }
    if (!page->next) {
      return result;
    }
    scan.resume(*page->next);
  }
}

Result<std::size_t> DeadLetters::count(LetterQuery query) const {
  std::size_t total = 0;
  query.limit = storage::kMaxPageItems;
  query.cursor.clear();
  for (;;) {
    const auto page = list(query);
    if (!page) {
      return Failure(page.error());
    }
    total += page->items.size();
    if (!page->next) {
      return total;
    }
    query.cursor = *page->next;
  }
}

Result<DeadLetter> DeadLetters::find(const std::string& id) const {
  const bool possible = !id.empty() && id.size() <= 200;
  const auto entry = possible ? store_.get(key_of(id), soon())
                              : Result<std::optional<storage::Entry>>(std::nullopt);
  if (!entry) {
    return Failure(entry.error());
  }
  if (!*entry) {
    return Failure({ErrorCode::NotFound, fmt::format("there is no dead letter \"{}\"", id)});
  }
  auto letter = DeadLetter::decode(id, (*entry)->value);
  if (letter) {
    letter->version = (*entry)->version;
  }
  return letter;
}

Result<void> DeadLetters::erase(const std::string& id) {
  if (auto found = find(id); !found) {
    return Failure(found.error());
  }
  storage::Batch batch;
  remove(batch, id);
  return store_.commit(std::move(batch), soon()).map([](const storage::Receipt&) {});
}

Result<std::size_t> DeadLetters::forget(const events::Person& person) {
  std::size_t removed = 0;
  LetterQuery query{.limit = kRetryPage};
  for (;;) {
    const auto page = list(query);
    if (!page) {
      return Failure(page.error());
    }
    storage::Batch batch;
    for (const DeadLetter& letter : page->items) {
      const auto event = events::Event::decode(letter.event);
      if (!event || !person.has(letter.offset, *event)) {
        continue;
      }
      remove(batch, letter.id);
      if (!letter.replaying) {  // else it counts as pending, and its row is gone already
        batch.adds.push_back({counter_key(letter.destination, Count::Dead), -1});
      }
      ++removed;
    }
    if (!batch.dels.empty()) {
      if (auto done = store_.commit(std::move(batch), soon()); !done) {
        return Failure(done.error());
      }
    }
    if (!page->next) {
      return removed;
    }
    query.cursor = *page->next;
  }
}

Result<void> DeadLetters::count_replay(const std::string& id) {
  auto letter = find(id);
  if (!letter) {
    return Failure(letter.error());
  }
  ++letter->replays;
  storage::Batch batch;
  batch.checks.push_back({key_of(id), letter->version});
  put(batch, *letter, clock_.now());
  return store_.commit(std::move(batch), soon()).map([](const storage::Receipt&) {});
}

Result<Replayed> DeadLetters::retry(const std::vector<std::string>& ids) {
  std::vector<DeadLetter> letters;
  for (const std::string& id : ids) {
    auto letter = find(id);
    if (!letter) {
      return Failure(letter.error());
    }
    letters.push_back(std::move(*letter));
  }
  return retry_page(letters);
}

Result<Replayed> DeadLetters::retry(const LetterQuery& query) {
  Replayed total;
  LetterQuery rest = query;
  rest.limit = kRetryPage;
  rest.cursor.clear();
  for (;;) {
    const auto page = list(rest);
    const auto done = page ? retry_page(page->items) : Failure(page.error());
    if (!done) {
      return done;
    }
    total.replayed += done->replayed;
    total.quarantined += done->quarantined;
    if (!page->next) {
      return total;
    }
    rest.cursor = *page->next;
  }
}

Result<Replayed> DeadLetters::retry_page(std::vector<DeadLetter> letters) {
  std::ranges::sort(letters, {}, &DeadLetter::id);  // oldest first, as they would have gone out
  Replayed result;
  storage::Batch batch;
  const auto table = destinations_.table().get();
  for (const DeadLetter& found : letters) {
    if (found.replaying || table->find(found.destination) == nullptr) {
      continue;
    }
    if (found.replays >= kMaxReplays) {
      ++result.quarantined;
      continue;
    }
    auto event = events::Event::decode(found.event);
    if (!event) {
      return Failure(event.error());
    }
    DeadLetter letter = found;
    letter.replaying = true;
    ++letter.replays;
    const Parked parked{.offset = letter.offset,
                        .since = to_ms(clock_.now()),
                        .replays = letter.replays,
                        .letter = letter.id,
                        .event = std::make_shared<const events::Event>(std::move(*event))};
    batch.dues.push_back({.queue = destinations::queue_of(letter.destination),
                          .at = to_ms(clock_.store_now()),
                          .id = letter.id,
                          .order_key = std::string(parked.event->user_key()),
                          .body = parked.encode()});
    batch.checks.push_back({key_of(letter.id), letter.version});
    put(batch, letter, clock_.now());
    batch.adds.push_back({counter_key(letter.destination, Count::Parked), 1});
    batch.adds.push_back({counter_key(letter.destination, Count::Dead), -1});
    ++result.replayed;
  }
  if (result.replayed > 0) {
    if (auto committed = store_.commit(std::move(batch), soon()); !committed) {
      return Failure(committed.error());
    }
  }
  return result;
}

void DeadLetters::put(storage::Batch& batch, const DeadLetter& letter, Time now) {
  batch.puts.push_back({key_of(letter.id), letter.encode(), to_ms(now + kKept)});
}

void DeadLetters::remove(storage::Batch& batch, const std::string& id) {
  batch.dels.push_back({key_of(id)});
}

std::string DeadLetters::new_id(Time now, std::uint64_t offset, std::string_view destination) {
  return fmt::format("{:013}-{}-{}", to_ms(now), offset, destination);
}

storage::Key counter_key(std::string_view destination, Count count) {
  static constexpr std::array kNames{"delivered", "dead", "attempts", "parked", "retried"};
  return {"delivery", std::string(destination), kNames.at(static_cast<std::size_t>(count))};
}

}  // namespace edge::delivery
