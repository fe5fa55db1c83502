// SPDX-License-Identifier: MIT
#include "cli/commands/queue_letters.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "cli/commands/queue_store.h"
#include "cli/exit_code.h"
#include "cli/problem.h"
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

/// Those of one queue, as its dead-letter queue holds them among those of others.
Result<std::vector<queues::Peeked>> letters_in(QueueStore& store,
                                               const std::string& dead_letter_queue,
                                               const std::string& name) {
  std::vector<queues::Peeked> letters;
  queues::PeekRequest request{.batch_size = queues::kMaxPullMessages};
  do {
    auto page = store.peek(dead_letter_queue, request);
    if (!page && page.error().code == ErrorCode::NotFound) {
      break;  // made when the first message dies
    }
    if (!page) {
      return Failure(page.error());
    }
    for (queues::Peeked& peeked : page->messages) {
      if (peeked.message.source == name) {
        letters.push_back(std::move(peeked));
      }
    }
    request.cursor = page->next;
  } while (!request.cursor.empty());
  return letters;
}

}  // namespace

Result<std::optional<int>> list_queue_letters(Call& call, const std::string& name) {
  const auto store = open_queues(call, Call::Access::Read);
  const auto letters = letters_of(*store, name);
  if (!letters || !*letters || (*letters)->empty()) {
    return letters ? Result<std::optional<int>>(std::optional<int>()) : Failure(letters.error());
  }
  const auto found = letters_in(*store, **letters, name);
  if (!found) {
    return Failure(found.error());
  }
  std::vector<std::string> records;
  for (const queues::Peeked& peeked : *found) {
    records.push_back(record_of(peeked.message));
  }
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
  if (call.has("rate")) {
    return Failure(
        usage_error("--rate is for the dead letters of destinations; those of a queue "
                    "go back into it at once"));
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

Result<std::optional<int>> purge_queue_letters(Call& call, const std::string& name) {
  const auto store = open_queues(call, call.dry_run() ? Call::Access::Read : Call::Access::Write);
  const auto letters = letters_of(*store, name);
  if (!letters || !*letters) {
    return letters ? Result<std::optional<int>>(std::optional<int>()) : Failure(letters.error());
  }
  const auto found = (*letters)->empty() ? Result<std::vector<queues::Peeked>>({})
                                         : letters_in(*store, **letters, name);
  if (!found) {
    return Failure(found.error());
  }
  const auto agreed = confirm_purge(call, found->size(), name);
  if (!agreed || *agreed != Purge::Go) {
    return agreed ? Result<std::optional<int>>(*agreed == Purge::Refused ? exit_code::kNo
                                                                         : exit_code::kDone)
                  : Failure(agreed.error());
  }
  for (std::size_t first = 0; first < found->size(); first += queues::kMaxPullMessages) {
    std::vector<std::string> refs;
    for (std::size_t i = first; i < std::min(found->size(), first + queues::kMaxPullMessages);
         ++i) {
      refs.push_back((*found)[i].ref);
    }
    if (auto removed = store->remove(**letters, refs); !removed) {
      return Failure(removed.error());
    }
  }
  call.note(fmt::format("{} dead letters removed", found->size()));
  return std::optional<int>(exit_code::kDone);
}

Result<Purge> confirm_purge(const Call& call, std::size_t count, const std::string& name) {
  if (call.dry_run()) {
    call.note(fmt::format("would remove {} dead letters of \"{}\"", count, name));
    return Purge::Rehearsed;
  }
  if (count == 0) {
    return Purge::Go;
  }
  return call.confirm_name(fmt::format("{} dead letters of \"{}\" go for good", count, name), name)
      .map([](bool typed) { return typed ? Purge::Go : Purge::Refused; });
}

}  // namespace edge::cli
