// SPDX-License-Identifier: MIT
#include "core/delivery/dead_letter.h"

#include <fmt/format.h>

#include <utility>

#include "core/delivery/counters.h"
#include "core/delivery/existences.h"
#include "core/delivery/given_up.h"
#include "core/json/members.h"

namespace edge::delivery {
namespace {

constexpr const char* kSpace = "dead_letter";
constexpr std::size_t kRetryPage = 200;

storage::Deadline soon() {
  return storage::Deadline::in(std::chrono::seconds(5));
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
  out.member("replaying", replaying).member("existence", existence).member("offset", offset);
  if (!request.empty()) {
    out.key("request").raw(request);
  }
  out.key("event").raw(event).end_object();
  return out.take();
}

storage::Key DeadLetter::key_of(const std::string& id) {
  return {kSpace, "", id};
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
                    .existence = static_cast<std::uint64_t>(json::number_in(root, "existence")),
                    .offset = static_cast<std::uint64_t>(json::number_in(root, "offset")),
                    .request = raw(root, "request"),
                    .event = raw(root, "event")};
}

/// The id that letters carry. Failure: NotFound when there is neither such a destination nor a
/// letter of a former one.
Result<std::string> DeadLetters::destination_of(const std::string& id_or_name) const {
  if (id_or_name.empty()) {
    return id_or_name;
  }
  if (const auto entry = destinations_.table().get()->find(id_or_name)) {
    return entry->definition.id;
  }
  const auto letters = page_of({.destination = id_or_name, .limit = 1});
  if (!letters || !letters->items.empty()) {
    return letters ? Result<std::string>(id_or_name) : Failure(letters.error());
  }
  return Failure({ErrorCode::NotFound, fmt::format("there is no destination \"{}\"", id_or_name)});
}

Result<LetterPage> DeadLetters::list(const LetterQuery& query) const {
  return destination_of(query.destination).and_then([&](std::string id) {
    LetterQuery known = query;
    known.destination = std::move(id);
    return page_of(known);
  });
}

/// A page of those whose destination has exactly that id.
Result<LetterPage> DeadLetters::page_of(const LetterQuery& query) const {
  Existences existences(store_);
  LetterPage result;
  storage::Scan scan{.space = kSpace, .limit = 200, .reverse = !query.oldest_first};
  if (!query.cursor.empty()) {
    (query.oldest_first ? scan.from : scan.to) =
        query.oldest_first ? query.cursor + '\0' : query.cursor;
  }
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
      if (auto corrected = existences.correct(*letter); !corrected) {
        return Failure(corrected.error());
      }
      result.items.push_back(std::move(*letter));
    }
    if (!page->next) {
      return result;
    }
    scan.resume(*page->next);
  }
}

Result<std::size_t> DeadLetters::count(const LetterQuery& query) const {
  const auto destination = destination_of(query.destination);
  if (!destination) {
    return Failure(destination.error());
  }
  std::size_t total = 0;
  storage::Scan scan{.space = kSpace};
  for (;;) {
    const auto page = store_.scan(scan, soon());
    if (!page) {
      return Failure(page.error());
    }
    for (const storage::Page::Item& item : page->items) {
      if (!destination->empty() && destination_in(item.key) != *destination) {
        continue;
      }
      if (query.reason.empty()) {  // the key tells enough
        ++total;
        continue;
      }
      const auto letter = DeadLetter::decode(item.key, item.entry.value);
      if (!letter) {
        return Failure(letter.error());
      }
      total += matches(query, *letter) ? 1 : 0;
    }
    if (!page->next) {
      return total;
    }
    scan.resume(*page->next);
  }
}

Result<DeadLetter> DeadLetters::find(const std::string& id) const {
  const bool possible = !id.empty() && id.size() <= 200;
  const auto entry = possible ? store_.get(DeadLetter::key_of(id), soon())
                              : Result<std::optional<storage::Entry>>(std::nullopt);
  if (!entry) {
    return Failure(entry.error());
  }
  if (!*entry) {
    return Failure({ErrorCode::NotFound, fmt::format("there is no dead letter \"{}\"", id)});
  }
  auto letter = DeadLetter::decode(id, (*entry)->value);
  if (!letter) {
    return letter;
  }
  letter->version = (*entry)->version;
  auto corrected = Existences(store_).correct(*letter);
  return corrected ? std::move(letter) : Failure(corrected.error());
}

Result<void> DeadLetters::erase(const std::string& id, Leaving why) {
  const auto letter = find(id);
  if (!letter) {
    return Failure(letter.error());
  }
  if (letter->replaying && why == Leaving::Discarded) {
    return Failure({ErrorCode::Conflict,
                    fmt::format("the dead letter \"{}\" waits to be delivered again", id),
                    "",
                    "replaying"});
  }
  const auto is_counted = Existences(store_).counts(*letter);
  if (!is_counted) {
    return Failure(is_counted.error());
  }
  storage::Batch batch;
  batch.checks.push_back({DeadLetter::key_of(id), letter->version});
  remove(batch, id);
  if (why == Leaving::Delivered) {
    forget_given_up(batch, letter->destination, letter->offset);
    if (*is_counted && !letter->replaying) {  // else it counts as pending
      batch.adds.push_back({counter_key(letter->destination, Count::Dead), -1});
    }
  }
  return store_.commit(std::move(batch), soon()).map([](const storage::Receipt&) {});
}

Result<std::size_t> DeadLetters::forget(const events::Person& person) {
  std::size_t removed = 0;
  Existences existences(store_);
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
      const auto is_counted = existences.counts(letter);
      if (!is_counted) {
        return Failure(is_counted.error());
      }
      remove(batch, letter.id);
      forget_given_up(batch, letter.destination, letter.offset);
      if (*is_counted &&
          !letter.replaying) {  // else it counts as pending, and its row is gone already
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
  batch.checks.push_back({DeadLetter::key_of(id), letter->version});
  put(batch, *letter, clock_.now() + kept_);
  return store_.commit(std::move(batch), soon()).map([](const storage::Receipt&) {});
}

Result<std::string> DeadLetters::enter(std::string_view id_or_name,
                                       std::string_view event_json,
                                       const std::string& reason,
                                       std::uint64_t number) {
  const auto entry = destinations_.table().get()->find(id_or_name);
  if (!entry) {
    return Failure(
        {ErrorCode::NotFound, fmt::format("there is no destination \"{}\"", id_or_name)});
  }
  if (const auto event = events::Event::decode(event_json); !event) {
    return Failure(event.error());
  }
  const std::string& id = entry->definition.id;
  const auto existence = Existences(store_).version_of(id);
  if (!existence) {
    return Failure(existence.error());
  }
  const std::int64_t now = to_ms(clock_.now());
  const DeadLetter letter{.id = new_id(clock_.now(), events::Person::kBeyondLog + number, id),
                          .destination = id,
                          .reason = reason,
                          .attempts = 1,
                          .first_attempt = now,
                          .last_attempt = now,
                          .existence = *existence,
                          .offset = events::Person::kBeyondLog + number,
                          .event = std::string(event_json)};
  storage::Batch batch;
  put(batch, letter, clock_.now() + kept_);
  add_count(batch, id, Count::Dead, 1, clock_.store_now());
  const auto stored = store_.commit(std::move(batch), soon());
  return stored ? Result<std::string>(letter.id) : Failure(stored.error());
}

void DeadLetters::put(storage::Batch& batch, const DeadLetter& letter, Time until) {
  batch.puts.push_back({DeadLetter::key_of(letter.id), letter.encode(), to_ms(until)});
}

void DeadLetters::remove(storage::Batch& batch, const std::string& id) {
  batch.dels.push_back({DeadLetter::key_of(id)});
}

std::string DeadLetters::new_id(Time now, std::uint64_t offset, std::string_view destination) {
  return fmt::format("{:013}-{}-{}", to_ms(now), offset, destination);
}

}  // namespace edge::delivery
