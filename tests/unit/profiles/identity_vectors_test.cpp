// SPDX-License-Identifier: MIT
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "core/profiles/fold.h"
#include "core/profiles/projector.h"
#include "core/profiles/unmerge.h"
#include "tests/support/fakes.h"
#include "tests/support/memory_store.h"
#include "tests/support/vectors.h"
#include "tests/unit/profiles/log.h"

namespace edge {
namespace {

using json::Value;
using profiles::Profile;

profiles::Rules rules_of(Value config) {
  profiles::Rules rules;
  if (const auto limits = config.find("limits")) {
    for (const auto [type, limit] : limits->members()) {
      rules.limits.insert_or_assign(std::string(type), *limit.as_uint64());
    }
  }
  if (const auto merges = config.find("maxMerges")) {
    rules.max_merges = *merges->as_uint64();
  }
  if (const auto alias = config.find("alias")) {
    rules.alias = alias->as_string() != "deny";
  }
  return rules;
}

std::string text(Value object, std::string_view name) {
  return std::string(object.find(name)->as_string().value());
}

/// Folds the events one by one, keeping where each ended up.
class Run {
 public:
  Run(Value test, storage::Store& store)
      : rules_(rules_of(*test.find("config"))), ledger_(store, 1 << 20), store_(store) {
    std::uint64_t offset = 0;
    for (const Value op : test.find("ops")->elements()) {
      if (op.find("op")) {
        undo(text(op, "merge"));
        continue;
      }
      const auto event = events::Event::decode(op.raw());
      const auto ids = profiles::identifiers_of(*event, rules_);
      const auto id = profiles::fold(ledger_, rules_, *event, ids, {.lane = 0, .offset = ++offset});
      REQUIRE(id);
      resolved_[std::string(event->message_id())] = id->text;
      log_.push_back({std::string(op.raw()), offset, *id});
    }
    REQUIRE(store.commit(ledger_.take(), test::soon()));
    ledger_.written();
  }

  /// The profile that the event of that message id belongs to in the end; empty: none.
  std::string profile_of(const std::string& message) {
    std::string id = resolved_.at(message);
    while (!id.empty()) {
      const auto entry = store_.get(profiles::profile_key(ProfileId{id}), test::soon());
      const auto stored = profiles::decode_stored((*entry)->value);
      if (stored->redirect.empty()) {
        break;
      }
      id = stored->redirect.text;
    }
    return id;
  }

 private:
  struct Folded {
    std::string body;
    std::uint64_t offset;
    ProfileId profile;
  };

  /// Takes back `merge-N`: the N-th of the log.
  void undo(const std::string& name) {
    REQUIRE(store_.commit(ledger_.take(), test::soon()));
    ledger_.written();
    const std::string entry = test::entries(store_, "merge").at(std::stoul(name.substr(6)) - 1);
    const auto merge = profiles::decode_merge(std::string_view(entry).substr(entry.find('=') + 1));
    const auto events_of = [&](std::uint64_t number,
                               std::uint64_t after,
                               const profiles::Visit& visit) -> Result<void> {
      for (const Folded& one : log_) {
        if (one.offset > after && one.profile == profiles::profile_id(0, number)) {
          visit(*events::Event::decode(one.body), one.offset);
        }
      }
      return {};
    };
    REQUIRE(profiles::undo_merge(ledger_, nullptr, *merge, {events_of}, {}));
  }

  profiles::Rules rules_;
  profiles::Ledger ledger_;
  storage::Store& store_;
  std::map<std::string, std::string> resolved_;
  std::vector<Folded> log_;
};

void check_identifiers(const Profile& profile, Value expected) {
  std::map<std::string, std::vector<std::string>> wanted;
  for (const auto [type, values] : expected.members()) {
    for (const Value value : values.elements()) {
      wanted[std::string(type)].emplace_back(value.as_string().value());
    }
  }
  std::map<std::string, std::vector<std::string>> got;
  for (auto [type, values] : profile.identifiers) {
    std::ranges::sort(values);
    got[type] = values;
  }
  CHECK(got == wanted);
}

void check_traits(const Profile& profile, Value expected) {
  json::Writer out;
  out.begin_object();
  for (const auto& [name, trait] : profile.traits) {
    if (!trait.removed()) {
      out.key(name).raw(trait.json);
    }
  }
  const std::string got = out.end_object().take();
  const auto document = json::Document::parse(got, json::kEvent);
  CHECK(json::equal(document->root(), expected));
}

/// Names in the vectors (`p1`) by our ids, in order of creation, which the names follow.
std::map<std::string, std::string> names_of(storage::Store& store) {
  std::vector<std::pair<int, std::string>> order;
  for (const std::string& entry : test::entries(store, "profile")) {
    const std::string id = entry.substr(0, entry.find('='));
    order.emplace_back(std::stoi(id.substr(3)), id);
  }
  std::ranges::sort(order);
  std::map<std::string, std::string> names;
  for (std::size_t i = 0; i < order.size(); ++i) {
    names[order[i].second] = "p" + std::to_string(i + 1);
  }
  return names;
}

void check_profiles(storage::Store& store,
                    const std::map<std::string, std::string>& names,
                    Value expected) {
  const auto profiles = test::stored_profiles(store);
  REQUIRE(profiles.size() == expected.size());
  for (const Value wanted : expected.elements()) {
    const auto found = std::ranges::find_if(profiles, [&](const Profile& profile) {
      return names.at(profile.id.text) == text(wanted, "profile");
    });
    REQUIRE(found != profiles.end());
    check_identifiers(*found, *wanted.find("identifiers"));
    check_traits(*found, *wanted.find("traits"));
    CHECK(events::format_time(found->first_seen) == text(wanted, "firstSeen"));
    CHECK(events::format_time(found->last_seen) == text(wanted, "lastSeen"));
    CHECK(found->event_count == wanted.find("eventCount")->as_uint64());
    std::vector<std::string> groups;
    for (const Value group : wanted.find("groups")->elements()) {
      groups.emplace_back(group.as_string().value());
    }
    CHECK(std::vector<std::string>(found->groups.begin(), found->groups.end()) == groups);
    std::vector<std::string> merged;
    for (const Value from : wanted.find("mergedFrom")->elements()) {
      merged.emplace_back(from.as_string().value());
    }
    std::vector<std::string> got;
    for (const ProfileId& id : found->merged_from) {
      got.push_back(names.at(id.text));
    }
    CHECK(got == merged);
  }
}

void check_merges(storage::Store& store,
                  const std::map<std::string, std::string>& names,
                  Value expected) {
  const auto merges = test::entries(store, "merge");
  REQUIRE(merges.size() == expected.size());
  std::uint32_t index = 0;
  for (const std::string& entry : merges) {
    const auto stored =
        json::Document::parse(std::string_view(entry).substr(entry.find('=') + 1), json::kEvent);
    const Value got = stored->root();
    const Value wanted = *expected.at(index++);
    CHECK(names.at(text(got, "into")) == text(wanted, "into"));
    CHECK(names.at(text(got, "from")) == text(wanted, "from"));
    CHECK(text(got, "how") == text(wanted, "how"));
    CHECK(text(got, "by") == text(wanted, "by"));
    CHECK(got.find("undone")->as_bool() == wanted.find("undone")->as_bool());
  }
}

}  // namespace

TEST_CASE("identity resolution gives the profiles of the golden cases", "[profiles]") {
  const auto file = test::vector_text("events", "identity.json");
  if (!file) {
    return;
  }
  const auto document = json::Document::parse(*file, json::kEvent);
  std::size_t passed = 0;
  for (const Value test : document->root().find("cases")->elements()) {
    INFO(text(test, "id") << ": " << text(test, "description"));
    const test::FakeClock clock;
    test::MemoryStore store(clock);

    Run run(test, store);

    const auto names = names_of(store);
    const Value expected = *test.find("expected");
    check_profiles(store, names, *expected.find("profiles"));
    check_merges(store, names, *expected.find("merges"));
    for (const auto [message, profile] : expected.find("resolved")->members()) {
      const std::string got = run.profile_of(std::string(message));
      CHECK((got.empty() ? "" : names.at(got)) == profile.as_string().value_or(""));
    }
    ++passed;
  }
  test::report_vectors("events", "identity.json", passed);
}

}  // namespace edge
