// SPDX-License-Identifier: MIT
#include "core/regulations.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <future>
#include <utility>

#include "core/base/fault.h"
#include "core/edge.h"
#include "core/profiles/identifiers.h"
#include "core/regulation_record.h"

namespace edge {
namespace {

using profiles::Name;
using profiles::Removed;

constexpr std::size_t kToldTogether = 500;
constexpr std::chrono::milliseconds kInFlight{4'000};  // beyond, the step is repeated later
constexpr const char* kNewsPrefix = "delete-reg-";
constexpr const char* kRemains = "remains";

storage::Deadline soon() {
  return storage::Deadline::in(std::chrono::seconds(5));
}
storage::Deadline patient() {
  return storage::Deadline::in(std::chrono::minutes(10));
}

storage::Key record_key(std::string_view id) {
  return {"regulation", "", std::string(id)};
}
storage::Key open_key(Time created, std::string_view id) {
  return {"regulation_open", "", fmt::format("{:015}{}", to_ms(created), id)};
}
storage::Key note_key(const std::string& id, std::size_t subject) {
  return {"regulation_note", id, fmt::format("{:06}", subject)};
}
storage::Key news_key(const std::string& id) {
  return {"regulation_news", "", id};
}

Result<std::vector<storage::Page::Item>> all_of(storage::Store& store, storage::Scan scan) {
  std::vector<storage::Page::Item> items;
  for (;;) {
    auto page = store.scan(scan, soon());
    if (!page) {
      return Failure(page.error());
    }
    std::ranges::move(page->items, std::back_inserter(items));
    if (!page->next) {
      return items;
    }
    scan.resume(*page->next);
  }
}

Result<std::vector<Removed>> notes_of(storage::Store& store, const std::string& id) {
  const auto items = all_of(store, {.space = "regulation_note", .part = id, .to = kRemains});
  if (!items) {
    return Failure(items.error());
  }
  std::vector<Removed> removed;
  for (const storage::Page::Item& item : *items) {
    auto one = Removed::decode(item.entry.value);
    if (!one) {
      return Failure(one.error());
    }
    removed.push_back(std::move(*one));
  }
  return removed;
}

/// The closure of merges as it was before any merge was removed.
Result<profiles::Remains> remains_of(storage::Store& store,
                                     const std::string& id,
                                     const std::vector<Removed>& removed) {
  auto remains = profiles::remains_of(store, removed);
  const auto noted = store.get(storage::Key{"regulation_note", id, kRemains}, soon());
  if (!remains || !noted) {
    return Failure(remains ? noted.error() : remains.error());
  }
  if (*noted) {
    const auto document = json::Document::parse((*noted)->value, json::kEvent);
    for (const json::Value profile : document->root().elements()) {
      remains->profiles.insert(std::string(profile.as_string().value_or("")));
    }
  }
  return remains;
}

events::NameKind kind_of(Name subject) {
  return subject == Name::Email         ? events::NameKind::Email
         : subject == Name::AnonymousId ? events::NameKind::AnonymousId
                                        : events::NameKind::UserId;
}

/// What destinations are told of one subject: an event of no kind, only they see it.
std::string news_of(const std::string& message,
                    Name subject,
                    const std::string& id,
                    const Removed& removed) {
  profiles::Identifiers identifiers = removed.identifiers;
  if (identifiers.empty() && subject != Name::ProfileId) {
    identifiers[std::string(subject == Name::Email         ? profiles::kEmail
                            : subject == Name::AnonymousId ? profiles::kAnonymousId
                                                           : profiles::kUserId)] = {id};
  }
  json::Writer out;
  out.begin_object().member("messageId", message).member("type", "track");
  out.key("_edge").begin_object().key("deletion").begin_object().key("userId");
  const auto users = identifiers.find(profiles::kUserId);
  users == identifiers.end() || users->second.empty() ? out.null() : out.string(users->second[0]);
  profiles::write_identifiers(out, identifiers);
  return out.end_object().end_object().end_object().take();
}

bool deletes(RegulationType type) {
  return type == RegulationType::DeleteOnly || type == RegulationType::SuppressWithDelete;
}

}  // namespace

struct Regulations::Record : RegulationRecord {};

/// Who drives.
struct Regulations::Run {
  const std::stop_token& stop;
  const std::function<Result<void>()>& drain;
};

Result<std::string> Regulations::start(const RegulationRequest& request) {
  Record record;
  record.id = "reg-" + edge_.ids.uuid();
  record.request = request;
  record.subjects = request.ids.size();
  record.created = edge_.clock.now();
  record.step = deletes(request.type) ? "people" : "scrub";
  if (request.type != RegulationType::DeleteOnly) {
    auto changed = edge_.suppressions.change(
        kind_of(request.subject), request.ids, request.type != RegulationType::Unsuppress);
    if (!changed) {
      return Failure(changed.error());
    }
  }
  storage::Batch batch;
  batch.puts.push_back({open_key(record.created, record.id), record.id});
  if (auto written = write(record, std::move(batch)); !written) {
    return Failure(written.error());
  }
  return record.id;
}

Result<Regulations::Record> Regulations::read(std::string_view id) const {
  const bool possible = !id.empty() && id.size() <= 100;
  const auto entry = possible ? edge_.store.get(record_key(id), soon())
                              : Result<std::optional<storage::Entry>>(std::nullopt);
  if (!entry) {
    return Failure(entry.error());
  }
  if (!*entry) {
    return Failure({ErrorCode::NotFound, fmt::format("there is no regulation \"{}\"", id)});
  }
  auto record = RegulationRecord::decode((*entry)->value);
  return record ? Result<Record>(Record{std::move(*record)}) : Failure(record.error());
}

Result<void> Regulations::write(const Record& record, storage::Batch batch) {
  batch.puts.push_back({record_key(record.id), record.encode()});
  const auto done = edge_.store.commit(std::move(batch), soon());
  return done ? Result<void>{} : Failure(done.error());
}

Result<std::string> Regulations::document(std::string_view id) const {
  return read(id).map([](const Record& record) { return record.document(); });
}

Result<bool> Regulations::work(const std::stop_token& stop,
                               const std::function<Result<void>()>& drain) {
  const auto open = all_of(edge_.store, {.space = "regulation_open"});
  if (!open) {
    return Failure(open.error());
  }
  bool any = false;
  for (const storage::Page::Item& item : *open) {
    auto record = read(item.entry.value);
    const auto done = record ? carry_out(*record, {stop, drain}) : Failure(record.error());
    if (!done) {
      return Failure(done.error());
    }
    any = true;
  }
  const auto scrubbed = scrub_after_news();
  return scrubbed ? Result<bool>(any || *scrubbed) : scrubbed;
}

Result<void> Regulations::carry_out(Record& record, const Run& run) {
  struct Step {
    std::string_view name;
    std::function<Result<void>()> body;
  };
  const std::array<Step, 6> steps = {{{"people", [&] { return end_profiles(record, run); }},
                                      {"gather", [&] { return gather(record); }},
                                      {"events", [&] { return erase_events(record); }},
                                      {"rows", [&] { return remove_rows(record); }},
                                      {"news", [&] { return tell(record); }},
                                      {"scrub", [&] { return finish(record); }}}};
  bool is_reached = false;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    is_reached = is_reached || steps[i].name == record.step;
    if (!is_reached) {
      continue;
    }
    if (auto done = steps[i].body(); !done) {
      return done;
    }
    if (i + 1 < steps.size()) {
      record.step = steps[i + 1].name;
      if (auto written = write(record); !written) {
        return written;
      }
    }
    if (const int error = EDGE_FAULT("regulation.after_step"); error != 0) {
      return Failure({ErrorCode::Unavailable, "stopped by a test"});
    }
  }
  return {};
}

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
  batch.puts.push_back({{"regulation_note", record.id, kRemains}, out.end_array().take()});
  return write(record, std::move(batch));
}

Result<void> Regulations::erase_events(Record& record) {
  const auto removed = notes_of(edge_.store, record.id);
  const auto remains = removed ? remains_of(edge_.store, record.id, *removed)
                               : Result<profiles::Remains>(Failure(removed.error()));
  auto person = remains ? profiles::person_of(edge_.store, *removed, *remains)
                        : Result<events::Person>(Failure(remains.error()));
  if (!person) {
    return Failure(person.error());
  }
  if (record.request.subject == Name::UserId) {
    person->users.insert(record.request.ids.begin(), record.request.ids.end());
  } else if (record.request.subject == Name::AnonymousId) {
    person->anonymous.insert(record.request.ids.begin(), record.request.ids.end());
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
  const auto erased = edge_.store.erase({.offsets = person->offsets}, patient());
  if (!erased) {
    return Failure(erased.error());
  }
  record.counts.events += *erased;
  return {};
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
    batch.puts.push_back({news_key(record.id), std::to_string(to_ms(edge_.clock.now()))});
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
  last.dels.push_back({open_key(record.created, record.id)});
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
    batch.dels.push_back({news_key(item.key)});
  }
  const auto done = edge_.store.commit(std::move(batch), soon());
  return done ? Result<bool>(true) : Failure(done.error());
}

Result<std::size_t> Regulations::expire_visitors(Time before,
                                                 const std::stop_token& stop,
                                                 const std::function<Result<void>()>& drain) {
  constexpr std::size_t kPage = 500;
  const auto is_old = [before](const profiles::Profile& profile) {
    return profile.count_of(profiles::kUserId) == 0 && profile.last_seen < before;
  };
  const std::string part = "expired";
  std::size_t removed = 0;
  std::string after;
  do {
    const auto page = edge_.profiles.list(after, kPage, is_old);
    if (!page) {
      return Failure(page.error());
    }
    for (const profiles::Profile& profile : page->profiles) {
      auto done = run_task(
          profiles::remove_task(
              Name::ProfileId, profile.id.text, {"regulation_note", part, profile.id.text}, is_old),
          {stop, drain});
      if (!done) {
        return Failure(done.error());
      }
    }
    const auto gone = notes_of(edge_.store, part);
    const auto remains = gone ? profiles::remains_of(edge_.store, *gone)
                              : Result<profiles::Remains>(Failure(gone.error()));
    const auto done = remains ? profiles::remove(edge_.store, *remains) : Failure(remains.error());
    if (!done) {
      return Failure(done.error());
    }
    storage::Batch batch;
    const auto notes = all_of(edge_.store, {.space = "regulation_note", .part = part});
    for (std::size_t i = 0; notes && i < notes->size(); ++i) {
      batch.dels.push_back({{"regulation_note", part, (*notes)[i].key}});
    }
    removed += static_cast<std::size_t>(
        std::ranges::count_if(*gone, [](const Removed& one) { return !one.id.empty(); }));
    if (!batch.dels.empty()) {
      if (auto stored = edge_.store.commit(std::move(batch), soon()); !stored) {
        return Failure(stored.error());
      }
    }
    after = page->next;
  } while (!after.empty() && !stop.stop_requested());
  return removed;
}

}  // namespace edge
