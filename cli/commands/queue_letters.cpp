// SPDX-License-Identifier: MIT
#include "cli/commands/queue_letters.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "cli/problem.h"
#include "core/encoding/rfc3339.h"
#include "core/json/writer.h"

namespace edge::cli {
namespace {

constexpr std::size_t kMessageIdDigits = 32;

/// All messages of a dead-letter queue that some queue gave up.
Result<std::vector<QueueLetter>> letters_in(QueueStore& store, const std::string& holder) {
  std::vector<QueueLetter> letters;
  queues::PeekRequest request{.batch_size = queues::kMaxPullMessages};
  do {
    auto page = store.peek(holder, request);
    if (!page && page.error().code == ErrorCode::NotFound) {
      break;  // made when the first message dies
    }
    if (!page) {
      return Failure(page.error());
    }
    for (queues::Peeked& peeked : page->messages) {
      if (!peeked.message.source.empty()) {
        letters.push_back({.holder = holder, .peeked = std::move(peeked)});
      }
    }
    request.cursor = page->next;
  } while (!request.cursor.empty());
  return letters;
}

Result<std::set<std::string>> all_holders(QueueStore& store) {
  const auto reports = store.reports();
  if (!reports) {
    return Failure(reports.error());
  }
  std::set<std::string> holders;
  for (const std::string& report : *reports) {
    holders.insert(text_in_report(report, "deadLetterQueue"));
  }
  holders.erase("");
  return holders;
}

Error no_letter(const std::string& id) {
  return {ErrorCode::NotFound, fmt::format("there is no dead letter \"{}\"", id)};
}

}  // namespace

bool is_message_id(std::string_view id) {
  return id.size() == kMessageIdDigits &&
         id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::vector<std::string> take_message_ids(std::vector<std::string>& ids) {
  const auto first = std::stable_partition(
      ids.begin(), ids.end(), [](const std::string& id) { return !is_message_id(id); });
  std::vector<std::string> messages(first, ids.end());
  ids.erase(first, ids.end());
  return messages;
}

Result<std::optional<std::string>> holder_of(QueueStore& store, const std::string& name) {
  if (!queues::check_name(name)) {
    return std::optional<std::string>();
  }
  const auto details = store.details(name);
  if (details) {
    return std::optional(text_in_report(*details, "deadLetterQueue"));
  }
  // Who may not see queues knows of none.
  const ErrorCode code = details.error().code;
  return code == ErrorCode::NotFound || code == ErrorCode::PermissionDenied
             ? Result<std::optional<std::string>>(std::optional<std::string>())
             : Failure(details.error());
}

Result<std::optional<std::vector<QueueLetter>>> queue_letters(QueueStore& store,
                                                              const std::string& name) {
  using Found = std::optional<std::vector<QueueLetter>>;
  const auto holder = holder_of(store, name);
  if (!holder || !*holder) {
    return holder ? Result<Found>(Found()) : Failure(holder.error());
  }
  auto letters =
      (*holder)->empty() ? Result<std::vector<QueueLetter>>({}) : letters_in(store, **holder);
  if (!letters) {
    return Failure(letters.error());
  }
  std::erase_if(*letters, [&name](const QueueLetter& letter) {
    return letter.peeked.message.source != name;
  });
  return Found(std::move(*letters));
}

Result<std::vector<QueueLetter>> find_queue_letters(QueueStore& store,
                                                    const std::vector<std::string>& ids) {
  const auto holders = all_holders(store);
  if (!holders) {
    return Failure(holders.error());
  }
  std::map<std::string, QueueLetter> known;
  for (const std::string& holder : *holders) {
    auto letters = letters_in(store, holder);
    if (!letters) {
      return Failure(letters.error());
    }
    for (QueueLetter& letter : *letters) {
      const std::string id = letter.peeked.message.id;
      known.emplace(id, std::move(letter));
    }
  }
  std::vector<QueueLetter> found;
  for (const std::string& id : ids) {
    const auto letter = known.extract(id);
    if (letter.empty()) {
      return Failure(no_letter(id));
    }
    found.push_back(letter.mapped());
  }
  return found;
}

std::string queue_letter_json(const QueueLetter& letter, bool whole) {
  const queues::Message& message = letter.peeked.message;
  json::Writer out;
  out.begin_object();
  if (whole) {
    out.member("schema", "edge.dead-letter/1");
  }
  out.member("id", message.id).member("queue", message.source);
  out.member("reason", "retries").member("attempts", std::uint64_t{message.dead_attempts});
  out.member("sent", encoding::rfc3339(from_ms(message.timestamp)));
  if (whole) {
    out.member("heldBy", letter.holder).member("type", queues::name_of(message.type));
    write_body(out.key("body"), message.type, message.body);
  }
  return out.end_object().take();
}

Result<void> retry_queue_letters(QueueStore& store, const std::vector<QueueLetter>& letters) {
  for (const QueueLetter& letter : letters) {
    const queues::Message& message = letter.peeked.message;
    // First there, then gone here: a run that dies in between leaves it twice, not never.
    auto done =
        store.send(message.source, {.body = message.body, .type = message.type, .delay = 0});
    done = done ? store.remove(letter.holder, {letter.peeked.ref}) : done;
    if (!done) {
      return done;
    }
  }
  return {};
}

Result<void> discard_queue_letters(QueueStore& store, const std::vector<QueueLetter>& letters) {
  std::map<std::string, std::vector<std::string>> refs;
  for (const QueueLetter& letter : letters) {
    refs[letter.holder].push_back(letter.peeked.ref);
  }
  for (const auto& [holder, all] : refs) {
    for (std::size_t first = 0; first < all.size(); first += queues::kMaxPullMessages) {
      const auto begin = all.begin() + static_cast<std::ptrdiff_t>(first);
      const std::size_t count = std::min(all.size() - first, queues::kMaxPullMessages);
      if (auto removed = store.remove(holder, {begin, begin + static_cast<std::ptrdiff_t>(count)});
          !removed) {
        return removed;
      }
    }
  }
  return {};
}

std::vector<std::string> queue_names(QueueStore& store) {
  std::vector<std::string> names;
  const auto reports = store.reports();
  for (std::size_t i = 0; reports && i < reports->size(); ++i) {
    names.push_back(text_in_report((*reports)[i], "name"));
  }
  return names;
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
