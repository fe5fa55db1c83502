// SPDX-License-Identifier: MIT
#include "cli/commands/sending.h"

#include <fmt/format.h>

#include <utility>

#include "cli/remote.h"
#include "core/base/id.h"
#include "core/edge.h"
#include "core/events/batch.h"
#include "core/events/overlay.h"
#include "core/json/writer.h"

namespace edge::cli {
namespace {

constexpr std::size_t kMaxEvents = 100;  // of as many a daemon names all that it refuses
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

Result<void> Sender::share(std::string envelope) {
  if (envelope == envelope_) {
    return {};
  }
  auto done = flush();
  envelope_ = std::move(envelope);
  return done;
}

Result<void> Sender::add(json::Value event) {
  const auto rewritten =
      events::is_clean(event.raw()) ? Result<json::Document>(Failure({})) : events::cleaned(event);
  auto [text, id] = with_id(rewritten ? rewritten->root() : event, call_.random());
  if (events_.size() >= kMaxEvents || envelope_.size() + bytes_ + text.size() > kMaxBytes) {
    if (auto done = flush(); !done) {
      return done;
    }
  }
  bytes_ += text.size() + 1;
  events_.push_back(std::move(text));
  ids_.push_back(std::move(id));
  return {};
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
  auto done = send(0, events_.size());
  forget();
  return done;
}

/// Sends so many of those that have gathered; what is too much at once, in halves.
Result<void> Sender::send(std::size_t first, std::size_t count) {
  Remote* daemon = call_.running_daemon();
  auto done = daemon != nullptr ? send_to(*daemon, first, count) : store_here(first, count);
  if (done || done.error().code != ErrorCode::TooLarge) {
    return done;
  }
  if (count == 1) {
    refuse(ids_[first], reason_of(done.error()), done.error().message);
    return {};
  }
  const std::size_t half = count / 2;
  auto halved = send(first, half);
  return halved ? send(first + half, count - half) : halved;
}

void Sender::forget() {
  events_.clear();
  ids_.clear();
  bytes_ = 0;
}

std::string Sender::body_of(std::size_t first, std::size_t count) const {
  std::string body = R"({"batch":[)";
  for (std::size_t i = first; i < first + count; ++i) {
    body += events_[i];
    body += ',';
  }
  body.back() = ']';
  if (envelope_ != "{}") {
    body += ',';
  }
  return body + envelope_.substr(1);
}

Result<void> Sender::send_to(Remote& daemon, std::size_t first, std::size_t count) {
  transport::Headers headers;
  if (call_.has("write-key")) {
    headers.emplace_back("X-Write-Key", call_["write-key"]);
  }
  const auto answer =
      daemon.exchange("POST", "/v1/batch?verbose=1", body_of(first, count), std::move(headers));
  if (!answer) {
    return Failure(answer.error());
  }
  const auto document = json::Document::parse(answer->body, json::kApi);
  const auto errors = document ? document->root().find("errors") : std::nullopt;
  if (!errors) {
    return Failure(error_of(*answer));  // refused as a whole
  }
  std::vector<bool> taken(count, true);
  for (const json::Value error : errors->elements()) {
    const std::uint64_t index = number_in(error, "index");
    if (index < taken.size()) {
      taken[index] = false;
      refuse(ids_[first + index], text_in(error, "code"), text_in(error, "message"));
    }
  }
  report_.duplicates += number_in(document->root(), "duplicates");
  for (std::size_t i = 0; i < count; ++i) {
    if (taken[i]) {
      report_.message_ids.push_back(std::move(ids_[first + i]));
    }
  }
  return {};
}

Result<void> Sender::store_here(std::size_t first, std::size_t count) {
  used_store_ = true;
  const auto document = json::Document::parse(body_of(first, count), json::kEvent);
  const auto batch = document ? events::read_batch(*document)
                              : Result<events::BatchBody>(Failure(document.error()));
  if (!batch) {
    return Failure(batch.error());
  }
  Edge& edge = call_.edge();
  const events::Source& source = edge.sources.fallback();
  const auto outcomes = edge.ingest.accept_now(
      batch->events, batch->envelope, {.source = source.name, .ip = source.ip});
  if (!outcomes) {
    return Failure(outcomes.error());
  }
  for (std::size_t i = 0; i < outcomes->size(); ++i) {
    const events::Outcome& outcome = (*outcomes)[i];
    if (outcome.status == events::Outcome::Status::Refused) {
      refuse(ids_[first + i], outcome.error.reason, outcome.error.message);
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
