// SPDX-License-Identifier: MIT
#include "daemon/routes/room_frames.h"

#include <fmt/format.h>

#include <utility>

namespace edge::routes {
namespace {

constexpr std::size_t kMaxNameBytes = 256;
constexpr std::size_t kMaxRecipientBytes = 512;
constexpr std::size_t kMaxIdBytes = 256;

Error wrong(std::string message, std::string_view member) {
  return {ErrorCode::InvalidArgument, std::move(message), "/" + std::string(member)};
}

}  // namespace

Result<std::vector<std::string>> read_names(json::Value frame,
                                            std::string_view member,
                                            std::size_t most) {
  std::vector<std::string> names;
  const auto list = frame.find(member);
  if (!list || !list->is_array() || list->size() > most) {
    return Failure(wrong(fmt::format("{} is a list of at most {} texts", member, most), member));
  }
  for (const json::Value element : list->elements()) {
    const std::string_view name = element.as_string().value_or("");
    if (name.empty() || name.size() > kMaxRecipientBytes) {
      return Failure(wrong(
          fmt::format("an element of {} is a text of 1 to {} octets", member, kMaxRecipientBytes),
          member));
    }
    names.emplace_back(name);
  }
  return names;
}

Result<std::uint64_t> read_number(json::Value frame,
                                  std::string_view member,
                                  std::uint64_t fallback) {
  const auto value = frame.find(member);
  if (!value || value->is_null()) {
    return fallback;
  }
  const auto number = value->as_uint64();
  return number ? Result<std::uint64_t>(*number)
                : Failure(wrong(fmt::format("{} is a whole number from 0 on", member), member));
}

Result<state::Publication> read_publication(json::Value object, state::Person from) {
  state::Publication publication{.from = std::move(from)};
  const auto event = object.find("event");
  publication.event = event ? event->as_string().value_or("") : "";
  if (publication.event.empty() || publication.event.size() > kMaxNameBytes) {
    return Failure(wrong(fmt::format("event is a text of 1 to {} octets", kMaxNameBytes), "event"));
  }
  const auto data = object.find("data");
  publication.data = data ? data->raw() : "null";
  if (const auto to = object.find("to"); to && !to->is_null()) {
    auto names = read_names(object, "to", state::kMaxRecipients);
    if (!names || names->empty()) {
      return Failure(names ? wrong("to names somebody, or is left out", "to") : names.error());
    }
    publication.to = std::move(*names);
  }
  if (const auto echo = object.find("echo"); echo && !echo->is_null()) {
    if (!echo->is_bool()) {
      return Failure(wrong("echo is true or false", "echo"));
    }
    publication.echo = *echo->as_bool();
  }
  return publication;
}

std::optional<std::string_view> id_of(json::Value frame) {
  const auto id = frame.find("id");
  if (!id || (!id->is_string() && !id->is_number()) || id->raw().size() > kMaxIdBytes) {
    return std::nullopt;
  }
  return id->raw();
}

std::string error_frame(std::optional<std::string_view> id, const Error& error) {
  json::Writer out;
  out.begin_object().member("type", "error");
  if (id) {
    out.key("id").raw(*id);
  }
  return out.member("code", reason_of(error)).member("message", error.message).end_object().take();
}

void write_history(json::Writer& out, const state::RoomHistoryAnswer& answer) {
  out.key("events").begin_array();
  for (const state::Text& event : answer.events) {
    out.raw(*event);
  }
  out.end_array().member("more", answer.more);
}

}  // namespace edge::routes
