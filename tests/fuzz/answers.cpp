// SPDX-License-Identifier: MIT
// What a destination answers: every kind must give one verdict per record for any status, field and
// body, and must never ask for the same batch again without end.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/destinations/catalogue.h"

namespace {

using namespace edge::destinations;

struct Kind {
  std::string_view type;
  std::string_view config;
};
constexpr std::array<Kind, 4> kKinds{{{"segment", R"({"writeKey":"k"})"},
                                      {"amplitude", R"({"apiKey":"k"})"},
                                      {"mixpanel", R"({"token":"k"})"},
                                      {"webhook", R"({"url":"https://h.example/","batch":100})"}}};

std::vector<std::unique_ptr<Destination>> all_kinds() {
  std::vector<std::unique_ptr<Destination>> made;
  const Catalogue catalogue;
  for (const Kind& kind : kKinds) {
    const auto config = edge::json::Document::parse(kind.config, edge::json::kEvent);
    made.push_back(std::move(*catalogue.make(*catalogue.find(kind.type), config->root(), {})));
  }
  return made;
}

/// Octets: kind, channel, number of records, status (two), length of Retry-After; then that field
/// and the body.
constexpr std::size_t kHead = 6;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto kDestinations = all_kinds();
  if (size < kHead) {
    return 0;
  }
  const Destination& destination = *kDestinations[data[0] % kDestinations.size()];
  Request request;
  request.channel = data[1] % destination.channels().size();
  for (std::size_t i = 0; i < 1U + data[2] % 8U; ++i) {
    request.records.push_back(
        {.text = R"({"user_id":"u)" + std::to_string(i) + R"(","device_id":"d"})", .event = i});
  }
  std::string_view rest(reinterpret_cast<const char*>(data) + kHead, size - kHead);
  const std::string_view retry_after = rest.substr(0, data[5]);
  rest.remove_prefix(retry_after.size());
  const edge::transport::IncomingResponse answer{
      .status = (data[3] << 8U | data[4]) % 1000,
      .headers = {{"retry-after", std::string(retry_after)}},
      .body = std::string(rest)};

  const Judgement judgement = destination.judge(request, answer, edge::from_ms(1'700'000'000'000));

  const bool complete = judgement.records.size() == request.records.size();
  const auto again_now = [](const Verdict& verdict) { return verdict.action == Action::Resend; };
  const bool is_endless =
      !complete || std::ranges::all_of(judgement.records, again_now) ||
      (request.records.size() == 1 && judgement.records[0].action == Action::Split);
  if (is_endless || (judgement.retry_after && judgement.retry_after->count() < 0)) {
    std::abort();
  }
  return 0;
}
