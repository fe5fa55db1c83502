// SPDX-License-Identifier: MIT
#include "core/delivery/parked.h"

#include "core/json/members.h"

namespace edge::delivery {

std::string Parked::encode() const {
  json::Writer out;
  out.begin_object().member("offset", offset).member("attempts", std::uint64_t{attempts});
  out.member("done", std::uint64_t{done});
  out.member("since", since).member("first", first_attempt).member("last", last_attempt);
  out.member("reason", reason).member("ofDestination", of_destination);
  out.member("replays", std::uint64_t{replays}).member("letter", letter);
  if (status != 0 || !response.empty()) {
    out.member("status", status).member("response", response);
  }
  out.key("event").raw(event->text()).end_object();
  return out.take();
}

Result<Parked> Parked::decode(std::string_view encoded) {
  const auto document = json::Document::parse(encoded, json::kEvent);
  const auto event_json = document ? document->root().find("event") : std::nullopt;
  if (!event_json) {
    return Failure({ErrorCode::InvalidArgument, "a parked delivery cannot be read"});
  }
  auto event = events::Event::decode(event_json->raw());
  if (!event) {
    return Failure(event.error());
  }
  const json::Value root = document->root();
  const auto waits = root.find("ofDestination");
  return Parked{.offset = static_cast<std::uint64_t>(json::number_in(root, "offset")),
                .attempts = static_cast<std::uint32_t>(json::number_in(root, "attempts")),
                .done = static_cast<std::uint32_t>(json::number_in(root, "done")),
                .since = json::number_in(root, "since"),
                .first_attempt = json::number_in(root, "first"),
                .last_attempt = json::number_in(root, "last"),
                .reason = json::text_in(root, "reason"),
                .status = static_cast<int>(json::number_in(root, "status")),
                .response = json::text_in(root, "response"),
                .of_destination = waits && waits->as_bool().value_or(false),
                .replays = static_cast<std::uint32_t>(json::number_in(root, "replays")),
                .letter = json::text_in(root, "letter"),
                .event = std::make_shared<const events::Event>(std::move(*event))};
}

}  // namespace edge::delivery
