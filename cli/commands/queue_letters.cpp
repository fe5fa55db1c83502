// SPDX-License-Identifier: MIT
#include "cli/commands/queue_letters.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "cli/commands/queue_store.h"
#include "cli/exit_code.h"
#include "core/encoding/rfc3339.h"
#include "core/json/writer.h"

namespace edge::cli {
namespace {

/// The name of the dead-letter queue, empty when it has none; nothing when there is no such queue.
Result<std::optional<std::string>> letters_of(QueueStore& store, const std::string& name) {
  if (!queues::check_name(name)) {
    return std::optional<std::string>();
  }
  const auto details = store.details(name);
  if (!details) {
    return details.error().code == ErrorCode::NotFound
               ? Result<std::optional<std::string>>(std::optional<std::string>())
               : Failure(details.error());
  }
  return std::optional(text_in_report(*details, "deadLetterQueue"));
}

std::string record_of(const queues::Message& message) {
  json::Writer out;
  out.begin_object().member("id", message.id).member("queue", message.source);
  out.member("reason", "retries").member("attempts", std::uint64_t{message.dead_attempts});
  out.member("sent", encoding::rfc3339(from_ms(message.timestamp)));
  return out.end_object().take();
}

}  // namespace

Result<std::optional<int>> list_queue_letters(Call& call, const std::string& name) {
  const auto store = open_queues(call, Call::Access::Read);
  const auto letters = letters_of(*store, name);
  if (!letters || !*letters || (*letters)->empty()) {
    return letters ? Result<std::optional<int>>(std::optional<int>()) : Failure(letters.error());
  }
  std::vector<std::string> records;
  queues::PeekRequest request{.batch_size = queues::kMaxPullMessages};
  do {
    const auto page = store->peek(**letters, request);
    if (!page && page.error().code == ErrorCode::NotFound) {
      break;  // made when the first message dies
    }
    if (!page) {
      return Failure(page.error());
    }
    for (const queues::Peeked& peeked : page->messages) {
      if (peeked.message.source == name) {
        records.push_back(record_of(peeked.message));
      }
    }
    request.cursor = page->next;
  } while (!request.cursor.empty());
  const auto printed = call.print(Listing{.schema = "edge.dead-letters/1",
                                          .name = "items",
                                          .columns = {{"id", "/id"},
                                                      {"queue", "/queue"},
                                                      {"reason", "/reason"},
                                                      {"attempts", "/attempts"},
                                                      {"sent", "/sent"}},
                                          .records = std::move(records)});
  return printed ? Result<std::optional<int>>(*printed) : Failure(printed.error());
}

Result<std::optional<int>> retry_queue_letters(Call& call, const std::string& name) {
  const auto store = open_queues(call, call.dry_run() ? Call::Access::Read : Call::Access::Write);
  const auto letters = letters_of(*store, name);
  if (!letters || !*letters) {
    return letters ? Result<std::optional<int>>(std::optional<int>()) : Failure(letters.error());
  }
  if (call.dry_run()) {
    call.note(fmt::format("would put the dead letters of \"{}\" back into it", name));
    return std::optional<int>(exit_code::kDone);
  }
  std::size_t total = 0;
  for (std::size_t count = 1; count > 0; total += count) {
    const auto revived = store->revive(name);
    if (!revived) {
      return Failure(revived.error());
    }
    count = *revived;
  }
  json::Writer out;
  out.begin_object().member("schema", "edge.dead-letter-retry/1");
  out.member("replayed", std::uint64_t{total}).member("quarantined", 0).end_object();
  const auto printed = call.print(Document{.json = out.take()});
  return printed ? Result<std::optional<int>>(*printed) : Failure(printed.error());
}

}  // namespace edge::cli
