// SPDX-License-Identifier: MIT
// Microseconds per event from received text to the text in the log, by step; target: 5 µs for all
// of them.
#include <fmt/format.h>

#include <chrono>
#include <functional>
#include <string>

#include "core/events/enrich.h"
#include "tests/support/fakes.h"

namespace {

constexpr int kRounds = 50'000;

const std::string kServer =
    R"({"messageId":"8d1f7f5e-8a39-4a0c-9d3c-0f1d0a6c2b11","type":"track","userId":"customer-1001","event":"Order Completed",)"
    R"("timestamp":"2026-03-14T11:58:00.000Z","properties":{"orderId":"o-7781","total":99.90,"currency":"EUR","coupon":null,)"
    R"("products":[{"sku":"a-1","price":49.95,"quantity":1},{"sku":"b-2","price":49.95,"quantity":1}]},)"
    R"("context":{"library":{"name":"analytics-node","version":"3.5.0"},"ip":"93.184.216.34"},"integrations":{"All":true}})";
const std::string kBrowser =
    R"({"messageId":"ajs-next-1773489540123-8d1f7f5e","type":"page","anonymousId":"5b1f0f6e-1111-4a0c-9d3c-0f1d0a6c2b11","name":"Home",)"
    R"("properties":{"path":"/","referrer":"","search":"?utm_source=news&utm_campaign=spring","title":"Home","url":"https://shop.example/?utm_source=news&utm_campaign=spring"},)"
    R"("context":{"library":{"name":"analytics.js","version":"npm:next-1.70.0"},"locale":"de-AT","timezone":"Europe/Vienna",)"
    R"("userAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"}})";

void measure(std::string_view what, const std::function<std::size_t()>& step) {
  std::size_t sum = 0;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kRounds; ++i) {
    sum += step();
  }
  const std::chrono::duration<double, std::micro> spent = std::chrono::steady_clock::now() - start;
  fmt::print("{:<44} {:>7.2f} us   ({} octets)\n", what, spent.count() / kRounds, sum / kRounds);
}

void measure_event(std::string_view name, const std::string& text) {
  edge::test::SequenceIds ids;
  const edge::Time now = edge::from_ms(1'773'489'600'000);
  const edge::events::Origin origin{.source = "shop", .client_ip = "93.184.216.34"};
  const auto document = edge::json::Document::parse(text, edge::json::kEvent);
  const auto draft_of = [&](const edge::json::Document& from) {
    auto draft = edge::events::normalise(from.root(), {}, now, ids);
    edge::events::enrich(*draft, origin);
    return draft;
  };
  const std::string body = edge::events::encode(*draft_of(*document), {.source = "shop"});

  measure(fmt::format("{}: parse", name),
          [&] { return edge::json::Document::parse(text, edge::json::kEvent)->text().size(); });
  measure(fmt::format("{}: normalise", name),
          [&] { return edge::events::normalise(document->root(), {}, now, ids)->id.text.size(); });
  measure(fmt::format("{}: normalise, enrich", name),
          [&] { return draft_of(*document)->context_patches.size(); });
  measure(fmt::format("{}: parse, normalise, enrich, encode", name), [&] {
    const auto parsed = edge::json::Document::parse(text, edge::json::kEvent);
    return edge::events::encode(*draft_of(*parsed), {.source = "shop"}).size();
  });
  measure(fmt::format("{}: decode (for routing and readers)", name),
          [&] { return edge::events::Event::decode(body)->text().size(); });
}

}  // namespace

int main() {
  measure_event("server track", kServer);
  measure_event("browser page", kBrowser);
}
