// SPDX-License-Identifier: MIT
#include "cli/commands/replay_letters.h"

#include <utility>

#include "cli/remote_list.h"
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
  const auto letters = letters_of_daemon(daemon, destination);
  if (!letters) {
    return letters;
  }
  std::vector<std::string> ids;
  for (const std::string& letter : *letters) {
    const auto document = json::Document::parse(letter, json::kApi);
    ids.push_back(document ? json::text_in(document->root(), "id") : std::string());
  }
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

Result<std::vector<std::string>> letters_of_daemon(Remote& daemon, const std::string& destination) {
  return list_of(daemon,
                 "/cdp/dead-letters?limit=200&destination=" + encoding::percent_encode(destination),
                 "items");
}

delivery::LetterShelf open_letters(Call& call, const std::string& destination, bool keeps) {
  Remote* const daemon = call.running_daemon();
  if (daemon == nullptr) {
    Edge& edge = call.edge(keeps ? Call::Access::Read : Call::Access::Write);
    return delivery::shelf_of(edge.forwarders.dead_letters(), destination);
  }
  return {.ids = [daemon, destination] { return ids_of(*daemon, destination); },
          .find = [daemon](const std::string& id) { return letter_of(*daemon, id); },
          .delivered =
              [daemon](const std::string& id) {
                return without_body(daemon->send("DELETE", target_of(id) + "?delivered=true"));
              },
          .count_replay =
              [daemon](const std::string& id) {
                return without_body(daemon->post(target_of(id) + "/replays", "{}"));
              }};
}

}  // namespace edge::cli
