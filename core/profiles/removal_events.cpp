// SPDX-License-Identifier: MIT
// Which events of the log are about removed people. Most were received by their profiles. Some were
// received by nobody: reports of decisions, news of segments, senders who want no link. And some by
// a visitor whose profile has expired since: its number is known, but nobody lives under it.
#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "core/events/ingest.h"
#include "core/profiles/identifiers.h"
#include "core/profiles/received.h"
#include "core/profiles/removal.h"

namespace edge::profiles {
namespace {

using Numbers = std::set<std::uint64_t>;

constexpr std::uint32_t kLane = 0;

storage::Deadline soon() {
  return storage::Deadline::in(std::chrono::seconds{5});
}

/// The number in `pLANE-NUMBER`.
std::uint64_t number_of(std::string_view id) {
  const std::size_t dash = id.find('-');
  std::uint64_t number = 0;
  if (dash != std::string_view::npos) {
    std::from_chars(id.data() + dash + 1, id.data() + id.size(), number);
  }
  return number;
}

/// What was not folded when the profile ended may belong to a new one; what we wrote ourselves is
/// never folded.
bool is_over(const events::Event& event, std::uint64_t offset, const Removed& removed) {
  return offset <= removed.folded || event.source() == kSegmentSource || event.is_internal();
}

/// Adds the names of one who was removed to those of `person`; returns those that the index of the
/// log knows.
std::set<std::string> add_names(const Removed& removed, events::Person& person) {
  std::set<std::string> names;
  for (const Identifiers* list : {&removed.identifiers, &removed.asked}) {
    for (const auto& [type, values] : *list) {
      const bool is_alias = type == kAliasId;
      if (type == kUserId || is_alias) {
        person.users.insert(values.begin(), values.end());
      }
      if (type == kAnonymousId || is_alias) {
        person.anonymous.insert(values.begin(), values.end());
      }
      if (type == kUserId || type == kAnonymousId || is_alias) {
        names.insert(values.begin(), values.end());
      }
    }
  }
  return names;
}

Result<void> find_named(storage::Store& store,
                        const events::Person& person,
                        const std::string& name,
                        const Removed& removed,
                        Numbers& found) {
  storage::Find query{
      .stream = events::kStream, .user = name, .before = removed.head + 1, .limit = 500};
  for (;;) {
    const auto page = store.find(query, soon());
    if (!page) {
      return Failure(page.error());
    }
    for (const storage::RecordPointer& record : page->records) {
      const auto event = events::Event::decode(record->body);
      if (event && person.is_named_by(*event) && is_over(*event, record->offset, removed)) {
        found.insert(record->offset);
      }
    }
    if (!page->next) {
      return {};
    }
    query.before = *page->next;
  }
}

/// Mail addresses stand in no index: reads the log. `asked`: address → who was asked for.
Result<void> find_mailed(storage::Store& store,
                         const std::map<std::string, const Removed*>& asked,
                         Numbers& found) {
  const Rules rules;
  std::uint64_t head = 0;
  for (const auto& [address, removed] : asked) {
    head = std::max(head, removed->head);
  }
  storage::Read query{.stream = events::kStream, .lane = kLane};
  while (query.after < head) {
    const auto slice = store.read(query, soon());
    if (!slice) {
      return Failure(slice.error());
    }
    for (const storage::RecordPointer& record : slice->records) {
      const bool has_address = record->body.find('@') != std::string::npos ||
                               record->body.find("\\u0040") != std::string::npos;
      const auto event = has_address ? events::Event::decode(record->body)
                                     : Failure({ErrorCode::NotFound, "no address"});
      if (!event) {
        continue;
      }
      for (const Identifier& id : identifiers_of(*event, rules)) {
        const auto owner = id.type == kEmail ? asked.find(id.value) : asked.end();
        if (owner != asked.end() && record->offset <= owner->second->head &&
            is_over(*event, record->offset, *owner->second)) {
          found.insert(record->offset);
        }
      }
    }
    if (slice->reached <= query.after) {
      break;
    }
    query.after = slice->reached;
  }
  return {};
}

Result<void> each_received(storage::Store& store,
                           const std::function<void(std::uint64_t, std::uint64_t)>& visit) {
  ReceivedReader reader(store, 0);
  for (;;) {
    const auto run = reader.next();
    if (!run) {
      return Failure(run.error());
    }
    if (run->empty()) {
      return {};
    }
    for (const auto& [offset, number] : *run) {
      visit(offset, number);
    }
  }
}

/// Moves to `mine` what the profiles with `numbers` received, and of `named` what no living profile
/// did.
Result<void> sort_out(storage::Store& store, Numbers numbers, Numbers& named, Numbers& mine) {
  std::map<std::uint64_t, std::vector<std::uint64_t>> by_others;
  auto read = each_received(store, [&](std::uint64_t offset, std::uint64_t number) {
    if (numbers.contains(number)) {
      mine.insert(offset);
    } else if (named.contains(offset)) {
      by_others[number].push_back(offset);
    }
  });
  Numbers expired;
  for (const auto& [number, offsets] : by_others) {
    const auto entry = read ? store.get(profile_key(profile_id(kLane, number)), soon())
                            : Result<std::optional<storage::Entry>>(Failure(read.error()));
    if (!entry) {
      return Failure(entry.error());
    }
    for (const std::uint64_t offset : offsets) {
      named.erase(offset);
    }
    if (!*entry) {
      expired.insert(number);
    }
  }
  if (read && !expired.empty()) {
    read = each_received(store, [&](std::uint64_t offset, std::uint64_t number) {
      if (expired.contains(number)) {
        mine.insert(offset);
      }
    });
  }
  mine.merge(named);
  return read;
}

}  // namespace

Result<events::Person> person_of(storage::Store& store,
                                 const std::vector<Removed>& removed,
                                 const Remains& remains) {
  events::Person person;
  Numbers named;
  std::map<std::string, const Removed*> addresses;
  for (const Removed& one : removed) {
    for (const std::string& name : add_names(one, person)) {
      if (auto found = find_named(store, person, name, one, named); !found) {
        return Failure(found.error());
      }
    }
    if (const auto asked = one.asked.find(kEmail); asked != one.asked.end()) {
      addresses.emplace(asked->second.front(), &one);
    }
  }
  if (auto found = find_mailed(store, addresses, named); !found) {
    return Failure(found.error());
  }
  Numbers numbers;
  for (const std::string& id : remains.profiles) {
    numbers.insert(number_of(id));
  }
  Numbers mine;
  if (!numbers.empty() || !named.empty()) {
    if (auto sorted = sort_out(store, std::move(numbers), named, mine); !sorted) {
      return Failure(sorted.error());
    }
  }
  person.offsets.assign(mine.begin(), mine.end());
  return person;
}

}  // namespace edge::profiles
