// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/profiles/fold.h"
#include "core/profiles/segments/assess.h"
#include "tests/support/fakes.h"
#include "tests/support/memory_store.h"
#include "tests/unit/profiles/log.h"

namespace edge::test {

inline std::shared_ptr<const profiles::Rulebook> rulebook(json::Value definitions) {
  std::vector<profiles::Rulebook::Version> versions;
  for (const json::Value one : definitions.elements()) {
    auto definition = profiles::read_definition(one);
    if (!definition) {
      throw std::runtime_error(definition.error().message);
    }
    versions.push_back({.definition = std::move(*definition), .generation = versions.size() + 1});
  }
  auto book = profiles::Rulebook::compile(std::move(versions));
  if (!book) {
    throw std::runtime_error(book.error().message);
  }
  return *book;
}

/// One person and the segments, step by step, as the projector does it.
class SegmentRun {
 public:
  explicit SegmentRun(std::shared_ptr<const profiles::Rulebook> book)
      : book_(std::move(book)),
        store_(clock_),
        ledger_(store_, 1 << 20),
        assessor_(*book_, none_) {}

  /// Time passes, then an event (if any; JSON of an object) arrives.
  void step(Time at, std::string event) {
    const bool is_new = profile_ == nullptr;
    if (!is_new) {
      add(assessor_.advance(*profile_, at));
    }
    if (event.empty()) {
      return;
    }
    const auto decoded = events::Event::decode(event);
    const auto ids = profiles::identifiers_of(*decoded, {});
    const auto id = profiles::fold(ledger_, {}, *decoded, ids, {.lane = 0, .offset = ++offset_});
    profile_ = ledger_.profile(*id).value();
    assessor_.feed(*profile_, *decoded, offset_, at);
    assessor_.touch_identifiers();
    if (is_new) {
      assessor_.touch_all();
    }
    add(assessor_.assess(*profile_, at, profiles::Reason::Event));
  }

  /// Everything is written and read back.
  void restart() {
    if (profile_ != nullptr) {
      *profile_ = profiles::decode(profiles::encode(*profile_)).value();
    }
  }

  [[nodiscard]] profiles::Profile* profile() { return profile_; }
  std::vector<profiles::Transition> transitions;

 private:
  void add(std::vector<profiles::Transition> more) {
    transitions.insert(transitions.end(), more.begin(), more.end());
  }

  std::shared_ptr<const profiles::Rulebook> book_;
  FakeClock clock_;
  MemoryStore store_;
  profiles::Ledger ledger_;
  profiles::SwitchedOff none_;
  profiles::Assessor assessor_;
  profiles::Profile* profile_ = nullptr;
  std::uint64_t offset_ = 0;
};

}  // namespace edge::test
