// SPDX-License-Identifier: MIT
// What the protocols that decide have in common: finding out what the installation knows of a user
// before, and reporting, remembering and announcing after.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/edge.h"
#include "core/flags/decide.h"
#include "core/flags/user_records.h"
#include "core/flags/visitor_event.h"
#include "daemon/http/exchange.h"

namespace edge {

/// Whose segments and records are looked up.
struct Wanted {
  const flags::Project& project;
  std::string user_id = {};
  bool segments = false;  ///< of the profile, every event seen that was answered before
};

/// What the installation knows of a user besides the request.
struct Known {
  flags::UserRecordPointer record = {};  ///< never null unless `problem`
  std::vector<std::string> segments = {};
  bool is_stale = false;              ///< events answered before were not seen in time
  std::optional<Error> problem = {};  ///< of the store; the rest is empty then

  /// The remembered variations; null when nothing is remembered here.
  [[nodiscard]] const flags::StickyMap* sticky(const Edge& edge) const {
    return record != nullptr && edge.config.flags.sticky ? &record->sticky : nullptr;
  }
  /// Adds the field that says so to an answer that is stale.
  [[nodiscard]] http::Response mark(http::Response response) const {
    if (is_stale) {
      response.set("Edge-Stale", "1");
    }
    return response;
  }
};

/// Calls `then` when everything is known: at once when it is in memory, else on a pool thread. A
/// fault of `then` is answered as one of the handler.
void when_known(Edge& edge,
                const http::Exchange& exchange,
                Wanted wanted,
                std::function<void(const Known&)> then);

/// Reports exposures to Optimizely when somebody wants it.
void report(Edge& edge,
            const flags::Datafile& datafile,
            const flags::User& user,
            const std::vector<flags::Exposure>& exposures);
/// Reports a conversion; false when the datafile does not know the event.
bool report_conversion(Edge& edge,
                       flags::Project& project,
                       const flags::Datafile& datafile,
                       const flags::User& user,
                       std::string_view event_key,
                       std::optional<json::Value> attributes,
                       std::optional<json::Value> tags);
/// Keeps what a decision remembered for the user.
void remember(Edge& edge,
              const flags::Project& project,
              const flags::User& user,
              const flags::Decider& decider);
/// Tells the listeners of the project about decisions. `attributes` as received.
void announce(flags::Project& project,
              const flags::User& user,
              std::optional<json::Value> attributes,
              const std::vector<flags::Decision>& decisions,
              const std::vector<flags::Exposure>& exposures);

}  // namespace edge
