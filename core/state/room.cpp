// SPDX-License-Identifier: MIT
#include "core/state/room.h"

#include <algorithm>
#include <iterator>
#include <unordered_set>
#include <utility>

#include "core/json/writer.h"

namespace edge::state {

Room::Room(RoomParts parts, std::string name, bool is_durable, std::shared_ptr<Strand> strand)
    : parts_(parts),
      name_(std::move(name)),
      strand_(std::move(strand)),
      last_used_(parts.clock.steady()),
      history_(parts.store, parts.clock, name_, is_durable) {}

bool Room::Member::hears(const RoomEvent& event) const {
  return (names.contains(event.event) != hears_all) && event.is_for(joining.person);
}

/// Tasks keep the room alive.
void Room::post(std::function<void()> task) {
  last_used_ = parts_.clock.steady();
  strand_->post([self = shared_from_this(), task = std::move(task)] { task(); });
}

Result<void> Room::load() {
  if (is_loaded_) {
    return {};
  }
  auto loaded = history_.load();
  is_loaded_ = loaded.has_value();
  return loaded;
}

void Room::join(std::uint64_t number, Joining joining) {
  post([this, number, joining = std::move(joining)]() mutable {
    if (members_.size() >= kMaxMembers) {
      return joining.listener->refuse("full", "the room has 10,000 members");
    }
    if (const auto loaded = load(); !loaded) {
      return joining.listener->refuse("unavailable", loaded.error().message);
    }
    admit(number, std::move(joining));
  });
}

void Room::admit(std::uint64_t number, Joining joining) {
  const std::uint64_t head = history_.head();
  const std::uint64_t after = joining.after.value_or(head);
  Member& member = members_[number];
  member.joining = std::move(joining);
  member.since = to_ms(parts_.clock.now());
  member.next = std::min(after, head) + 1;
  member.is_behind = after < head;
  listener_count_ = members_.size();
  parts_.listeners.add(1);
  if (member.joining.is_greeted) {
    greet(number, member);
  }
  if (after > head) {  // numbers of a room that was forgotten
    json::Writer gap;
    gap.begin_object().member("type", "gap").member("from", head + 1).member("to", after);
    member.joining.listener->frame(gap.end_object().take());
  }
  if (member.joining.is_shown) {
    tell_presence(number, "join", member);
  }
  catch_up(number);
}

void Room::leave(std::uint64_t number) {
  post([this, number] { remove({number}); });
}

void Room::remove(std::vector<std::uint64_t> gone) {
  while (!gone.empty()) {
    const auto found = members_.find(gone.back());
    gone.pop_back();
    if (found == members_.end()) {
      continue;
    }
    const auto [number, member] = std::pair(found->first, std::move(found->second));
    members_.erase(found);
    listener_count_ = members_.size();
    parts_.listeners.add(-1);
    if (member.joining.is_shown) {
      tell_presence(number, "leave", member);
    }
  }
}

void Room::resume(std::uint64_t number) {
  post([this, number] { catch_up(number); });
}

/// Sends what a listener missed, as far as there is room for it.
void Room::catch_up(std::uint64_t number) {
  const auto found = members_.find(number);
  if (found == members_.end() || !found->second.is_behind) {
    return;
  }
  Member& member = found->second;
  const auto events = history_.read(member.next);
  if (!events) {
    member.joining.listener->refuse("unavailable", events.error().message);
    return remove({number});
  }
  if (!send_missed(member, *events)) {
    return remove({number});
  }
  member.is_behind = member.next <= history_.head();
  if (member.is_behind) {
    member.joining.listener->ask_for_room();
  }
}

bool Room::send_missed(Member& member, const std::vector<RoomEvent>& events) {
  const auto tell_gap = [&member](std::uint64_t from, std::uint64_t to) {
    json::Writer gap;
    gap.begin_object().member("type", "gap").member("from", from).member("to", to).end_object();
    return member.joining.listener->frame(gap.take());
  };
  for (const RoomEvent& event : events) {
    if (event.seq > member.next && !tell_gap(member.next, event.seq - 1)) {
      return false;
    }
    member.next = event.seq + 1;
    if (member.hears(event) && !member.joining.listener->event(event)) {
      return false;
    }
  }
  const std::uint64_t head = history_.head();
  if (events.empty() && member.next <= head) {
    const std::uint64_t from = std::exchange(member.next, head + 1);
    return tell_gap(from, head);
  }
  return true;
}

void Room::set_presence(std::uint64_t number, std::string state) {
  post([this, number, state = std::move(state)]() mutable {
    const auto found = members_.find(number);
    if (found != members_.end()) {
      found->second.state = std::move(state);
      tell_presence(number, "update", found->second);
    }
  });
}

void Room::subscribe(std::uint64_t number, std::vector<std::string> events) {
  post([this, number, events = std::move(events)]() mutable {
    const auto found = members_.find(number);
    if (found == members_.end()) {
      return;
    }
    Member& member = found->second;
    if (!std::exchange(member.has_chosen, true)) {
      member.hears_all = false;
      member.names.clear();
    }
    for (std::string& event : events) {
      if (event == "*") {
        member.hears_all = true;
        member.names.clear();
      } else if (member.hears_all) {
        member.names.erase(event);
      } else if (member.names.size() < kMaxSubscriptions) {
        member.names.insert(std::move(event));
      }
    }
  });
}

void Room::unsubscribe(std::uint64_t number, std::vector<std::string> events) {
  post([this, number, events = std::move(events)]() mutable {
    const auto found = members_.find(number);
    if (found == members_.end()) {
      return;
    }
    Member& member = found->second;
    for (std::string& event : events) {
      if (event == "*") {
        member.hears_all = false;
        member.has_chosen = true;
        member.names.clear();
      } else if (!member.hears_all) {
        member.names.erase(event);
      } else if (member.names.size() < kMaxSubscriptions) {
        member.names.insert(std::move(event));
      }
    }
  });
}

void Room::forget(std::function<void(Result<void>)> done) {
  post([this, done = std::move(done)] {
    auto loaded = load();
    done(loaded ? history_.forget() : loaded);
  });
}

void Room::tell(std::string text, std::uint64_t except) {
  post([this, except, text = std::move(text)] {
    std::vector<std::uint64_t> gone;
    for (auto& [number, member] : members_) {
      const bool is_told = number != except && member.joining.is_greeted;
      if (is_told && !member.joining.listener->frame(text)) {
        gone.push_back(number);
      }
    }
    remove(std::move(gone));
  });
}

void Room::history(std::uint64_t after,
                   std::size_t limit,
                   Person reader,
                   std::function<void(Result<RoomHistoryAnswer>)> done) {
  post([this, after, limit, reader = std::move(reader), done = std::move(done)] {
    if (const auto loaded = load(); !loaded) {
      return done(Failure(loaded.error()));
    }
    RoomHistoryAnswer answer;
    for (std::uint64_t from = after + 1; from <= history_.head() && !answer.more;) {
      auto events = history_.read(from);
      if (!events) {
        return done(Failure(events.error()));
      }
      if (events->empty()) {
        break;
      }
      for (const RoomEvent& event : *events) {
        if (!event.is_for(reader)) {
          continue;
        }
        if (answer.events.size() == limit) {
          answer.more = true;
          break;
        }
        answer.events.push_back(event.frame);
      }
      from = events->back().seq + 1;
    }
    done(std::move(answer));
  });
}

void Room::describe(std::function<void(Result<std::string>)> done) {
  post([this, done = std::move(done)] {
    if (const auto loaded = load(); !loaded) {
      return done(Failure(loaded.error()));
    }
    std::unordered_set<std::string_view> users;
    for (const auto& [number, member] : members_) {
      users.insert(member.joining.person.user);
    }
    std::size_t left_out = 0;
    std::string members;
    write_members(members, left_out);
    json::Writer out;
    out.begin_object()
        .member("room", name_)
        .member("seq", history_.head())
        .member("connections", std::uint64_t{members_.size()})
        .member("users", std::uint64_t{users.size()})
        .key("members")
        .raw(members);
    if (left_out > 0) {
      out.member("membersTruncated", true);
    }
    done(out.end_object().take());
  });
}

}  // namespace edge::state
