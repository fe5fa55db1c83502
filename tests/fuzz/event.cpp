// SPDX-License-Identifier: MIT
// One event from outside: what is accepted must be one line of JSON that reads back as the same
// event.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/events/enrich.h"
#include "core/events/shapes.h"
#include "tests/support/fakes.h"

using edge::events::Event;

namespace {

void take(edge::json::Value raw, bool has_duplicates) {
  edge::test::SequenceIds ids;
  auto draft = edge::events::normalise(
      raw, {.has_duplicates = has_duplicates}, edge::from_ms(1'773'489'600'000), ids);
  if (!draft) {
    return;
  }
  edge::events::enrich(*draft,
                       {.client_ip = "93.184.216.34",
                        .user_agent = "Mozilla/5.0 (iPad; CPU OS 16_7 like Mac OS X)"});
  const std::string text = edge::events::encode(*draft, {.source = "fuzz"});
  const auto event = Event::decode(text);
  if (!event || text.find('\n') != std::string::npos || event->message_id() != draft->id.text ||
      event->user_id() != draft->user_id || event->source() != "fuzz") {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto document = edge::json::Document::parse(text, edge::json::kEvent);
  if (document) {
    take(document->root(), document->has_duplicates());
    const auto seed = edge::events::from_seed(document->root(), document->root().find("context"));
    const auto raw = edge::json::Document::parse(seed ? *seed : text, edge::json::kEvent);
    if (!raw) {
      std::abort();
    }
    take(raw->root(), raw->has_duplicates());
  }
  // Query texts need not be UTF-8; an event of such a one is refused later as bad JSON.
  static_cast<void>(edge::events::from_pixel_query("track", text));
  return 0;
}
