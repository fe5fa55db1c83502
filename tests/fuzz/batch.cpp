// SPDX-License-Identifier: MIT
// A batch body from outside: every event gets an outcome, and what is stored can be read.
#include "core/events/batch.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/events/enrich.h"
#include "tests/support/fakes.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto document = edge::json::Document::parse(text, edge::json::kEvent);
  if (!document) {
    return 0;
  }
  const auto batch = edge::events::read_batch(*document);
  if (!batch) {
    return 0;
  }
  edge::test::SequenceIds ids;
  for (const edge::json::Value raw : batch->events) {
    auto draft =
        edge::events::normalise(raw, batch->envelope, edge::from_ms(1'773'489'600'000), ids);
    if (!draft) {
      if (draft.error().reason.empty()) {
        std::abort();
      }
      continue;
    }
    edge::events::enrich(*draft, {});
    const std::string body = edge::events::encode(*draft, {});
    if (body.find('\n') != std::string::npos || !edge::events::Event::decode(body)) {
      std::abort();
    }
  }
  return 0;
}
