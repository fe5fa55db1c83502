// SPDX-License-Identifier: MIT
// Everything about people that comes as a list.
#include <algorithm>
#include <utility>

#include "core/json/writer.h"
#include "core/profiles/profiles.h"
#include "core/profiles/received.h"
#include "core/profiles/records.h"

namespace edge::profiles {
namespace {

constexpr std::chrono::seconds kPatience{5};
constexpr std::size_t kMaxScanned = 20'000;

storage::Deadline soon() {
  return storage::Deadline::in(kPatience);
}

std::uint64_t number_in(std::string_view stored) {
  const auto document = json::Document::parse(stored, json::kEvent);
  const auto number = document ? document->root().find("number") : std::nullopt;
  return number ? number->as_uint64().value_or(0) : 0;
}

}  // namespace

Result<Profiles::Page> Profiles::list(std::string_view after,
                                      std::size_t limit,
                                      const std::function<bool(const Profile&)>& wanted) const {
  Page found;
  std::string from(after);
  std::size_t scanned = 0;
  while (true) {
    const auto page = store_.scan(
        {.space = "profile", .from = from.empty() ? from : from + '\0', .limit = 200}, soon());
    if (!page) {
      return Failure(page.error());
    }
    for (const storage::Page::Item& item : page->items) {
      from = item.key;
      ++scanned;
      auto stored = decode_stored(item.entry.value);
      if (!stored) {
        return Failure(stored.error());
      }
      if (!stored->redirect.empty() || !wanted(stored->profile)) {
        continue;
      }
      found.profiles.push_back(std::move(stored->profile));
      if (found.profiles.size() == limit) {
        found.next = from;
        return found;
      }
    }
    if (!page->next) {
      return found;
    }
    if (scanned >= kMaxScanned) {
      found.next = from;
      return found;
    }
  }
}

Result<std::vector<std::string>> Profiles::history(const ProfileId& id) const {
  const auto page = store_.scan(storage::Scan::prefix("history", id.text, ""), soon());
  if (!page) {
    return Failure(page.error());
  }
  std::vector<std::pair<std::uint64_t, std::string>> entries;
  for (const storage::Page::Item& item : page->items) {
    entries.emplace_back(number_in(item.entry.value), item.entry.value);
  }
  std::ranges::sort(entries, std::greater{}, [](const auto& one) { return one.first; });
  std::vector<std::string> texts;
  for (auto& [number, text] : entries) {
    texts.push_back(std::move(text));
  }
  return texts;
}

Result<std::vector<LoggedTransition>> Profiles::transitions(const ProfileId& id) const {
  const auto page = store_.scan(storage::Scan::prefix("transition", id.text, ""), soon());
  if (!page) {
    return Failure(page.error());
  }
  std::vector<LoggedTransition> found;
  for (const storage::Page::Item& item : page->items) {
    if (auto logged = decode_transition(item.entry.value)) {
      found.push_back(std::move(*logged));
    }
  }
  std::ranges::sort(found, std::greater{}, &LoggedTransition::number);
  return found;
}

Result<std::vector<Merge>> Profiles::merges(const Profile& profile) const {
  std::vector<Merge> found;
  for (auto id = profile.merges.rbegin(); id != profile.merges.rend(); ++id) {
    const auto entry = store_.get(merge_key(*id), soon());
    if (!entry) {
      return Failure(entry.error());
    }
    auto merge = *entry ? decode_merge((*entry)->value) : Failure(Error{});
    if (merge) {
      found.push_back(std::move(*merge));
    }
  }
  return found;
}

Result<std::optional<ProfileId>> Profiles::profile_of_event(std::uint64_t offset) const {
  ReceivedReader reader(store_, offset - 1);
  const auto number = reader.find(offset);
  if (!number) {
    return Failure(number.error());
  }
  if (!*number) {
    return std::nullopt;
  }
  const auto profile = load(profile_id(0, **number));
  if (!profile) {
    return Failure(profile.error());
  }
  return *profile ? std::optional((*profile)->id) : std::nullopt;
}

Result<std::vector<ProfileId>> Profiles::absorbed(const Profile& profile) const {
  std::vector<ProfileId> found;
  std::vector<std::string> waiting = profile.merges;
  while (!waiting.empty()) {
    const auto entry = store_.get(merge_key(waiting.back()), soon());
    if (!entry) {
      return Failure(entry.error());
    }
    waiting.pop_back();
    const auto merge = *entry ? decode_merge((*entry)->value) : Failure(Error{});
    if (!merge) {
      continue;
    }
    found.push_back(merge->from);
    // Without the snapshot of a large profile it is not known whom that one had taken in.
    if (const auto before = decode(merge->before_from)) {
      waiting.insert(waiting.end(), before->merges.begin(), before->merges.end());
    }
  }
  return found;
}

namespace {

/// A stored change, saying whose it was.
void write_change_of(json::Writer& out, std::string_view change, const ProfileId& id) {
  const auto document = json::Document::parse(change, json::kEvent);
  out.begin_object();
  for (const auto& [name, value] : document ? document->root().members() : json::Members{}) {
    out.key(name).raw(value.raw());
  }
  out.member("profileId", id.text).end_object();
}

/// The changes of those who were taken in, behind those of the profile itself.
Result<void> write_absorbed(json::Writer& out, const Profiles& profiles, const Profile& profile) {
  const auto absorbed = profiles.absorbed(profile);
  if (!absorbed) {
    return Failure(absorbed.error());
  }
  for (const ProfileId& id : *absorbed) {
    const auto changes = profiles.history(id);
    if (!changes) {
      return Failure(changes.error());
    }
    for (const std::string& change : *changes) {
      write_change_of(out, change, id);
    }
  }
  return {};
}

}  // namespace

Result<void> write_history(json::Writer& out, const Profiles& profiles, const Profile& profile) {
  const auto traits = profiles.history(profile.id);
  const auto transitions = traits ? profiles.transitions(profile.id) : Failure(traits.error());
  const auto merges = transitions ? profiles.merges(profile) : Failure(transitions.error());
  if (!merges) {
    return Failure(merges.error());
  }
  out.member("profileId", profile.id.text).key("traits").begin_array();
  for (const std::string& change : *traits) {
    out.raw(change);
  }
  if (auto written = write_absorbed(out, profiles, profile); !written) {
    return written;
  }
  out.end_array().key("segments").begin_array();
  for (const LoggedTransition& logged : *transitions) {
    out.begin_object().member("segment", logged.transition.segment);
    out.member("change", logged.transition.entered ? "enter" : "exit");
    out.member("at", to_ms(logged.transition.at));
    out.member("reason", name_of(logged.transition.reason));
    if (!logged.by.empty()) {
      out.member("messageId", logged.by);
    }
    out.end_object();
  }
  out.end_array().key("merges").begin_array();
  for (const Merge& merge : *merges) {
    out.begin_object().member("id", merge.id).member("from", merge.from.text);
    out.member("how", merge.how).member("by", merge.by).member("at", to_ms(merge.at)).end_object();
  }
  out.end_array();
  return {};
}

}  // namespace edge::profiles
