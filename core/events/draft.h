// SPDX-License-Identifier: MIT
// An event between the border and the log: validated, its fields found, but its objects still where
// the client's text has them. Enrichment adds patches; `encode` writes the canonical text in one
// go.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/id.h"
#include "core/base/result.h"
#include "core/events/clocks.h"
#include "core/events/event.h"
#include "core/events/overlay.h"
#include "core/json/document.h"

namespace edge::events {

enum class Channel : std::uint8_t { Server, Browser, Mobile };
std::string_view name_of(Channel channel);

/// What a batch says for all of its events (spec 1.3), and what is known about them from outside.
struct Envelope {
  std::optional<json::Value> context = {};  ///< deep-merged below the event's; must be an object
  std::optional<json::Value> integrations = {};  ///< laid below the event's; must be an object
  std::optional<json::Value> sent_at = {};
  std::optional<Type> type = {};        ///< the type of a route; wins over the event's
  std::optional<Channel> channel = {};  ///< the kind of the source; wins over the event's
  bool has_duplicates = false;  ///< the document has repeated member names: clean every event
  /// The events came to the original API: they may have its shape (spec 1.5), `context` is that of
  /// its batches, and who names nobody gets an anonymousId.
  bool is_original = false;
  bool all_or_none = false;  ///< when one event is refused, none of them is stored
};

struct Limits {
  std::size_t max_event_bytes = 32'768;
  std::uint32_t max_depth = 64;
  std::size_t max_message_id = 100;  ///< code points
  std::chrono::milliseconds max_future = std::chrono::hours{1};
};

/// A validated event. Its views point into the received document or into `owned`, which both must
/// outlive it; moving keeps them valid.
struct Draft {
  Type type = Type::Track;
  Channel channel = Channel::Server;
  EventId id;
  std::string_view event = {};
  std::string_view name = {};
  std::string_view category = {};
  bool has_name_of_properties = false;      ///< `name` repeats `properties.name` …
  bool has_category_of_properties = false;  ///< … `category` `properties.category`
  bool has_traits_of_context = false;       ///< … `traits` `context.traits`
  bool has_made_anonymous_id = false;       ///< it came without any id
  std::string_view user_id = {};
  std::string_view anonymous_id = {};
  std::string_view group_id = {};
  std::string_view previous_id = {};
  std::optional<json::Value> properties = {};
  std::optional<json::Value> traits = {};
  std::optional<json::Value> context = {};
  std::optional<json::Value> integrations = {};
  std::vector<json::Member> others = {};  ///< top-level members without a meaning here
  Clocks clocks;

  std::vector<Patch> property_patches = {};
  std::vector<Patch> context_patches = {};

  std::vector<std::unique_ptr<const json::Document>> documents = {};  ///< rewritten parts
  std::vector<std::unique_ptr<const std::string>> texts = {};         ///< ids: numbers, made ones
};

/// Checks one raw event and finds its fields, in the order and with the codes of spec 1.2.
///
/// Failure: InvalidArgument (TooLarge for `event_too_large`) with the code as `reason` and its
/// message.
Result<Draft> normalise(json::Value raw,
                        const Envelope& envelope,
                        Time received_at,
                        Ids& ids,
                        const Limits& limits = {});

/// The messageId (`eventId` in the original's shape) of a raw event as far as it has a usable one;
/// for reports about refused events.
std::string raw_message_id(json::Value raw);

/// What the log keeps about an event besides the event itself (`_edge`).
struct Internals {
  std::string_view source = {};
  std::uint32_t hops = 0;
};

/// The canonical JSON text: one line, patches woven in.
std::string encode(const Draft& draft, const Internals& internals);

}  // namespace edge::events
