// SPDX-License-Identifier: MIT
#include "core/profiles/removal.h"

#include <algorithm>
#include <utility>

#include "core/events/ingest.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "core/profiles/identifiers.h"

namespace edge::profiles {
namespace {

constexpr std::size_t kRemovedTogether = 500;

storage::Deadline soon() {
  return storage::Deadline::in(std::chrono::seconds{5});
}

Result<void> each_entry(storage::Store& store,
                        storage::Scan scan,
                        const std::function<void(const storage::Page::Item&)>& visit) {
  for (;;) {
    const auto page = store.scan(scan, soon());
    if (!page) {
      return Failure(page.error());
    }
    std::ranges::for_each(page->items, visit);
    if (!page->next) {
      return {};
    }
    scan.resume(*page->next);
  }
}

Result<Profile*> find(Desk& desk, Name name, const std::string& value) {
  if (name == Name::ProfileId) {
    return desk.ledger.survivor(ProfileId{value});
  }
  const Identifier asked = identifier_of(name, value);
  const auto& [rank, type, normal] = asked;
  if (normal.empty() || normal.size() > kMaxIdentifierBytes) {
    return nullptr;
  }
  auto owner = desk.ledger.owner(type, normal);
  if (owner && owner->empty() && name != Name::Email) {
    owner = desk.ledger.owner(kAliasId, normal);
  }
  if (!owner || owner->empty()) {
    return owner ? Result<Profile*>(nullptr) : Failure(owner.error());
  }
  return desk.ledger.survivor(std::move(*owner));
}

/// Gathers deletions and commits them some hundreds at a time.
class Sweeper {
 public:
  explicit Sweeper(storage::Store& store) : store_(store) {}

  void remove(storage::Key key) {
    batch_.dels.push_back({std::move(key)});
    if (batch_.dels.size() >= kRemovedTogether) {
      commit();
    }
  }
  Result<void> finish() {
    if (!batch_.dels.empty()) {
      commit();
    }
    return outcome_;
  }

 private:
  void commit() {
    const auto done = store_.commit(std::exchange(batch_, {}), soon());
    if (!done && outcome_) {
      outcome_ = Failure(done.error());
    }
  }

  storage::Store& store_;
  storage::Batch batch_;
  Result<void> outcome_;
};

}  // namespace

Identifier identifier_of(Name name, std::string_view value) {
  const std::string_view type = name == Name::UserId  ? kUserId
                                : name == Name::Email ? kEmail
                                                      : kAnonymousId;
  return {.type = std::string(type),
          .value = name == Name::Email ? normal_email(value) : std::string(value)};
}

void Removed::ask(Name name, std::string_view value) {
  if (name != Name::ProfileId && !value.empty()) {
    Identifier asked_for = identifier_of(name, value);
    asked[asked_for.type] = {std::move(asked_for.value)};
  }
}

std::string Removed::encode() const {
  json::Writer out;
  out.begin_object().member("id", id.text).member("folded", folded).member("head", head);
  write_identifiers(out, identifiers);
  out.key("asked").begin_object();
  for (const auto& [type, values] : asked) {
    out.key(type).string(values.front());
  }
  out.end_object();
  out.key("mergedFrom").begin_array();
  for (const std::string& from : merged_from) {
    out.string(from);
  }
  return out.end_array().end_object().take();
}

Result<Removed> Removed::decode(std::string_view text) {
  const auto document = json::Document::parse(text, json::kEvent);
  const auto id = document ? document->root().find("id") : std::nullopt;
  const auto identifiers = id ? document->root().find("identifiers") : std::nullopt;
  const auto merged = identifiers ? document->root().find("mergedFrom") : std::nullopt;
  if (!merged) {
    return Failure({ErrorCode::Internal, "the note of a removed profile is not readable"});
  }
  const auto number = [&](std::string_view name) {
    const auto value = document->root().find(name);
    return value ? value->as_uint64().value_or(0) : 0;
  };
  Removed removed{.id = ProfileId{std::string(id->as_string().value_or(""))},
                  .folded = number("folded"),
                  .head = number("head")};
  for (const auto& [type, values] : identifiers->members()) {
    for (const json::Value value : values.elements()) {
      removed.identifiers[std::string(type)].emplace_back(value.as_string().value_or(""));
    }
  }
  if (const auto asked = document->root().find("asked")) {
    for (const auto& [type, value] : asked->members()) {
      removed.asked[std::string(type)] = {std::string(value.as_string().value_or(""))};
    }
  }
  for (const json::Value from : merged->elements()) {
    removed.merged_from.emplace_back(from.as_string().value_or(""));
  }
  return removed;
}

Projector::Task remove_task(Name name,
                            std::string value,
                            storage::Key note,
                            std::function<bool(const Profile&)> wanted) {
  return [name, value = std::move(value), note = std::move(note), wanted = std::move(wanted)](
             Desk& desk) -> Result<void> {
    const auto noted = desk.store.get(note, soon());
    if (!noted || *noted) {
      return noted ? Result<void>{} : Failure(noted.error());
    }
    const auto found = find(desk, name, value);
    if (!found) {
      return Failure(found.error());
    }
    Removed removed{.folded = desk.folded, .head = desk.store.head(events::kStream, desk.lane)};
    removed.ask(name, value);
    if (*found != nullptr && (!wanted || wanted(**found))) {
      const Profile profile = **found;
      removed.id = profile.id;
      removed.identifiers = profile.identifiers;
      for (const ProfileId& from : profile.merged_from) {
        removed.merged_from.push_back(from.text);
      }
      desk.segments.removing(profile);
      desk.ledger.remove(profile);
    }
    desk.ledger.write(note, removed.encode());
    return {};
  };
}

Result<Remains> remains_of(storage::Store& store, const std::vector<Removed>& removed) {
  Remains remains;
  for (const Removed& one : removed) {
    if (!one.id.empty()) {
      remains.profiles.insert(one.id.text);
      remains.profiles.insert(one.merged_from.begin(), one.merged_from.end());
    }
  }
  if (remains.profiles.empty()) {
    return remains;
  }
  // Who was merged into whom, so that those who were merged into the merged are found too.
  struct Step {
    std::string id;
    std::string from;
    std::string into;
    bool is_undone;
  };
  std::vector<Step> steps;
  const auto read = each_entry(store, {.space = "merge"}, [&](const auto& item) {
    if (const auto merge = decode_merge(item.entry.value)) {
      steps.push_back({item.key, merge->from.text, merge->into.text, merge->is_undone});
    }
  });
  if (!read) {
    return Failure(read.error());
  }
  for (bool grows = true; grows;) {
    grows = false;
    for (const Step& step : steps) {
      if (!step.is_undone && remains.profiles.contains(step.into)) {
        grows = remains.profiles.insert(step.from).second || grows;
      }
    }
  }
  for (const Step& step : steps) {
    if (remains.profiles.contains(step.into) || remains.profiles.contains(step.from)) {
      remains.merges.push_back(step.id);
    }
  }
  return remains;
}

Result<void> remove(storage::Store& store, const Remains& remains) {
  Sweeper sweeper(store);
  for (const std::string& id : remains.profiles) {
    sweeper.remove(profile_key(ProfileId{id}));
    for (const char* space : {"history", "transition"}) {
      const auto read = each_entry(store, {.space = space, .part = id}, [&](const auto& item) {
        sweeper.remove({space, id, item.key});
      });
      if (!read) {
        return read;
      }
    }
  }
  // The merges last: they are how the profiles are found.
  if (auto done = sweeper.finish(); !done) {
    return done;
  }
  for (const std::string& id : remains.merges) {
    sweeper.remove(merge_key(id));
  }
  return sweeper.finish();
}

}  // namespace edge::profiles
