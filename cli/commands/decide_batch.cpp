// SPDX-License-Identifier: MIT
#include "cli/commands/decide_batch.h"

#include <fmt/format.h>

#include <utility>

#include "cli/batch.h"
#include "cli/commands/datafile_source.h"
#include "cli/commands/decide_sending.h"
#include "cli/problem.h"
#include "core/flags/record.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

std::string unknown_reason(std::string_view key) {
  return fmt::format("No flag was found for key \"{}\".", key);
}

}  // namespace

bool is_unknown(json::Value decision) {
  const auto reasons = decision.find("reasons");
  const auto reason = reasons ? reasons->at(0) : std::nullopt;
  const auto key = decision.find("flagKey");
  const auto rule = decision.find("ruleKey");
  return reason && key && rule && rule->is_null() && key->is_string() &&
         reason->as_string() == unknown_reason(*key->as_string());
}

namespace {

/// The record as a daemon is to see it: what a batch does not know is left out, or it would act.
std::string asked_of_daemon(json::Value record, bool sends) {
  json::Writer out;
  out.begin_object();
  for (const auto& [name, value] : record.members()) {
    if (name != "explain" && name != "sendEvent") {
      out.key(name).value(value);
    }
  }
  if (sends) {
    out.member("sendEvent", true);
  }
  return out.end_object().take();
}

/// The answer of a batch made of a daemon's document. What is wrong with more than the record ends
/// the run.
Result<bool> answer_remotely(Remote& daemon, std::string record, json::Writer& out) {
  const auto response = daemon.post("/api/decide", std::move(record));
  if (!response) {
    if (response.error().reason != "invalid_input") {
      throw Stop({.error = response.error(), .side = Side::Remote});
    }
    return Failure(response.error());
  }
  const auto document = json::Document::parse(response->body, json::kDecision);
  const auto decisions = document ? document->root().find("decisions") : std::nullopt;
  if (!decisions) {
    return Failure({ErrorCode::Unavailable, "the daemon's answer is no document of decisions"});
  }
  bool all_known = true;
  out.key("decisions").begin_object();
  for (const json::Value decision : decisions->elements()) {
    const auto key = decision.find("flagKey");
    all_known = all_known && !is_unknown(decision);
    out.key(key ? key->as_string().value_or("") : "").value(decision);
  }
  out.end_object();
  if (const auto saved = document->root().find("savedProfile")) {
    out.key("savedProfile").value(*saved);
  }
  return all_known;
}

}  // namespace

Result<int> decide_batch(Call& call, Remote* daemon) {
  if (call.has("user") || call.flag("all") || !call.all("FLAG").empty()) {
    return Failure(usage_error("--batch takes users and flags from its records"));
  }
  const std::int64_t workers = call.integer("workers");
  if (workers < 1 || workers > kMaxWorkers) {
    return Failure(usage_error(fmt::format("--workers must be 1 to {}", kMaxWorkers), "workers"));
  }
  Batch batch{.path = call["batch"],
              .profile = json::kDecision,
              .fail_invalid = call.flag("fail-invalid"),
              .workers = static_cast<std::size_t>(workers)};
  const bool sends = call.flag("send-event");
  if (daemon != nullptr) {
    batch.workers = 1;
    return run_batch(call, batch, [daemon, sends](json::Value record, json::Writer& out) {
      return answer_remotely(*daemon, asked_of_daemon(record, sends), out);
    });
  }
  if (sends) {
    ImpressionSender::check(call);
  }
  auto read = read_datafile(call);
  if (!read) {
    return Failure(read.error());
  }
  const auto source = load_datafile_text(std::move(*read));
  if (!source) {
    return Failure(source.error());
  }
  ImpressionSender sender(call, *source->datafile);
  const flags::Witness witness = sends ? sender.witness() : flags::Witness{};
  const auto exit =
      run_batch(call, batch, [&source, &witness](json::Value record, json::Writer& out) {
        return flags::answer_record(*source->datafile, record, out, witness);
      });
  if (const auto sent = exit && sends ? sender.finish() : Result<void>{}; !sent) {
    return Failure(sent.error());
  }
  return exit;
}

}  // namespace edge::cli::commands
