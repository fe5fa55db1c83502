// SPDX-License-Identifier: MIT
// Whatever stands in the log, one record per line: folding it never fails on a store that works,
// gives a state that reads back as it was written, and is the same when done again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/profiles/fold.h"
#include "core/profiles/segments.h"
#include "tests/support/empty_store.h"

namespace {

void require(bool good) {
  if (!good) {
    std::abort();
  }
}

/// The profiles that the text leaves, encoded one after the other.
std::string folded(std::string_view text) {
  edge::test::EmptyStore store;
  edge::profiles::Ledger ledger(store, 1U << 20U);
  const edge::profiles::Rules rules{.max_identifiers = 8, .max_merges = 2};
  std::uint64_t offset = 0;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto event = edge::events::Event::decode(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!event) {
      continue;
    }
    const auto ids = edge::profiles::identifiers_of(*event, rules);
    require(fold(ledger, rules, *event, ids, {.lane = 0, .offset = ++offset}).has_value());
  }
  std::string state;
  for (const auto& put : ledger.take().puts) {
    if (put.key.space == "profile") {
      const auto stored = edge::profiles::decode_stored(put.value);
      require(stored.has_value());
      const bool same = !stored->redirect.empty() || encode(stored->profile) == put.value;
      require(same);
      built_in_segments(stored->profile.traits, &stored->profile, stored->profile.last_seen);
    }
    state.append(put.key.space).append(put.key.key).append(put.value);
  }
  return state;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text =
      size == 0 ? std::string_view{} : std::string_view(reinterpret_cast<const char*>(data), size);
  require(folded(text) == folded(text));
  return 0;
}
