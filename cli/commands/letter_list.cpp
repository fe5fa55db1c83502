// SPDX-License-Identifier: MIT
#include "cli/commands/letter_list.h"

#include <utility>

#include "cli/commands/destination_names.h"
#include "cli/commands/replay_letters.h"
#include "cli/remote.h"
#include "core/delivery/report.h"
#include "core/edge.h"
#include "core/encoding/percent.h"
#include "core/json/writer.h"

namespace edge::cli {
namespace {

std::string letter_json(const delivery::DeadLetter& letter, bool whole) {
  json::Writer out;
  out.begin_object();
  delivery::write_letter(out, letter, whole);
  return out.end_object().take();
}

Result<std::vector<std::string>> letters_here(Edge& edge, const std::string& destination) {
  std::vector<std::string> records;
  delivery::LetterQuery query{.destination = destination, .limit = 200};
  for (;;) {
    const auto page = edge.forwarders.dead_letters().list(query);
    if (!page) {
      return Failure(page.error());
    }
    for (const delivery::DeadLetter& letter : page->items) {
      records.push_back(letter_json(letter, false));
    }
    if (!page->next) {
      return records;
    }
    query.cursor = *page->next;
  }
}

}  // namespace

Error no_letters(Call& call, const std::string& name, Error error) {
  if (error.code == ErrorCode::NotFound && !name.empty()) {
    throw no_destination(
        call, call.running_daemon(), name, queue_names(*open_queues(call, Call::Access::Read)));
  }
  return error;
}

Result<std::vector<std::string>> letters_of(Call& call,
                                            const std::string& destination,
                                            Call::Access access) {
  Remote* const daemon = call.running_daemon();
  auto records = daemon != nullptr ? letters_of_daemon(*daemon, destination)
                                   : letters_here(call.edge(access), destination);
  return records ? std::move(records)
                 : Failure(no_letters(call, destination, std::move(records.error())));
}

Result<std::optional<std::vector<QueueLetter>>> letters_of_queue(Call& call,
                                                                 const std::string& name,
                                                                 Call::Access access) {
  return name.empty() ? Result<std::optional<std::vector<QueueLetter>>>(std::nullopt)
                      : queue_letters(*open_queues(call, access), name);
}

Result<std::string> whole_letter(Call& call, Remote* daemon, const std::string& id) {
  if (daemon != nullptr) {
    return daemon->get("/cdp/dead-letters/" + encoding::percent_encode(id))
        .map([](const transport::IncomingResponse& answer) { return answer.body; });
  }
  return call.edge(Call::Access::Read)
      .forwarders.dead_letters()
      .find(id)
      .map([](const delivery::DeadLetter& letter) { return letter_json(letter, true); });
}

}  // namespace edge::cli
