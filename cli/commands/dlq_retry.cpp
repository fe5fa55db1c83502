// SPDX-License-Identifier: MIT
#include "cli/commands/dlq_retry.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cli/commands/letter_list.h"
#include "cli/commands/queue_letters.h"
#include "cli/exit_code.h"
#include "cli/filter.h"
#include "cli/problem.h"
#include "core/edge.h"
#include "core/json/members.h"
#include "core/json/writer.h"

namespace edge::cli {
namespace {

constexpr std::size_t kMaxIds = 1000;  // that a daemon takes at once

/// The ids of the letters for which `--where` is true. Events are fetched only when it asks for
/// them.
Result<std::vector<std::string>> matching_ids(Call& call) {
  const auto filter = filter_of(call["where"]);
  if (!filter) {
    return Failure(filter.error());
  }
  Remote* const daemon = call.running_daemon();
  const auto records = letters_of(call, call["destination"], Call::Access::Write);
  if (!records) {
    return Failure(records.error());
  }
  const bool asks_event = call["where"].find("event.") != std::string::npos;
  std::vector<std::string> ids;
  for (const std::string& record : *records) {
    auto document = json::Document::parse(record, json::kApi);
    std::string id = document ? json::text_in(document->root(), "id") : std::string();
    if (document && asks_event) {
      const auto letter = whole_letter(call, daemon, id);
      if (!letter && letter.error().code == ErrorCode::NotFound) {
        continue;  // delivered or removed meanwhile
      }
      if (!letter) {
        return Failure(letter.error());
      }
      document = json::Document::parse(*letter, json::kEvent);
    }
    if (document && filter->takes(document->root(), call.clock().now())) {
      ids.push_back(std::move(id));
    }
  }
  return ids;
}

/// The body of `POST /cdp/dead-letters/replay` for some ids, or without any for what the options
/// name.
std::string selection(const Call& call, std::span<const std::string> ids) {
  json::Writer out;
  out.begin_object();
  if (!ids.empty()) {
    out.key("ids").begin_array();
    for (const std::string& id : ids) {
      out.string(id);
    }
    out.end_array();
  } else {
    for (const char* option : {"destination", "reason"}) {
      if (call.has(option)) {
        out.member(option, call[option]);
      }
    }
    out.member("all", call.flag("all"));
  }
  if (call.has("rate")) {
    out.member("rate", call["rate"]);
  }
  return out.end_object().take();
}

Result<delivery::Replayed> ask_retry(Remote& daemon, std::string body) {
  const auto answer = daemon.post("/cdp/dead-letters/replay", std::move(body));
  const auto document = answer ? json::Document::parse(answer->body, json::kApi)
                               : Result<json::Document>(Failure(answer.error()));
  if (!document) {
    return Failure(document.error());
  }
  const auto count = [&document](const char* name) {
    return static_cast<std::size_t>(json::number_in(document->root(), name));
  };
  return delivery::Replayed{.replayed = count("replayed"), .quarantined = count("quarantined")};
}

/// False when it was interrupted.
bool wait(const Call& call, std::chrono::duration<double> time) {
  const auto& stop = Call::interruption();
  const SteadyTime until =
      call.clock().steady() + std::chrono::duration_cast<SteadyTime::duration>(time);
  while (stop.load() == 0 && call.clock().steady() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
  }
  return stop.load() == 0;
}

/// Many ids go in portions. A rate holds within a portion only, so the next one waits until the one
/// before it is out.
Result<delivery::Replayed> retry_there(const Call& call,
                                       Remote& daemon,
                                       std::span<const std::string> ids) {
  if (ids.empty()) {
    return ask_retry(daemon, selection(call, ids));
  }
  const double rate = call.has("rate") ? call.rate("rate").per_second : 0;
  delivery::Replayed total;
  while (!ids.empty()) {
    const std::size_t count = std::min(ids.size(), kMaxIds);
    const auto handed = ask_retry(daemon, selection(call, ids.first(count)));
    if (!handed) {
      return handed;
    }
    total.replayed += handed->replayed;
    total.quarantined += handed->quarantined;
    ids = ids.subspan(count);
    const double seconds = rate > 0 ? static_cast<double>(handed->replayed) / rate : 0;
    if (!ids.empty() && !wait(call, std::chrono::duration<double>(seconds))) {
      break;
    }
  }
  return total;
}

/// Without a daemon the letters are delivered right here, as far as they can be now.
Result<delivery::Replayed> retry_here(Call& call, const std::vector<std::string>& ids) {
  Edge& edge = call.edge();
  auto& letters = edge.forwarders.dead_letters();
  const double rate = call.has("rate") ? call.rate("rate").per_second : 0;
  auto handed = ids.empty()
                    ? letters.retry(delivery::LetterQuery{.destination = call["destination"],
                                                          .reason = call["reason"]},
                                    rate)
                    : letters.retry(ids, rate);
  if (handed) {
    if (auto done = edge.forwarders.run_until_idle(); !done) {
      return Failure(done.error());
    }
  }
  return handed;
}

Result<int> print_retry(Call& call, const delivery::Replayed& counts) {
  json::Writer out;
  out.begin_object().member("schema", "edge.dead-letter-retry/1");
  out.member("replayed", std::uint64_t{counts.replayed});
  out.member("quarantined", std::uint64_t{counts.quarantined}).end_object();
  return call.print(Document{.json = out.take()});
}

/// Letters of queues go back at once and all the same way.
Result<void> check_queue_retry(const Call& call) {
  return call.has("rate")
             ? Failure(usage_error("--rate is for the dead letters of destinations; those of a "
                                   "queue go back into it at once"))
             : Result<void>();
}

/// One argument that is the name of a queue: all of its letters. Nothing when it is none.
Result<std::optional<int>> retry_named(Call& call, const std::string& name) {
  using Exit = std::optional<int>;
  const auto store = open_queues(call, call.dry_run() ? Call::Access::Read : Call::Access::Write);
  const auto holder = holder_of(*store, name);
  if (!holder || !*holder) {
    return holder ? Result<Exit>(Exit()) : Failure(holder.error());
  }
  if (auto usable = check_queue_retry(call); !usable) {
    return Failure(usable.error());
  }
  if (call.dry_run()) {
    call.note(fmt::format("would put the dead letters of \"{}\" back into it", name));
    return Exit(exit_code::kDone);
  }
  delivery::Replayed counts;
  for (std::size_t count = 1; count > 0; counts.replayed += count) {
    const auto revived = store->revive(name);
    if (!revived) {
      return Failure(revived.error());
    }
    count = *revived;
  }
  return print_retry(call, counts).map([](int exit) { return Exit(exit); });
}

/// Puts the messages among the ids back into their queues and takes those ids away; how many.
Result<std::size_t> retry_messages(Call& call, std::vector<std::string>& ids) {
  const auto messages = take_message_ids(ids);
  if (messages.empty()) {
    return std::size_t{0};
  }
  if (auto usable = check_queue_retry(call); !usable) {
    return Failure(usable.error());
  }
  const auto store = open_queues(call, call.dry_run() ? Call::Access::Read : Call::Access::Write);
  const auto found = find_queue_letters(*store, messages);
  const auto done = !found           ? Result<void>(Failure(found.error()))
                    : call.dry_run() ? Result<void>()
                                     : retry_queue_letters(*store, *found);
  if (!done) {
    return Failure(done.error());
  }
  return messages.size();
}

}  // namespace

Result<int> retry_letters(Call& call) {
  auto ids = call.all("ID");
  const bool others = call.flag("all") || call.has("destination") || call.has("reason");
  if (call.has("where") && (!ids.empty() || call.flag("all") || call.has("reason"))) {
    return Failure(usage_error("--where stands alone or with --destination"));
  }
  if (!call.has("where") && ids.empty() != others) {
    return Failure(usage_error("say which: IDs, or --destination, --reason, --where or --all"));
  }
  if (ids.size() == 1) {
    if (auto done = retry_named(call, ids.front()); !done || *done) {
      return done ? Result<int>(**done) : Failure(std::move(done.error()));
    }
  }
  const auto put_back = retry_messages(call, ids);
  if (!put_back) {
    return Failure(put_back.error());
  }
  if (call.has("where")) {
    auto found = matching_ids(call);
    if (!found) {
      return Failure(found.error());
    }
    ids = std::move(*found);
  }
  const bool by_options = others && !call.has("where");
  if (call.dry_run()) {
    call.note(by_options ? "would hand back the chosen dead letters for delivery"
                         : fmt::format("would hand back {} dead letters", ids.size() + *put_back));
    return exit_code::kDone;
  }
  delivery::Replayed counts;
  if (by_options || !ids.empty()) {
    Remote* const daemon = call.running_daemon();
    const auto handed = daemon != nullptr ? retry_there(call, *daemon, ids) : retry_here(call, ids);
    if (!handed) {
      return Failure(by_options ? no_letters(call, call["destination"], handed.error())
                                : handed.error());
    }
    counts = *handed;
  }
  counts.replayed += *put_back;
  const int signal = Call::interruption().load();
  auto printed = print_retry(call, counts);
  return signal == 0 ? printed : Result<int>(128 + signal);
}

}  // namespace edge::cli
