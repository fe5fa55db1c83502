// SPDX-License-Identifier: MIT
#include "core/regulations.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/base/fault.h"
#include "core/edge.h"
#include "core/regulation_notes.h"
#include "core/regulation_record.h"

namespace edge {

using profiles::Name;
using profiles::Removed;
using regulation::all_of;
using regulation::notes_of;
using regulation::open_key;
using regulation::record_key;
using regulation::soon;

namespace {

events::NameKind kind_of(Name subject) {
  return subject == Name::Email         ? events::NameKind::Email
         : subject == Name::AnonymousId ? events::NameKind::AnonymousId
                                        : events::NameKind::UserId;
}

bool deletes(RegulationType type) {
  return type == RegulationType::DeleteOnly || type == RegulationType::SuppressWithDelete;
}

}  // namespace

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
  std::optional<Error> failure;
  for (const storage::Page::Item& item : *open) {
    auto record = read(item.entry.value);
    if (record && !record->problem.empty()) {
      continue;
    }
    auto done = record ? carry_out(*record, {stop, drain}) : Failure(record.error());
    if (!done && record && done.error().reason == "corrupt") {
      done = fail(*record, done.error());
    }
    if (!done && !failure) {
      failure = done.error();
    }
    any = any || done;
  }
  const auto scrubbed = scrub_after_news();
  if (!scrubbed && !failure) {
    failure = scrubbed.error();
  }
  return failure ? Failure(*failure) : Result<bool>(any || *scrubbed);
}

/// No repetition mends a damaged file: the regulation ends until somebody has seen to it.
Result<void> Regulations::fail(Record& record, const Error& error) {
  record.problem = error.message;
  edge_.metrics
      .counter("edge_regulations_failed_total",
               "Regulations that ended as failed and wait to be retried")
      .with({})
      .add();
  return write(record);
}

Result<void> Regulations::retry(std::string_view id) {
  auto record = read(id);
  if (!record) {
    return Failure(record.error());
  }
  if (record->problem.empty()) {
    return Failure({ErrorCode::Conflict,
                    fmt::format("the regulation \"{}\" has not failed", id),
                    {},
                    "not_failed"});
  }
  record->problem.clear();
  return write(*record);
}

Result<void> Regulations::carry_out(Record& record, const Run& run) {
  struct Step {
    std::string_view name;
    std::function<Result<void>()> body;
  };
  const std::array<Step, 7> steps = {{{"people", [&] { return end_profiles(record, run); }},
                                      {"gather", [&] { return gather(record); }},
                                      {"events", [&] { return forget_events(record); }},
                                      {"log", [&] { return erase_events(record); }},
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
