// SPDX-License-Identifier: MIT
// The steps of a regulation; each may be repeated.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <future>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "core/edge.h"
#include "core/profiles/identifiers.h"
#include "core/regulation_notes.h"
#include "core/regulation_record.h"

namespace edge {

using profiles::Name;
using profiles::Removed;
using regulation::all_of;
using regulation::note_key;
using regulation::notes_of;
using regulation::patient;
using regulation::records_at;
using regulation::remains_of;
using regulation::soon;

namespace {

constexpr std::size_t kToldTogether = 500;
constexpr std::chrono::milliseconds kInFlight{4'000};  // beyond, the step is repeated later
constexpr const char* kNewsPrefix = "delete-reg-";

/// What destinations are told of one subject: an event of no kind, only they see it.
std::string news_of(const std::string& message,
                    Name subject,
                    const std::string& id,
                    const Removed& removed) {
  profiles::Identifiers identifiers = removed.identifiers;
  if (identifiers.empty() && subject != Name::ProfileId) {
    identifiers[profiles::identifier_of(subject, id).type] = {id};
  }
  json::Writer out;
  out.begin_object().member("messageId", message).member("type", "track");
  out.key("_edge").begin_object().key("deletion").begin_object().key("userId");
  const auto users = identifiers.find(profiles::kUserId);
  users == identifiers.end() || users->second.empty() ? out.null() : out.string(users->second[0]);
  profiles::write_identifiers(out, identifiers);
  return out.end_object().end_object().end_object().take();
}

/// What was said in the room of a user.
Result<void> forget_room(state::Rooms& rooms, const std::string& user) {
  const auto answer = std::make_shared<std::promise<Result<void>>>();
  auto outcome = answer->get_future();
  rooms.room(state::room_of_user(user))->forget([answer](Result<void> done) {
    answer->set_value(std::move(done));
  });
  if (outcome.wait_for(kInFlight) != std::future_status::ready) {
    return Failure({.code = ErrorCode::Unavailable,
                    .message = "the room of a user is busy",
                    .retry_after = std::chrono::seconds{1}});
  }
  return outcome.get();
}

}  // namespace

Result<void> Regulations::run_task(profiles::Projector::Task task, const Run& run) {
  const auto answer = std::make_shared<std::promise<Result<void>>>();
  auto outcome = answer->get_future();
  edge_.projector.submit(std::move(task),
                         [answer](Result<void> done) { answer->set_value(std::move(done)); });
  if (run.drain) {
    if (auto drained = run.drain(); !drained) {
      return drained;
    }
  }
  while (outcome.wait_for(std::chrono::milliseconds(50)) != std::future_status::ready) {
    if (run.stop.stop_requested()) {
      return Failure({.code = ErrorCode::Unavailable,
                      .message = "stopping",
                      .retry_after = std::chrono::seconds{1}});
    }
  }
  return outcome.get();
}

Result<void> Regulations::end_profiles(Record& record, const Run& run) {
  for (std::size_t i = 0; i < record.request.ids.size(); ++i) {
    auto done = run_task(profiles::remove_task(
                             record.request.subject, record.request.ids[i], note_key(record.id, i)),
                         run);
    if (!done) {
      return done;
    }
  }
  const auto removed = notes_of(edge_.store, record.id);
  if (!removed) {
    return Failure(removed.error());
  }
  for (const Removed& one : *removed) {
    edge_.open_sessions.forget(one.identifiers);
  }
  std::set<std::string> users;
  if (record.request.subject == Name::UserId) {
    users.insert(record.request.ids.begin(), record.request.ids.end());
  }
  for (const Removed& one : *removed) {
    if (const auto found = one.identifiers.find(profiles::kUserId);
        found != one.identifiers.end()) {
      users.insert(found->second.begin(), found->second.end());
    }
  }
  for (const std::string& user : users) {
    if (auto done = forget_room(edge_.rooms, user); !done) {
      return done;
    }
  }
  record.counts.profiles = static_cast<std::uint64_t>(
      std::ranges::count_if(*removed, [](const Removed& one) { return !one.id.empty(); }));
  return {};
}

Result<void> Regulations::gather(Record& record) {
  const auto removed = notes_of(edge_.store, record.id);
  const auto remains = removed ? remains_of(edge_.store, record.id, *removed)
                               : Result<profiles::Remains>(Failure(removed.error()));
  if (!remains) {
    return Failure(remains.error());
  }
  json::Writer out;
  out.begin_array();
  for (const std::string& id : remains->profiles) {
    out.string(id);
  }
  storage::Batch batch;
  batch.puts.push_back({regulation::remains_key(record.id), out.end_array().take()});
  return write(record, std::move(batch));
}

Result<events::Person> Regulations::person_of(const Record& record) const {
  const auto removed = notes_of(edge_.store, record.id);
  const auto remains = removed ? remains_of(edge_.store, record.id, *removed)
                               : Result<profiles::Remains>(Failure(removed.error()));
  return remains ? profiles::person_of(edge_.store, *removed, *remains)
                 : Result<events::Person>(Failure(remains.error()));
}

Result<void> Regulations::forget_events(Record& record) {
  const auto person = person_of(record);
  if (!person) {
    return Failure(person.error());
  }
  std::vector<std::string> projects;
  for (const auto& project : edge_.flags.projects()) {
    projects.push_back(project->name());
  }
  for (const auto* names : {&person->users, &person->anonymous}) {
    for (const std::string& user : *names) {
      if (auto erased = edge_.user_records.erase_user(projects, user); !erased) {
        return erased;
      }
    }
  }
  if (record.request.keep_events) {
    return {};
  }
  const auto forgotten =
      edge_.forwarders.forget(std::make_shared<const events::Person>(*person), kInFlight);
  if (!forgotten) {
    return Failure(forgotten.error());
  }
  record.counts.deliveries += forgotten->deliveries;
  record.counts.dead_letters += forgotten->dead_letters;
  // Counted before any of them goes: who resumes after a crash finds fewer.
  const auto there = records_at(edge_.store, person->offsets);
  if (!there) {
    return Failure(there.error());
  }
  record.counts.events = there->size();
  return {};
}

/// With the records their ids go from the search for duplicates: the person, or who keeps an export
/// of them, may bring them in again at once.
Result<void> Regulations::erase_events(Record& record) {
  if (record.request.keep_events) {
    return {};
  }
  const auto person = person_of(record);
  auto there = person ? records_at(edge_.store, person->offsets)
                      : Result<regulation::SourcesAndIds>(Failure(person.error()));
  if (!there) {
    return Failure(there.error());
  }
  const auto erased = edge_.store.erase(
      {.offsets = person->offsets, .forgotten_ids = std::move(*there)}, patient());
  return erased ? Result<void>{} : Failure(erased.error());
}

Result<void> Regulations::remove_rows(Record& record) {
  const auto removed = notes_of(edge_.store, record.id);
  const auto remains = removed ? remains_of(edge_.store, record.id, *removed)
                               : Result<profiles::Remains>(Failure(removed.error()));
  return remains ? profiles::remove(edge_.store, *remains) : Failure(remains.error());
}

Result<void> Regulations::tell(Record& record) {
  const auto removed = notes_of(edge_.store, record.id);
  if (!removed) {
    return Failure(removed.error());
  }
  record.manual.clear();
  std::vector<std::string> queues;
  for (const auto& entry : edge_.destinations.table().get()->entries()) {
    const std::string& id = entry->definition.id;
    if (entry->destination != nullptr && entry->destination->takes_deletions()) {
      queues.push_back(id);
    } else {
      record.manual.push_back(id);
    }
  }
  const std::size_t total = queues.empty() || record.request.keep_events ? 0 : removed->size();
  while (record.told < total) {
    storage::Batch batch;
    const std::size_t end = std::min(total, record.told + kToldTogether / queues.size() + 1);
    for (; record.told < end; ++record.told) {
      const std::string message = fmt::format("delete-{}-{}", record.id, record.told);
      const std::string news = news_of(message,
                                       record.request.subject,
                                       record.request.ids[record.told],
                                       (*removed)[record.told]);
      for (const std::string& id : queues) {
        delivery::Forwarders::enqueue(
            batch, id, *events::Event::decode(news), record.told, edge_.clock);
      }
    }
    batch.puts.push_back(
        {regulation::news_key(record.id), std::to_string(to_ms(edge_.clock.now()))});
    record.counts.told = record.told;
    if (auto written = write(record, std::move(batch)); !written) {
      return written;
    }
  }
  edge_.forwarders.rows_changed();
  return {};
}

Result<void> Regulations::finish(Record& record) {
  record.request.ids.clear();
  const auto notes = all_of(edge_.store, {.space = "regulation_note", .part = record.id});
  if (!notes) {
    return Failure(notes.error());
  }
  storage::Batch batch;
  for (const storage::Page::Item& note : *notes) {
    batch.dels.push_back({{"regulation_note", record.id, note.key}});
  }
  if (auto written = write(record, std::move(batch)); !written) {
    return written;
  }
  if (auto scrubbed = edge_.store.scrub(patient()); !scrubbed) {
    return scrubbed;
  }
  record.finished = edge_.clock.now();
  storage::Batch last;
  last.dels.push_back({regulation::open_key(record.created, record.id)});
  return write(record, std::move(last));
}

/// The news of deletions held names while they waited; when they are through, the state is scrubbed
/// once more, at the latest after a day.
Result<bool> Regulations::scrub_after_news() {
  const auto waiting = all_of(edge_.store, {.space = "regulation_news"});
  if (!waiting || waiting->empty()) {
    return waiting ? Result<bool>(false) : Failure(waiting.error());
  }
  const std::int64_t day_ago = to_ms(edge_.clock.now() - std::chrono::hours(23));
  const bool is_late = std::ranges::any_of(*waiting, [day_ago](const auto& item) {
    return std::atoll(item.entry.value.c_str()) < day_ago;
  });
  for (const auto& entry : edge_.destinations.table().get()->entries()) {
    storage::List query{.queue = destinations::queue_of(entry->definition.id)};
    for (bool more = !is_late; more;) {
      const auto page = edge_.store.list(query, soon());
      if (!page) {
        return Failure(page.error());
      }
      if (std::ranges::any_of(page->items, [](const storage::Due& due) {
            return due.id.starts_with(kNewsPrefix);
          })) {
        return false;
      }
      more = page->next.has_value();
      query.after = page->next;
    }
  }
  if (auto scrubbed = edge_.store.scrub(patient()); !scrubbed) {
    return Failure(scrubbed.error());
  }
  storage::Batch batch;
  for (const storage::Page::Item& item : *waiting) {
    batch.dels.push_back({regulation::news_key(item.key)});
  }
  const auto done = edge_.store.commit(std::move(batch), soon());
  return done ? Result<bool>(true) : Failure(done.error());
}

}  // namespace edge
