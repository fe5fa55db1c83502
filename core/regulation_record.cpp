// SPDX-License-Identifier: MIT
#include "core/regulation_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/json/writer.h"
#include "core/profiles/identifiers.h"

namespace edge {
namespace {

using profiles::Name;

constexpr std::array<std::pair<std::string_view, RegulationType>, 4> kTypes = {
    {{"SUPPRESS_ONLY", RegulationType::SuppressOnly},
     {"UNSUPPRESS", RegulationType::Unsuppress},
     {"DELETE_ONLY", RegulationType::DeleteOnly},
     {"SUPPRESS_WITH_DELETE", RegulationType::SuppressWithDelete}}};
/// The last one is not for callers: it is what DELETE /cdp/profiles/:id makes.
constexpr std::array<std::pair<std::string_view, Name>, 4> kSubjects = {
    {{"USER_ID", Name::UserId},
     {"ANONYMOUS_ID", Name::AnonymousId},
     {"EMAIL", Name::Email},
     {"PROFILE_ID", Name::ProfileId}}};

template <typename Table, typename Value>
std::string_view name_in(const Table& table, Value value) {
  const auto found = std::ranges::find(table, value, [](const auto& one) { return one.second; });
  return found->first;
}

template <typename Table>
auto value_in(const Table& table, std::string_view name)
    -> std::optional<typename Table::value_type::second_type> {
  const auto found = std::ranges::find(table, name, [](const auto& one) { return one.first; });
  return found == table.end() ? std::nullopt : std::optional(found->second);
}

std::string_view text_at(json::Value object, std::string_view name) {
  const auto value = object.find(name);
  return value ? value->as_string().value_or("") : std::string_view{};
}
std::uint64_t number_at(json::Value object, std::string_view name) {
  const auto value = object.find(name);
  return value ? value->as_uint64().value_or(0) : 0;
}

Result<RegulationRequest> wrong(std::string_view member, std::string what) {
  return Failure({.code = ErrorCode::InvalidArgument,
                  .message = fmt::format("{} {}", member, what),
                  .field = "/" + std::string(member),
                  .reason = "invalid_regulation"});
}

void write_shared(json::Writer& out, const RegulationRecord& record) {
  out.member("id", record.id)
      .member("regulationType", name_in(kTypes, record.request.type))
      .member("subjectType", name_in(kSubjects, record.request.subject))
      .member("subjects", record.subjects)
      .member("status",
              record.finished != Time{} ? "FINISHED"
              : record.problem.empty()  ? "RUNNING"
                                        : "FAILED")
      .member("createdAt", to_ms(record.created));
  if (record.finished != Time{}) {
    out.member("finishedAt", to_ms(record.finished));
  }
  if (!record.problem.empty()) {
    out.member("error", record.problem);
  }
  out.key("counts")
      .begin_object()
      .member("profiles", record.counts.profiles)
      .member("events", record.counts.events)
      .member("deliveries", record.counts.deliveries)
      .member("deadLetters", record.counts.dead_letters)
      .member("told", record.counts.told)
      .end_object();
  out.key("manual").begin_array();
  for (const std::string& id : record.manual) {
    out.string(id);
  }
  out.end_array();
}

}  // namespace

Result<RegulationRequest> read_regulation(json::Value body) {
  RegulationRequest request;
  const auto type = value_in(kTypes, text_at(body, "regulationType"));
  if (!type) {
    return wrong("regulationType",
                 "must be SUPPRESS_ONLY, UNSUPPRESS, DELETE_ONLY or SUPPRESS_WITH_DELETE");
  }
  const auto subject = value_in(kSubjects, text_at(body, "subjectType"));
  if (!subject || *subject == Name::ProfileId) {
    return wrong("subjectType", "must be USER_ID, ANONYMOUS_ID or EMAIL");
  }
  const auto ids = body.find("subjectIds");
  if (!ids || !ids->is_array() || ids->size() == 0 || ids->size() > kMaxSubjects) {
    return wrong("subjectIds", fmt::format("must be a list of 1 to {} texts", kMaxSubjects));
  }
  for (const json::Value id : ids->elements()) {
    const std::string_view text = id.as_string().value_or("");
    if (text.empty() || text.size() > profiles::kMaxIdentifierBytes) {
      return wrong("subjectIds",
                   fmt::format("must hold texts of 1 to {} octets", profiles::kMaxIdentifierBytes));
    }
    if (*subject == Name::Email && profiles::normal_email(text).empty()) {
      return wrong("subjectIds", "must hold mail addresses");
    }
    request.ids.emplace_back(text);
  }
  request.type = *type;
  request.subject = *subject;
  return request;
}

std::string RegulationRecord::encode() const {
  json::Writer out;
  out.begin_object();
  write_shared(out, *this);
  out.member("step", step).member("told", std::uint64_t{told});
  out.member("keepEvents", request.keep_events).key("subjectIds").begin_array();
  for (const std::string& subject : request.ids) {
    out.string(subject);
  }
  return out.end_array().end_object().take();
}

std::string RegulationRecord::document() const {
  json::Writer out;
  out.begin_object();
  write_shared(out, *this);
  return out.end_object().take();
}

Result<RegulationRecord> RegulationRecord::decode(std::string_view text) {
  const auto document = json::Document::parse(text, json::kEvent);
  const auto counts = document ? document->root().find("counts") : std::nullopt;
  const auto type =
      counts ? value_in(kTypes, text_at(document->root(), "regulationType")) : std::nullopt;
  const auto subject =
      counts ? value_in(kSubjects, text_at(document->root(), "subjectType")) : std::nullopt;
  if (!type || !subject) {
    return Failure({ErrorCode::Internal, "a stored regulation is not readable"});
  }
  const json::Value root = document->root();
  RegulationRecord record;
  record.id = text_at(root, "id");
  record.request = {.type = *type, .subject = *subject};
  record.subjects = number_at(root, "subjects");
  record.step = text_at(root, "step");
  record.problem = text_at(root, "error");
  record.told = number_at(root, "told");
  record.created = from_ms(static_cast<std::int64_t>(number_at(root, "createdAt")));
  record.finished = from_ms(static_cast<std::int64_t>(number_at(root, "finishedAt")));
  record.counts = {.profiles = number_at(*counts, "profiles"),
                   .events = number_at(*counts, "events"),
                   .deliveries = number_at(*counts, "deliveries"),
                   .dead_letters = number_at(*counts, "deadLetters"),
                   .told = number_at(*counts, "told")};
  const auto keep = root.find("keepEvents");
  record.request.keep_events = keep && keep->as_bool().value_or(false);
  if (const auto ids = root.find("subjectIds")) {
    for (const json::Value id : ids->elements()) {
      record.request.ids.emplace_back(id.as_string().value_or(""));
    }
  }
  if (const auto manual = root.find("manual")) {
    for (const json::Value id : manual->elements()) {
      record.manual.emplace_back(id.as_string().value_or(""));
    }
  }
  return record;
}

}  // namespace edge
