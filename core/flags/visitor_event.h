// SPDX-License-Identifier: MIT
// Events for Optimizely's event API: impressions (somebody got a variation) and conversions, as
// Optimizely's JavaScript SDK 6.6.1 builds them.
//
// What a dispatcher does with them. An event is one visitor: a piece of a request body. Events that
// `may_share` one go into a body together, one visitor each, in the order in which they happened,
// at most ten (a setting). A body is sent by POST to `endpoint` with `content-type:
// application/json`; an event that may not share opens the next body. `requests_of` does both. Any
// 2xx answer takes the body; everything else is tried again later with the same bytes: the uuid in
// every event lets the receiver drop what it has already.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/id.h"
#include "core/flags/datafile.h"
#include "core/flags/decision.h"
#include "core/flags/user.h"
#include "core/json/document.h"

namespace edge::flags {

/// Who reports, as bodies name it.
struct Client {
  std::string_view name = {};
  std::string_view version = {};
};

/// One event. A value: it may be stored and sent by another process.
struct VisitorEvent {
  std::string endpoint = {};  ///< where its body goes; the region of the datafile chooses
  std::string head = {};      ///< members of the body before `visitors`, JSON
  std::optional<bool> bot_filtering = {};  ///< of the datafile that it was made under
  std::string visitor = {};                ///< JSON object
  bool operator==(const VisitorEvent&) const = default;
};

/// Whether two events may be visitors of one body: equal endpoint, account, project, revision,
/// client, anonymisation and bot filtering.
bool may_share(const VisitorEvent& left, const VisitorEvent& right);

struct EventRequest {
  std::string endpoint = {};
  std::string body = {};
  std::size_t events = 0;  ///< how many events the body holds
};

/// The requests that deliver `events` in their order, at most `max_events` (not 0) in each.
std::vector<EventRequest> requests_of(std::span<const VisitorEvent> events, std::size_t max_events);

/// Makes events for one user under one datafile. Borrows all; one thread only.
class EventWriter {
 public:
  EventWriter(const Datafile& datafile, const User& user, const Client& client, Ids& ids)
      : datafile_(datafile), user_(user), client_(client), ids_(ids) {}

  /// What decide noted in `Circumstances::exposures`.
  VisitorEvent impression(const Exposure& exposure, Time now);
  /// The impression of `activate`: a variation of an experiment outside any flag.
  VisitorEvent activation(const Rule& experiment, const Variation& variation, Time now);
  /// Nothing for an event key that the datafile does not know. `tags`, when it is an object, is
  /// copied without its null members; `revenue` (integer, in the smallest unit of a currency) and
  /// `value` are also read from it.
  std::optional<VisitorEvent> conversion(std::string_view event_key,
                                         std::optional<json::Value> tags,
                                         Time now);

 private:
  [[nodiscard]] VisitorEvent event_of(const std::string& snapshot) const;
  [[nodiscard]] std::string head() const;
  void write_attributes(json::Writer& out) const;

  const Datafile& datafile_;
  const User& user_;
  Client client_;
  Ids& ids_;
};

}  // namespace edge::flags
