// SPDX-License-Identifier: MIT
// Other ways to say an event. Each function turns one of them into the JSON text of a raw event,
// which then goes through normalisation like any other; none of them checks what normalisation
// checks.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/json/document.h"

namespace edge::events {

/// Whether an object is an event of the original API (spec 1.5) rather than a canonical one: it
/// names its type `eventType`.
bool is_seed_event(json::Value event);

/// An event of the original API as a raw event. `batch_context`: the context of its batch. An
/// object without `eventType` is taken as canonical; the batch context is applied to it as well.
/// Nothing when the event is a raw event as it stands.
std::optional<std::string> from_seed(json::Value event,
                                     std::optional<json::Value> batch_context = {});

/// A real-time action `{type, userId, anonymousId?, data, source, timestamp?}` (spec 1.5) as a raw
/// event.
///
/// Failure: InvalidArgument, reason `invalid_action`, with the member as `field`.
Result<std::string> from_action(json::Value action);

/// Names and values of a form in order. A file is a JSON object with its name, size and type.
struct FormField {
  std::string name;
  std::string value;
  bool is_json = false;  ///< `value` is JSON text, not text
};

/// A submitted form as an event (spec 2.6).
struct FormEvent {
  std::string raw = {};        ///< JSON text of the raw event
  bool drop = false;           ///< the honeypot was filled in: answer as usual, store nothing
  std::string redirect = {};   ///< where the browser wants to go (`_redirect`), unchecked
  std::string write_key = {};  ///< of the field `writeKey`, which is not kept
};

/// Values of fields whose names speak of secrets become `[redacted]`, in JSON values at any depth.
/// `form_id` and `referer` are empty when unknown; octets that are no UTF-8 are replaced. Steering
/// fields (`_userId` …) win over `form_id`.
FormEvent from_form(const std::vector<FormField>& fields,
                    std::string_view referer,
                    std::string_view form_id = {});

/// What the query of a tracking pixel says (spec 2.5).
struct PixelQuery {
  std::string raw = {};
  std::string write_key = {};
};

/// Reads `data=` (base64, base64url or plain JSON) or flat names. `type`: the type of the route.
///
/// Failure: InvalidArgument, reason `invalid_json` or `event_not_object`.
Result<PixelQuery> from_pixel_query(std::string_view type, std::string_view query);

/// The bodies of inbound webhooks (spec 9).
enum class InboundKind { Segment, Optimizely, Custom };

/// Raw events of one inbound webhook. `source`: the header X-Webhook-Source, empty when there is
/// none.
///
/// Failure: InvalidArgument when the body has no shape of that kind.
Result<std::vector<std::string>> from_inbound(InboundKind kind,
                                              json::Value body,
                                              std::string_view source = {});

/// An event of Optimizely's data platform (spec 2.8) as a raw event: `fullstack`/`identified` says
/// who somebody is, all else is the track event `TYPE.ACTION`.
///
/// Failure: InvalidArgument, reason `event_not_object`, `action_required` or
/// `identifiers_required`.
Result<std::string> from_odp(json::Value event);

}  // namespace edge::events
