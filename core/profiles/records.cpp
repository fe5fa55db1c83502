// SPDX-License-Identifier: MIT
#include "core/profiles/records.h"

#include <fmt/format.h>

#include <utility>

#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::profiles {
namespace {

void write_value(json::Writer& out, std::string_view name, std::string_view json) {
  if (!json.empty()) {
    out.key(name).raw(json);
  }
}

}  // namespace

ProfileId profile_id(std::uint32_t lane, std::uint64_t number) {
  return ProfileId{fmt::format("p{}-{}", lane, number)};
}

storage::Key profile_key(const ProfileId& id) {
  return {"profile", "", id.text};
}

storage::Key identifier_key(std::string_view type, std::string_view value) {
  return {"ident", std::string(type), std::string(value)};
}

storage::Key group_key(std::string_view id) {
  return {"group", "", std::string(id)};
}

storage::Key merge_key(std::string_view id) {
  return {"merge", "", std::string(id)};
}

storage::Key history_key(const ProfileId& id, std::uint64_t number, std::uint64_t length) {
  return {"history", id.text, fmt::format("{:02}", number % length)};
}

std::string encode(const Merge& merge) {
  json::Writer out;
  out.begin_object()
      .member("id", merge.id)
      .member("into", merge.into.text)
      .member("from", merge.from.text)
      .key("how")
      .string(merge.how)
      .member("by", merge.by)
      .member("at", to_ms(merge.at))
      .member("undone", merge.is_undone)
      .member("after", merge.after);
  out.key("before").begin_object();
  write_value(out, "into", merge.before_into);
  write_value(out, "from", merge.before_from);
  return out.end_object().end_object().take();
}

Result<Merge> decode_merge(std::string_view stored) {
  const auto document = json::Document::parse(stored, json::kEvent);
  if (!document || !document->root().find("id")) {
    return Failure({ErrorCode::Internal, "stored merge is not readable"});
  }
  const json::Value root = document->root();
  const auto text = [&](std::string_view name) {
    const auto value = root.find(name);
    return std::string(value ? value->as_string().value_or("") : "");
  };
  const auto number = [&](std::string_view name) {
    const auto value = root.find(name);
    return value ? value->as_int64().value_or(0) : 0;
  };
  const auto before = [&](std::string_view name) {
    const auto sides = root.find("before");
    const auto side = sides ? sides->find(name) : std::nullopt;
    return std::string(side ? side->raw() : "");
  };
  const auto undone = root.find("undone");
  return Merge{.id = text("id"),
               .into = ProfileId{text("into")},
               .from = ProfileId{text("from")},
               .how = text("how") == "alias" ? "alias" : "match",
               .by = text("by"),
               .at = from_ms(number("at")),
               .before_into = before("into"),
               .before_from = before("from"),
               .after = static_cast<std::uint64_t>(number("after")),
               .is_undone = undone && undone->as_bool().value_or(false)};
}

std::string encode(const HistoryEntry& entry) {
  json::Writer out;
  out.begin_object().member("number", entry.number).member("name", entry.change.name);
  write_value(out, "before", entry.change.before);
  write_value(out, "after", entry.change.after);
  out.member("at", to_ms(entry.change.at)).member("messageId", entry.message_id);
  return out.end_object().take();
}

std::string encode_redirect(const ProfileId& into) {
  return json::Writer().begin_object().member("redirect", into.text).end_object().take();
}

Result<Stored> decode_stored(std::string_view stored) {
  constexpr std::string_view kRedirect = R"({"redirect":)";
  if (!stored.starts_with(kRedirect)) {
    return decode(stored).map(
        [](Profile profile) { return Stored{.profile = std::move(profile)}; });
  }
  const auto document = json::Document::parse(stored, json::kEvent);
  const auto target = document ? document->root().find("redirect") : std::nullopt;
  const auto id = target ? target->as_string() : std::nullopt;
  if (!id) {
    return Failure({ErrorCode::Internal, "stored redirect is not readable"});
  }
  return Stored{.redirect = ProfileId{std::string(*id)}};
}

}  // namespace edge::profiles
