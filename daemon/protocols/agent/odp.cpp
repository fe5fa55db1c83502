// SPDX-License-Identifier: MIT
#include "daemon/protocols/agent/odp.h"

#include <algorithm>
#include <string>

#include "core/events/ingest.h"
#include "core/json/writer.h"
#include "daemon/routes/ingest_request.h"

namespace edge::protocols::agent {
namespace {

/// Names of identifiers are compared without regard to case, `-` as `_`.
bool is_named(std::string_view name, std::string_view wanted) {
  return std::ranges::equal(name, wanted, [](char left, char right) {
    const char small = left >= 'A' && left <= 'Z' ? static_cast<char>(left - 'A' + 'a') : left;
    return (small == '-' ? '_' : small) == right;
  });
}

std::string_view identifier(json::Value identifiers, std::string_view wanted) {
  for (const auto& [name, value] : identifiers.members()) {
    if (is_named(name, wanted)) {
      return value.as_string().value_or("");
    }
  }
  return {};
}

void write_if(json::Writer& out, std::string_view name, std::string_view text) {
  if (!text.empty()) {
    out.member(name, text);
  }
}

/// The event as the tracking protocol would bring it.
std::string event_of(std::string_view type,
                     std::string_view action,
                     json::Value identifiers,
                     std::optional<json::Value> data) {
  const bool is_identify = type == "fullstack" && action == "identified";
  const std::string_view email = identifier(identifiers, "email");
  json::Writer out;
  out.begin_object().member("type", is_identify ? "identify" : "track");
  write_if(out, "userId", identifier(identifiers, "fs_user_id"));
  write_if(out, "anonymousId", identifier(identifiers, "vuid"));
  if (!is_identify) {
    out.member("event", std::string(type) + "." + std::string(action)).key("properties");
    data && data->is_object() ? out.value(*data) : out.raw("{}");
    out.key("context").begin_object().key("traits").begin_object();
    write_if(out, "email", email);
    out.end_object().end_object();
  } else {
    out.key("traits").begin_object();
    write_if(out, "email", email);
    out.end_object();
  }
  return out.end_object().take();
}

}  // namespace

void send_odp_event(const CallPointer& call) {
  const auto action = call->member("action");
  if (!action || !action->is_string() || action->as_string()->empty()) {
    return call->fail(400, R"(missing "action" in request payload)");
  }
  const auto identifiers = call->member("identifiers");
  if (!identifiers || !identifiers->is_object() || identifiers->size() == 0) {
    return call->fail(400, R"(missing or empty "identifiers" in request payload)");
  }
  const auto type = call->member("type");
  const std::string_view type_text = type ? type->as_string().value_or("") : "";
  const std::string event = event_of(type_text.empty() ? "fullstack" : type_text,
                                     *action->as_string(),
                                     *identifiers,
                                     call->member("data"));
  call->edge.ingest.accept(event,
                           routes::origin_of(call->request(), call->edge.sources.fallback()),
                           [call](const Result<std::vector<events::Outcome>>& outcomes) {
                             if (!outcomes) {
                               return call->exchange.fail(outcomes.error());
                             }
                             if (outcomes->front().status == events::Outcome::Status::Refused) {
                               return call->fail(400, outcomes->front().error.message);
                             }
                             call->complete(http::json(R"({"success":true})"));
                           });
}

}  // namespace edge::protocols::agent
