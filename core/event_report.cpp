// SPDX-License-Identifier: MIT
#include "core/event_report.h"

#include <algorithm>
#include <optional>

#include "core/delivery/given_up.h"
#include "core/edge.h"

namespace edge {
namespace {

storage::Deadline soon() {
  return storage::Deadline::in(std::chrono::seconds(5));
}

/// Where a delivery stands.
struct Standing {
  std::string_view status = "delivered";
  std::string reason = {};
  std::uint32_t attempts = 0;
};

/// What the event did to segments of its profile.
Result<void> write_changes(json::Writer& out,
                           const Edge& edge,
                           const std::optional<ProfileId>& profile,
                           std::string_view message) {
  out.key("segments").begin_array();
  if (profile) {
    const auto logged = edge.profiles.transitions(*profile);
    if (!logged) {
      return Failure(logged.error());
    }
    for (const profiles::LoggedTransition& one : *logged) {
      if (one.by == message) {
        out.begin_object().member("segment", one.transition.segment);
        out.member("change", one.transition.entered ? "enter" : "exit").end_object();
      }
    }
  }
  out.end_array();
  return {};
}

/// The parked row of the event; nothing: it has none.
Result<std::optional<Standing>> parked(Edge& edge,
                                       const std::string& destination,
                                       const storage::Record& record) {
  storage::List query{.queue = destinations::queue_of(destination)};
  for (;;) {
    const auto page = edge.store.list(query, soon());
    if (!page) {
      return Failure(page.error());
    }
    for (const storage::Due& row : page->items) {
      const auto state = row.id == record.id ? delivery::Parked::decode(row.body)
                                             : Result<delivery::Parked>(Failure(Error{}));
      if (state && state->offset == record.offset) {
        return Standing{.status = row.at >= delivery::kHeldUntilReleased ? "held" : "retry",
                        .reason = state->reason,
                        .attempts = state->attempts};
      }
    }
    if (!page->next) {
      return std::nullopt;
    }
    query.after = page->next;
  }
}

/// Whether it was given up; nothing: it was delivered.
Result<std::optional<Standing>> dead(const Edge& edge,
                                     const std::string& destination,
                                     std::uint64_t offset) {
  auto note = delivery::given_up(edge.store, destination, offset);
  if (!note || !*note) {
    return note ? Result<std::optional<Standing>>(std::nullopt) : Failure(note.error());
  }
  return Standing{
      .status = "dead", .reason = std::move((*note)->reason), .attempts = (*note)->attempts};
}

Result<Standing> standing_of(Edge& edge,
                             const destinations::Entry& entry,
                             const storage::Record& record) {
  const std::string& id = entry.definition.id;
  if (!destinations::goes_to(record, entry.number)) {
    return Standing{.status = "filtered"};
  }
  const auto position = edge.store.position(
      destinations::consumer_of(id), destinations::kStream, destinations::kLane, soon());
  if (!position) {
    return Failure(position.error());
  }
  const bool is_passed = record.offset <= position->offset ||
                         std::ranges::any_of(position->ahead, [&](const auto& interval) {
                           return record.offset >= interval.first && record.offset <= interval.last;
                         });
  if (!is_passed) {
    return Standing{.status = "pending"};
  }
  auto row = parked(edge, id, record);
  if (row && !*row) {
    row = dead(edge, id, record.offset);
  }
  return row ? Result<Standing>(row->value_or(Standing{})) : Failure(row.error());
}

}  // namespace

Result<std::string> event_report(Edge& edge, std::string_view message_id) {
  const auto found = edge.store.find(
      {.stream = events::kStream, .id = std::string(message_id), .limit = 1}, soon());
  if (!found) {
    return Failure(found.error());
  }
  if (found->records.empty()) {
    return Failure({ErrorCode::NotFound, "no such event"});
  }
  const storage::Record& record = *found->records.front();
  const auto event = events::Event::decode(record.body);
  const auto profile = event ? edge.profiles.profile_of_event(record.offset)
                             : Result<std::optional<ProfileId>>(Failure(event.error()));
  if (!profile) {
    return Failure(profile.error());
  }
  json::Writer out;
  out.begin_object().key("event").raw(events::without_internals(*event));
  out.member("source", event->source()).key("profile");
  *profile ? out.string((*profile)->text) : out.null();
  if (auto written = write_changes(out, edge, *profile, event->message_id()); !written) {
    return Failure(written.error());
  }
  out.key("destinations").begin_array();
  for (const auto& entry : edge.destinations.table().get()->entries()) {
    const auto standing = standing_of(edge, *entry, record);
    if (!standing) {
      return Failure(standing.error());
    }
    out.begin_object().member("id", entry->definition.id).member("name", entry->definition.name);
    out.member("routed", standing->status != "filtered").member("status", standing->status);
    if (standing->attempts > 0 || !standing->reason.empty()) {
      out.member("attempts", std::uint64_t{standing->attempts}).member("reason", standing->reason);
    }
    out.end_object();
  }
  return out.end_array().end_object().take();
}

}  // namespace edge
