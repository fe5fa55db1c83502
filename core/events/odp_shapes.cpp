// SPDX-License-Identifier: MIT
// Events that Optimizely's SDKs send to its data platform (events spec 2.8).
#include <algorithm>
#include <cctype>

#include "core/crypto/digest.h"
#include "core/encoding/ascii.h"
#include "core/encoding/hex.h"
#include "core/events/shapes.h"
#include "core/json/writer.h"

namespace edge::events {
namespace {

using json::Value;

constexpr std::string_view kDefaultType = "fullstack";
constexpr std::string_view kIdentified = "identified";

Error bad_event(std::string_view message, std::string_view field, std::string_view reason) {
  return {.code = ErrorCode::InvalidArgument,
          .message = std::string(message),
          .field = std::string(field),
          .reason = std::string(reason)};
}

std::string_view text_in(std::optional<Value> object, std::string_view name) {
  const auto value = object ? object->find(name) : std::nullopt;
  return value ? value->as_string().value_or("") : std::string_view{};
}

/// Clients write `fs_user_id`, `fs-user-id` and `FS_USER_ID`.
std::string normal_name(std::string_view name) {
  std::string out(name);
  std::ranges::transform(out, out.begin(), [](unsigned char c) {
    return c == '-' ? '_' : static_cast<char>(std::tolower(c));
  });
  return out;
}

/// Who the event is about.
struct Identifiers {
  std::string_view user = {};
  std::string_view anonymous = {};
  std::string_view email = {};
  std::vector<std::pair<std::string, std::string_view>> others = {};
};

Identifiers identifiers_of(Value object) {
  Identifiers found;
  for (const auto& [given, value] : object.members()) {
    const std::string_view text = value.as_string().value_or("");
    const std::string name = normal_name(given);
    if (text.empty()) {
      continue;
    }
    if (name == "fs_user_id") {
      found.user = text;
    } else if (name == "vuid") {
      found.anonymous = text;
    } else if (name == "email") {
      found.email = text;
    } else {
      found.others.emplace_back(name, text);
    }
  }
  return found;
}

/// The same for each event of somebody who has neither a user id nor a device: made of how else
/// they are named.
std::string made_anonymous_id(const Identifiers& who) {
  const bool has_email = !who.email.empty();
  std::string name = has_email ? "email" : who.others.front().first;
  name += '\0';
  name += encoding::trimmed_blanks(has_email ? who.email : who.others.front().second);
  if (has_email) {
    std::ranges::transform(name, name.begin(), encoding::lower);
  }
  constexpr std::size_t kDigits = 32;
  return "odp-" + encoding::hex_encode(crypto::sha256(name)).substr(0, kDigits);
}

void write_context(json::Writer& out, const Identifiers& who, bool is_identify) {
  out.key("context").begin_object().member("source", "odp");
  if (!who.email.empty() && !is_identify) {
    out.key("traits").begin_object().member("email", who.email).end_object();
  }
  if (!who.others.empty()) {
    out.key("externalIds").begin_array();
    for (const auto& [type, id] : who.others) {
      out.begin_object()
          .member("id", id)
          .member("type", type)
          .member("collection", "users")
          .member("encoding", "none")
          .end_object();
    }
    out.end_array();
  }
  out.end_object();
}

}  // namespace

Result<std::string> from_odp(Value event) {
  if (!event.is_object()) {
    return Failure(bad_event("an event must be an object", "", "event_not_object"));
  }
  const std::string_view action = text_in(event, "action");
  if (action.empty()) {
    return Failure(
        bad_event("action must be a text that is not empty", "/action", "action_required"));
  }
  const auto given = event.find("identifiers");
  const Identifiers who = given ? identifiers_of(*given) : Identifiers{};
  if (who.user.empty() && who.anonymous.empty() && who.email.empty() && who.others.empty()) {
    return Failure(
        bad_event("identifiers must name somebody", "/identifiers", "identifiers_required"));
  }
  const std::string_view named = text_in(event, "type");
  const std::string_view type = named.empty() ? kDefaultType : named;
  const bool is_identify = type == kDefaultType && action == kIdentified;
  const auto data = event.find("data");
  json::Writer out;
  out.begin_object().member("type", is_identify ? "identify" : "track");
  // Repeated requests carry the same id, so that nothing counts twice.
  if (const std::string_view id = text_in(data, "idempotence_id"); !id.empty()) {
    out.member("messageId", id);
  }
  if (!who.user.empty()) {
    out.member("userId", who.user);
  }
  if (!who.anonymous.empty()) {
    out.member("anonymousId", who.anonymous);
  } else if (who.user.empty()) {
    out.member("anonymousId", made_anonymous_id(who));
  }
  if (is_identify) {
    out.key("traits").begin_object();
    if (!who.email.empty()) {
      out.member("email", who.email);
    }
    out.end_object();
  } else {
    out.member("event", std::string(type) + "." + std::string(action)).key("properties");
    data && data->is_object() ? out.value(*data) : out.raw("{}");
  }
  write_context(out, who, is_identify);
  return out.end_object().take();
}

}  // namespace edge::events
