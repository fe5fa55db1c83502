// SPDX-License-Identifier: MIT
#include "core/encoding/utf8.h"
#include "core/events/draft.h"
#include "core/json/writer.h"

namespace edge::events {
namespace {

void write_text(json::Writer& out, std::string_view name, std::string_view text) {
  if (!text.empty()) {
    out.member(name, text);
  }
}

void write_internals(json::Writer& out, const Draft& draft, const Internals& internals) {
  out.key("_edge").begin_object();
  write_text(out, "source", internals.source);
  if (!draft.clocks.flags.empty()) {
    out.key("flags").begin_array();
    for (const std::string_view flag : draft.clocks.flags) {
      out.string(flag);
    }
    out.end_array();
  }
  if (internals.hops != 0) {
    out.member("hops", std::uint64_t{internals.hops});
  }
  out.end_object();
}

/// Room for names, times, session and source. What is encoded is kept in memory for a while, so it
/// should neither outgrow its room, which doubles it, nor leave much of it empty.
constexpr std::size_t kOwnMembers = 480;

std::size_t size_of(const Draft& draft) {
  std::size_t size = kOwnMembers + draft.id.text.size() + draft.event.size() +
                     draft.user_id.size() + draft.anonymous_id.size();
  for (const auto& part : {draft.properties, draft.traits, draft.context, draft.integrations}) {
    size += part ? part->raw().size() : 0;
  }
  return size;
}

}  // namespace

std::string encode(const Draft& draft, const Internals& internals) {
  json::Writer out;
  out.reserve(size_of(draft));
  out.begin_object();
  out.member("messageId", draft.id.text).member("type", name_of(draft.type));
  write_text(out, "event", draft.event);
  write_text(out, "name", draft.name);
  write_text(out, "category", draft.category);
  write_text(out, "userId", draft.user_id);
  write_text(out, "anonymousId", draft.anonymous_id);
  write_text(out, "groupId", draft.group_id);
  write_text(out, "previousId", draft.previous_id);
  const bool has_properties =
      draft.type == Type::Track || draft.type == Type::Page || draft.type == Type::Screen;
  if (has_properties || draft.properties) {
    write_patched(out.key("properties"), draft.properties, draft.property_patches);
  }
  if (draft.type == Type::Identify || draft.type == Type::Group || draft.traits) {
    write_patched(out.key("traits"), draft.traits, {});
  }
  write_patched(out.key("context"), draft.context, draft.context_patches);
  write_patched(out.key("integrations"), draft.integrations, {});
  out.member("channel", name_of(draft.channel))
      .member("timestamp", format_time(draft.clocks.timestamp))
      .member("originalTimestamp", format_time(draft.clocks.original_timestamp))
      .member("receivedAt", format_time(draft.clocks.received_at));
  if (draft.clocks.sent_at) {
    out.member("sentAt", format_time(*draft.clocks.sent_at));
  }
  for (const auto& [name, value] : draft.others) {
    out.key(name).value(value);
  }
  out.key("version").integer(2);
  write_internals(out, draft, internals);
  std::string text = out.end_object().take();
  // Whatever slipped in must not make a text that nobody can read: the event would be lost.
  if (!encoding::is_utf8(text)) {
    return encoding::repaired_utf8(text);
  }
  return text;
}

}  // namespace edge::events
