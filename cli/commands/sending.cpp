// SPDX-License-Identifier: MIT
#include "cli/commands/sending.h"

#include <fmt/format.h>

#include <utility>

#include "cli/remote.h"
#include "core/base/id.h"
#include "core/edge.h"
#include "core/events/overlay.h"
#include "core/json/writer.h"

namespace edge::cli {
namespace {

constexpr std::size_t kMaxEvents = 500;
constexpr std::size_t kMaxBytes = std::size_t{1} << 20U;

/// The event with a messageId, and that id (empty when it is not a text: then it is refused later).
std::pair<std::string, std::string> with_id(json::Value event, Random& random) {
  const auto given = event.find("messageId");
  if (!event.is_object()) {
    return {std::string(event.raw()), {}};
  }
  if (given && !given->is_null() && given->as_string() != "") {
    return {std::string(event.raw()), std::string(given->as_string().value_or(given->raw()))};
  }
  std::string id = "edge-" + uuid_v4(random);
  json::Writer out;
  out.begin_object().member("messageId", id);
  for (const auto& [name, value] : event.members()) {
    if (name != "messageId") {
      out.key(name).value(value);
    }
  }
  return {out.end_object().take(), std::move(id)};
}

std::string text_in(json::Value object, std::string_view name) {
  const auto value = object.find(name);
  return std::string(value ? value->as_string().value_or("") : "");
}

std::uint64_t number_in(json::Value object, std::string_view name) {
  const auto value = object.find(name);
  return value ? value->as_uint64().value_or(0) : 0;
}

}  // namespace

Result<void> Sender::add(json::Value event) {
  const auto rewritten =
      events::is_clean(event.raw()) ? Result<json::Document>(Failure({})) : events::cleaned(event);
  auto [text, id] = with_id(rewritten ? rewritten->root() : event, call_.random());
  bytes_ += text.size() + 1;
  events_.push_back(std::move(text));
  ids_.push_back(std::move(id));
  return events_.size() >= kMaxEvents || bytes_ >= kMaxBytes ? flush() : Result<void>{};
}

Result<void> Sender::finish() {
  if (auto done = flush(); !done) {
    return done;
  }
  if (!used_store_) {
    return {};
  }
  if (auto folded = call_.edge().projector.drain(); !folded) {
    return folded;
  }
  return call_.edge().forwarders.run_until_idle();
}

Result<void> Sender::flush() {
  if (events_.empty()) {
    return {};
  }
  if (call_.dry_run()) {
    report_.message_ids.insert(report_.message_ids.end(), ids_.begin(), ids_.end());
    forget();
    return {};
  }
  Remote* daemon = call_.running_daemon();
  auto done = daemon != nullptr ? send_to(*daemon) : store_here();
  forget();
  return done;
}

void Sender::forget() {
  events_.clear();
  ids_.clear();
  bytes_ = 0;
}

Result<void> Sender::send_to(Remote& daemon) {
  std::string body = R"({"batch":[)";
  for (const std::string& event : events_) {
    body += event;
    body += ',';
  }
  body.back() = ']';
  body += '}';
  transport::Headers headers;
  if (call_.has("write-key")) {
    headers.emplace_back("X-Write-Key", call_["write-key"]);
  }
  const auto answer =
      daemon.exchange("POST", "/v1/batch?verbose=1", std::move(body), std::move(headers));
  if (!answer) {
    return Failure(answer.error());
  }
  const auto document = json::Document::parse(answer->body, json::kApi);
  const auto errors = document ? document->root().find("errors") : std::nullopt;
  if (!errors) {
    return Failure(error_of(*answer));  // refused as a whole
  }
  std::vector<bool> taken(ids_.size(), true);
  for (const json::Value error : errors->elements()) {
    const std::uint64_t index = number_in(error, "index");
    if (index < taken.size()) {
      taken[index] = false;
      refuse(ids_[index], text_in(error, "code"), text_in(error, "message"));
    }
  }
  report_.rejected += number_in(document->root(), "rejected") - errors->size();
  report_.duplicates += number_in(document->root(), "duplicates");
  for (std::size_t i = 0; i < ids_.size(); ++i) {
    if (taken[i]) {
      report_.message_ids.push_back(std::move(ids_[i]));
    }
  }
  return {};
}

Result<void> Sender::store_here() {
  used_store_ = true;
  std::string list = "[";
  for (const std::string& event : events_) {
    list += event;
    list += ',';
  }
  list.back() = ']';
  const auto document = json::Document::parse(list, json::kEvent);
  if (!document) {
    return Failure(document.error());
  }
  std::vector<json::Value> raws;
  for (const json::Value raw : document->root().elements()) {
    raws.push_back(raw);
  }
  Edge& edge = call_.edge();
  const events::Source& source = edge.sources.fallback();
  const auto outcomes = edge.ingest.accept_now(raws,
                                               {.has_duplicates = document->has_duplicates()},
                                               {.source = source.name, .ip = source.ip});
  if (!outcomes) {
    return Failure(outcomes.error());
  }
  for (std::size_t i = 0; i < outcomes->size(); ++i) {
    const events::Outcome& outcome = (*outcomes)[i];
    if (outcome.status == events::Outcome::Status::Refused) {
      refuse(ids_[i], outcome.error.reason, outcome.error.message);
      continue;
    }
    report_.duplicates += outcome.status == events::Outcome::Status::Duplicate ? 1 : 0;
    report_.message_ids.push_back(outcome.id.text);
  }
  return {};
}

void Sender::refuse(std::string id, std::string code, std::string message) {
  ++report_.rejected;
  report_.refusals.push_back(
      {.message_id = std::move(id), .code = std::move(code), .message = std::move(message)});
}

Result<int> print_report(Call& call, const SendReport& report) {
  if (call.dry_run()) {
    call.note(fmt::format("would send {} events", report.message_ids.size()));
    return exit_code::kDone;
  }
  json::Writer out;
  out.begin_object().member("schema", "edge.sent/1").key("messageIds").begin_array();
  std::string human;
  for (const std::string& id : report.message_ids) {
    out.string(id);
    human += id + "\n";
  }
  out.end_array().member("duplicates", report.duplicates).member("rejected", report.rejected);
  out.key("errors").begin_array();
  for (const SendReport::Refusal& refusal : report.refusals) {
    out.begin_object()
        .member("messageId", refusal.message_id)
        .member("code", refusal.code)
        .member("message", refusal.message)
        .end_object();
    call.note(
        fmt::format("refused {}: {} ({})", refusal.message_id, refusal.message, refusal.code));
  }
  out.end_array().end_object();
  auto printed = call.print(Document{.json = out.take(), .human = std::move(human)});
  if (!printed || report.rejected == 0) {
    return printed;
  }
  return report.message_ids.empty() ? exit_code::kBadInput : exit_code::kPartly;
}

Result<std::string> object_from(Call& call,
                                std::string_view file_option,
                                std::string_view pair_option) {
  const auto pairs = pair_option.empty() ? Result<std::string>("{}") : call.object(pair_option);
  if (!pairs || file_option.empty() || !call.has(file_option)) {
    return pairs;
  }
  const auto text = call.read(call[file_option]);
  if (!text) {
    return Failure(text.error());
  }
  const auto file = json::Document::parse(*text, json::kEvent);
  if (!file || !file->root().is_object()) {
    return Failure({ErrorCode::InvalidArgument,
                    call[file_option] + " must hold a JSON object",
                    std::string(file_option),
                    "bad_json"});
  }
  const auto over = json::Document::parse(*pairs, json::kEvent);
  return over ? events::merged(file->root(), over->root(), false) : pairs;
}

}  // namespace edge::cli
