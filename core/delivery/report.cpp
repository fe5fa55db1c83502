// SPDX-License-Identifier: MIT
#include "core/delivery/report.h"

#include <algorithm>

namespace edge::delivery {
namespace {

void write_time(json::Writer& out, const char* name, std::int64_t ms) {
  if (ms != 0) {
    out.member(name, events::format_time(from_ms(ms)));
  }
}

}  // namespace

void write_destination(json::Writer& out,
                       const destinations::Entry& entry,
                       const Status& status,
                       const destinations::Catalogue& catalogue) {
  out.member("state", name_of(status.state));
  out.member("pending", status.pending).member("inFlight", status.in_flight);
  out.member("delivered", status.delivered).member("dead", status.dead);
  out.member("attempts", status.attempts).member("retried", status.retried);
  out.member("p50Ms", status.p50_ms).member("p95Ms", status.p95_ms);
  if (!status.last_error.empty()) {
    out.member("lastError", status.last_error);
    write_time(out, "lastErrorAt", status.last_error_at);
  }
  out.member("configured", entry.origin == destinations::Origin::Configuration);
  write_definition(out, entry.definition, catalogue, true);
}

Result<void> write_since(json::Writer& out,
                         storage::Store& store,
                         const destinations::Entry& entry,
                         Time since) {
  return happened_since(store, entry.definition.id, since).map([&](const Happened& happened) {
    out.key("since").begin_object();
    write_time(out, "time", to_ms(since));
    out.member("delivered", happened.delivered).member("dead", happened.dead);
    out.member("attempts", happened.attempts).member("retried", happened.retried).end_object();
  });
}

void write_attempt(json::Writer& out, const destinations::Entry& entry, const Attempt& attempt) {
  out.member("success", succeeded(attempt)).member("destination", entry.definition.name);
  out.key("requests").begin_array();
  for (const SentRequest& request : attempt.sent) {
    out.begin_object().member("method", request.method).member("url", request.url);
    out.member("status", request.status).end_object();
  }
  out.end_array().member("responseTime", std::int64_t{attempt.duration.count()});
  if (!succeeded(attempt)) {
    const auto failed = std::ranges::find_if(
        attempt.events, [](const Verdict& verdict) { return !verdict.reason.empty(); });
    out.member("reason", failed == attempt.events.end() ? "" : failed->reason);
    out.member("response", attempt.response);
  }
}

bool succeeded(const Attempt& attempt) {
  return std::ranges::all_of(
      attempt.events, [](const Verdict& verdict) { return verdict.action == Action::Delivered; });
}

void write_letter(json::Writer& out, const DeadLetter& letter, bool whole) {
  const auto event = events::Event::decode(letter.event);
  out.member("id", letter.id).member("destination", letter.destination);
  out.member("messageId", event ? event->message_id() : std::string_view{});
  out.member("type", event ? events::name_of(event->type()) : std::string_view{});
  out.member("reason", letter.reason);
  out.key("status");
  if (letter.status != 0) {
    out.integer(letter.status);
  } else {
    out.null();
  }
  out.member("attempts", std::uint64_t{letter.attempts});
  write_time(out, "firstAttemptAt", letter.first_attempt);
  write_time(out, "lastAttemptAt", letter.last_attempt);
  out.member("response", letter.response);
  out.member("replays", std::uint64_t{letter.replays}).member("replaying", letter.replaying);
  if (whole) {
    if (!letter.request.empty()) {
      out.key("request").raw(letter.request);
    }
    out.key("event").raw(event ? events::without_internals(*event) : letter.event);
  }
}

std::string test_event(Time now, Ids& ids) {
  const std::string time = events::format_time(now);
  json::Writer out;
  out.begin_object().member("messageId", "edge-test-" + ids.uuid()).member("type", "track");
  out.member("event", "Destination Tested").member("userId", "edge-test");
  out.key("properties").begin_object().end_object();
  out.key("context").begin_object().member("test", true).end_object();
  out.key("integrations").begin_object().end_object().member("channel", "server");
  out.member("timestamp", time).member("originalTimestamp", time).member("receivedAt", time);
  return out.member("version", 2).end_object().take();
}

}  // namespace edge::delivery
