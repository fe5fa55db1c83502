// SPDX-License-Identifier: MIT
#include "cli/commands/replay_letters.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "cli/remote.h"
#include "core/edge.h"
#include "core/encoding/percent.h"
#include "core/json/document.h"
#include "core/json/members.h"

namespace edge::cli {
namespace {

using delivery::DeadLetter;

std::string target_of(const std::string& id) {
  return "/cdp/dead-letters/" + encoding::percent_encode(id);
}

Result<void> without_body(const Result<transport::IncomingResponse>& answer) {
  return answer ? Result<void>() : Failure(answer.error());
}

Result<std::vector<std::string>> ids_of(Remote& daemon, const std::string& destination) {
  std::vector<std::string> ids;
  std::string cursor;
  do {
    const auto answer =
        daemon.get(fmt::format("/cdp/dead-letters?limit=200&destination={}&cursor={}",
                               encoding::percent_encode(destination),
                               encoding::percent_encode(cursor)));
    const auto document = answer ? json::Document::parse(answer->body, json::kApi)
                                 : Result<json::Document>(Failure(answer.error()));
    if (!document) {
      return Failure(document.error());
    }
    const auto items = document->root().find("items");
    for (const json::Value item : items ? items->elements() : json::Elements{}) {
      ids.push_back(json::text_in(item, "id"));
    }
    cursor = json::text_in(document->root(), "next");
  } while (!cursor.empty());
  return ids;
}

Result<DeadLetter> letter_of(Remote& daemon, const std::string& id) {
  const auto answer = daemon.get(target_of(id));
  const auto document = answer ? json::Document::parse(answer->body, json::kEvent)
                               : Result<json::Document>(Failure(answer.error()));
  if (!document) {
    return Failure(document.error());
  }
  const json::Value root = document->root();
  const auto replaying = root.find("replaying");
  const auto event = root.find("event");
  return DeadLetter{.id = id,
                    .destination = json::text_in(root, "destination"),
                    .reason = json::text_in(root, "reason"),
                    .replays = static_cast<std::uint32_t>(json::number_in(root, "replays")),
                    .replaying = replaying && replaying->as_bool().value_or(false),
                    .event = std::string(event ? event->raw() : "")};
}

}  // namespace

delivery::LetterShelf open_letters(Call& call, const std::string& destination, bool keeps) {
  Remote* const daemon = call.running_daemon();
  if (daemon == nullptr) {
    Edge& edge = call.edge(keeps ? Call::Access::Read : Call::Access::Write);
    return delivery::shelf_of(edge.forwarders.dead_letters(), destination);
  }
  return {.ids = [daemon, destination] { return ids_of(*daemon, destination); },
          .find = [daemon](const std::string& id) { return letter_of(*daemon, id); },
          .erase =
              [daemon](const std::string& id) {
                return without_body(daemon->send("DELETE", target_of(id)));
              },
          .count_replay =
              [daemon](const std::string& id) {
                return without_body(daemon->post(target_of(id) + "/replays", "{}"));
              }};
}

}  // namespace edge::cli
