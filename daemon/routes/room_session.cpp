// SPDX-License-Identifier: MIT
#include "daemon/routes/room_session.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/json/writer.h"
#include "core/state/named_state.h"
#include "daemon/http/upgrade.h"
#include "daemon/http/websocket_frames.h"
#include "daemon/routes/room_frames.h"

namespace edge::routes {
namespace {

namespace close_code = http::close_code;

constexpr std::string_view kProtocol = "edge.v1";
constexpr std::string_view kFarewell =
    R"({"type":"closing","reason":"shutdown","retryAfterMs":1000})";

/// What the original's clients know.
constexpr std::array<std::string_view, 3> kUpdates = {
    "segment_update", "personalization_update", "feature_flag_update"};

state::Text shared(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

/// The update frame of the original for an event.
std::string seed_frame(const state::RoomEvent& event, const std::string& user) {
  const auto document = json::Document::parse(*event.frame, json::kEvent);
  const auto data = document ? document->root().find("data") : std::nullopt;
  json::Writer out;
  out.begin_object().member("type", event.event).member("userId", user).key("data");
  out.raw(data ? data->raw() : "null").member("serverTimestamp", event.ts).end_object();
  return out.take();
}

std::optional<std::string> owned_id(json::Value frame) {
  const auto id = id_of(frame);
  return id ? std::optional<std::string>(*id) : std::nullopt;
}

std::string state_frame(const std::optional<std::string>& id,
                        const std::string& key,
                        const std::string& value,
                        std::uint64_t version) {
  json::Writer out;
  out.begin_object().member("type", "state");
  if (id) {
    out.key("id").raw(*id);
  }
  out.member("key", key).key("value").raw(value).member("version", version);
  return out.end_object().take();
}

std::string conflict_frame(const std::optional<std::string>& id, std::uint64_t version) {
  json::Writer out;
  out.begin_object().member("type", "error");
  if (id) {
    out.key("id").raw(*id);
  }
  out.member("code", "conflict").member("message", "the key has another version");
  return out.member("version", version).end_object().take();
}

Error forbidden(std::string_view permission) {
  return {ErrorCode::PermissionDenied, "this needs " + std::string(permission), {}, "forbidden"};
}

}  // namespace

std::string_view room_protocol(const http::Request& request) {
  const auto offered = http::offered_protocols(request);
  return std::ranges::find(offered, kProtocol) == offered.end() ? std::string_view() : kProtocol;
}

RoomSession::RoomSession(Edge& edge, Parts parts)
    : edge_(edge), parts_(std::move(parts)), filled_at_(edge.clock.steady()) {}

std::shared_ptr<http::WebSocket> RoomSession::open(Edge& edge, Parts parts) {
  const auto session = std::make_shared<RoomSession>(edge, std::move(parts));
  return std::make_shared<http::WebSocket>(
      http::WebSocket::Handlers{
          .on_open = [session](const auto& socket) { session->join(socket); },
          .on_text = [session](std::string_view text) { session->hear(text); },
          .on_binary =
              [session] { session->close(close_code::kBadFrame, "frames are JSON texts"); },
          .on_room = [session] { session->seat_.room->resume(session->seat_.number); },
          .on_closed =
              [session] {
                if (session->seat_.room != nullptr) {
                  session->seat_.room->leave(session->seat_.number);
                }
              }},
      http::WebSocket::Options{.farewell = std::string(kFarewell),
                               .valid_until = session->parts_.valid_until});
}

void RoomSession::join(const std::shared_ptr<http::WebSocket>& socket) {
  socket_ = socket;
  const bool is_seed = parts_.dialect == Dialect::Seed;
  if (is_seed) {
    json::Writer out;
    out.begin_object()
        .member("type", "connected")
        .member("connectionId", parts_.person.connection)
        .member("userId", parts_.person.user)
        .member("timestamp", std::int64_t{to_ms(edge_.clock.now())});
    socket->send(shared(out.end_object().take()));
  }
  seat_ = edge_.rooms.join(parts_.room,
                           {.listener = shared_from_this(),
                            .person = parts_.person,
                            .is_shown = true,
                            .is_greeted = !is_seed,
                            .after = parts_.after});
}

bool RoomSession::event(const state::RoomEvent& event) {
  const auto socket = socket_.lock();
  if (socket == nullptr) {
    return false;
  }
  const bool is_update =
      parts_.dialect == Dialect::Seed && std::ranges::find(kUpdates, event.event) != kUpdates.end();
  return socket->send(is_update ? shared(seed_frame(event, parts_.person.user)) : event.frame);
}

bool RoomSession::presence(std::uint64_t about,
                           bool is_join,
                           state::Text text,
                           state::Text joined) {
  const auto socket = socket_.lock();
  return socket != nullptr &&
         socket->send_state(about, is_join, std::move(text), std::move(joined));
}

bool RoomSession::frame(std::string text) {
  const auto socket = socket_.lock();
  return socket != nullptr && socket->send(shared(std::move(text)));
}

void RoomSession::ask_for_room() {
  if (const auto socket = socket_.lock()) {
    socket->ask_for_room();
  }
}

void RoomSession::refuse(std::string_view code, std::string_view message) {
  frame(error_frame({}, {ErrorCode::Unavailable, std::string(message), {}, std::string(code)}));
  close(code == "full" ? close_code::kTooMany : close_code::kTryAgainLater, code);
}

void RoomSession::close(std::uint16_t code, std::string_view reason) {
  if (const auto socket = socket_.lock()) {
    socket->close(code, reason);
  }
}

/// A bucket that fills at the allowed rate.
bool RoomSession::is_in_rate() {
  const SteadyTime now = edge_.clock.steady();
  const std::chrono::duration<double> passed = now - std::exchange(filled_at_, now);
  tokens_ = std::min(kMessageBurst, tokens_ + passed.count() * kMessagesPerSecond);
  if (tokens_ < 1) {
    return false;
  }
  tokens_ -= 1;
  return true;
}

void RoomSession::hear(std::string_view text) {
  const bool is_in_rate_now = is_in_rate();
  if (!is_in_rate_now && ++refused_ > kMostRefused) {
    return close(close_code::kTooMany, "too many messages");
  }
  const auto document = json::Document::parse(text, json::kApi);
  const auto type = document ? document->root().find("type") : std::nullopt;
  if (!type || !type->as_string()) {
    return close(close_code::kBadFrame, "a frame is a JSON object with a type");
  }
  if (!is_in_rate_now) {
    return complain(document->root(), {ErrorCode::RateLimited, "at most 50 messages per second"});
  }
  obey(*type->as_string(), document->root());
}

void RoomSession::obey(std::string_view type, json::Value frame) {
  if (type == "publish") {
    publish(frame);
  } else if (type == "presence") {
    set_presence(frame);
  } else if (type == "subscribe" || type == "unsubscribe") {
    subscribe(frame, type == "subscribe");
  } else if (type == "history") {
    history(frame);
  } else if (type == "ping" || type == "heartbeat") {
    pong(frame, type == "heartbeat");
  } else if (type == "state.get") {
    get_state(frame);
  } else if (type == "state.put") {
    put_state(frame);
  } else {
    complain(frame,
             {ErrorCode::InvalidArgument,
              "there is no frame of type \"" + std::string(type.substr(0, 64)) + "\"",
              {},
              "unknown_type"});
  }
}

void RoomSession::complain(json::Value frame, const Error& error) {
  this->frame(error_frame(id_of(frame), error));
}

void RoomSession::publish(json::Value frame) {
  if (!parts_.may_publish) {
    return complain(frame, forbidden("rooms:publish"));
  }
  auto publication = read_publication(frame, parts_.person);
  if (!publication) {
    return complain(frame, publication.error());
  }
  seat_.room->publish(
      seat_.number,
      std::move(*publication),
      [self = shared_from_this(), id = owned_id(frame)](const Result<state::Published>& done) {
        if (!done) {
          self->frame(error_frame(id, done.error()));
        } else if (id) {
          json::Writer out;
          out.begin_object().member("type", "ack").key("id").raw(*id);
          out.member("seq", done->seq).member("ts", done->ts);
          self->frame(out.end_object().take());
        }
      });
}

void RoomSession::set_presence(json::Value frame) {
  const auto state = frame.find("state");
  if (!state || state->raw().size() > state::kMaxPresenceBytes) {
    return complain(frame,
                    {ErrorCode::InvalidArgument, "state is JSON of at most 4096 octets", "/state"});
  }
  seat_.room->set_presence(seat_.number, std::string(state->raw()));
}

void RoomSession::subscribe(json::Value frame, bool hears) {
  auto events = read_names(frame, "events", state::kMaxSubscriptions);
  if (!events) {
    return complain(frame, events.error());
  }
  if (hears) {
    seat_.room->subscribe(seat_.number, std::move(*events));
  } else {
    seat_.room->unsubscribe(seat_.number, std::move(*events));
  }
  acknowledge(frame);
}

void RoomSession::acknowledge(json::Value frame) {
  json::Writer out;
  out.begin_object().member("type", "ack");
  if (const auto id = id_of(frame)) {
    out.key("id").raw(*id);
  }
  this->frame(out.end_object().take());
}

void RoomSession::history(json::Value frame) {
  const auto after = read_number(frame, "after", 0);
  const auto limit = read_number(frame, "limit", 100);
  if (!after || !limit) {
    return complain(frame, after ? limit.error() : after.error());
  }
  if (*limit < 1 || *limit > state::kMaxHistoryAnswer) {
    return complain(frame, {ErrorCode::InvalidArgument, "limit is 1 to 500", "/limit"});
  }
  seat_.room->history(*after,
                      *limit,
                      parts_.person,
                      [self = shared_from_this(),
                       id = owned_id(frame)](const Result<state::RoomHistoryAnswer>& answer) {
                        if (!answer) {
                          self->frame(error_frame(id, answer.error()));
                          return;
                        }
                        json::Writer out;
                        out.begin_object().member("type", "history");
                        if (id) {
                          out.key("id").raw(*id);
                        }
                        write_history(out, *answer);
                        self->frame(out.end_object().take());
                      });
}

void RoomSession::get_state(json::Value frame) {
  const auto key = frame.find("key");
  if (!parts_.may_read_state || !key || !key->as_string()) {
    return complain(frame,
                    parts_.may_read_state
                        ? Error{ErrorCode::InvalidArgument, "key is a text", "/key"}
                        : forbidden("state:read"));
  }
  seat_.room->run(
      [self = shared_from_this(), id = owned_id(frame), key = std::string(*key->as_string())] {
        const auto entry =
            state::NamedState(self->edge_.store, self->edge_.clock).read(self->parts_.room, key);
        self->frame(!entry   ? error_frame(id, entry.error())
                    : *entry ? state_frame(id, key, (*entry)->value, (*entry)->version)
                             : state_frame(id, key, "null", 0));
      });
}

void RoomSession::put_state(json::Value frame) {
  const auto key = frame.find("key");
  const auto value = frame.find("value");
  const auto version = frame.find("ifVersion");
  if (!parts_.may_write_state) {
    return complain(frame, forbidden("state:write"));
  }
  if (!key || !key->as_string() || !value || (version && !version->as_uint64())) {
    return complain(
        frame,
        {ErrorCode::InvalidArgument,
         "state.put has a key (text), a value (JSON) and perhaps ifVersion (a number)"});
  }
  const auto wanted = version ? version->as_uint64() : std::nullopt;
  seat_.room->run([self = shared_from_this(),
                   id = owned_id(frame),
                   wanted,
                   put = state::Operation{.kind = state::Operation::Kind::Put,
                                          .key = std::string(*key->as_string()),
                                          .value = std::string(value->raw())}] {
    const auto done = state::NamedState(self->edge_.store, self->edge_.clock)
                          .change(self->parts_.room, wanted, put);
    if (!done || done->mismatch) {
      self->frame(done ? conflict_frame(id, done->mismatch->version)
                       : error_frame(id, done.error()));
      return;
    }
    const std::uint64_t written = done->outcomes.back().version;
    self->frame(state_frame(id, put.key, put.value, written));
    self->seat_.room->tell(state_frame({}, put.key, put.value, written), self->seat_.number);
  });
}

void RoomSession::pong(json::Value frame, bool is_heartbeat) {
  const std::int64_t now = to_ms(edge_.clock.now());
  json::Writer out;
  out.begin_object();
  if (is_heartbeat) {
    out.member("type", "heartbeat_response").member("timestamp", now);
  } else {
    out.member("type", "pong");
    if (const auto t = frame.find("t"); t && t->raw().size() <= 64) {
      out.key("t").raw(t->raw());
    }
    out.member("ts", now);
  }
  this->frame(out.end_object().take());
}

}  // namespace edge::routes
