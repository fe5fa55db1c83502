// SPDX-License-Identifier: MIT
#include "core/delivery/sender.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/fault.h"
#include "core/destinations/mask.h"
#include "core/encoding/utf8.h"
#include "core/json/writer.h"

namespace edge::delivery {
namespace {

constexpr std::size_t kKeptResponseBytes = 2048;

/// The first octets of an answer as text that fits into JSON.
std::string excerpt(std::string_view body) {
  std::string text(body.substr(0, kKeptResponseBytes));
  for (int i = 0; i < 3 && !text.empty() && !encoding::is_utf8(text); ++i) {
    text.pop_back();  // a character that was cut
  }
  if (!encoding::is_utf8(text)) {
    std::ranges::replace_if(
        text, [](char c) { return (c & 0x80) != 0; }, '?');
  }
  return text;
}

std::uint32_t hops_of(const destinations::Request& request,
                      std::span<const events::Event* const> batch) {
  std::uint32_t hops = 0;
  for (const std::size_t index : request.events) {
    hops = std::max(hops, batch[index]->hops());
  }
  return hops + 1;
}

transport::OutgoingRequest outgoing(const destinations::Definition& settings,
                                    const destinations::Request& request,
                                    std::uint32_t hops) {
  transport::OutgoingRequest made{.method = request.method,
                                  .url = request.url,
                                  .headers = request.headers,
                                  .body = request.body,
                                  .connect_timeout = settings.connect_timeout,
                                  .timeout = settings.timeout,
                                  .cut_response = true};
  made.headers.emplace_back("user-agent", "edged/" EDGE_VERSION);
  made.headers.emplace_back("x-edge-hops", std::to_string(hops));
  return made;
}

bool is_dead(const Verdict& verdict) {
  return verdict.action == Action::Dead;
}

struct Sending {
  const destinations::Entry& entry;
  std::span<const events::Event* const> batch;
  transport::HttpClient& http;
  const Clock& clock;
};

/// Sends one request and takes over what its answer means. True when the next one may follow.
bool send_one(const Sending& sending, destinations::Request request, Attempt& result) {
  const auto& [entry, batch, http, clock] = sending;
  entry.destination->sign(request, clock.now());
  if (EDGE_FAULT("deliver.before_send") != 0) {
    result.effect = Effect::Failing;
    return false;
  }
  const auto answer = http.send(outgoing(entry.definition, request, hops_of(request, batch)));
  static_cast<void>(EDGE_FAULT("deliver.after_answer"));
  result.status = answer ? answer->status : 0;
  result.response = excerpt(answer ? answer->body : answer.error().message);
  const Judgement judgement = judge(answer, request.events.size(), clock.now());
  result.effect = judgement.effect;
  result.retry_after = judgement.retry_after;
  for (std::size_t i = 0; i < request.events.size(); ++i) {
    result.events[request.events[i]] = judgement.events[i];
  }
  destinations::mask(request);
  result.sent.push_back({request.method, request.url, result.status});
  if (std::ranges::any_of(judgement.events, is_dead)) {
    result.request = to_json(request);
  }
  return std::ranges::all_of(
      judgement.events, [](const Verdict& verdict) { return verdict.action == Action::Delivered; });
}

}  // namespace

Attempt attempt(const destinations::Entry& entry,
                std::span<const events::Event* const> batch,
                transport::HttpClient& http,
                const Clock& clock) {
  const SteadyTime begun = clock.steady();
  destinations::Encoding encoding = entry.destination->encode(batch);
  Attempt result;
  for (const destinations::Mapped& mapped : encoding.events) {
    const bool rejected = mapped.kind == destinations::Mapped::Kind::Rejected;
    const bool filtered = mapped.kind == destinations::Mapped::Kind::Filtered;
    result.events.push_back({rejected   ? Action::Dead
                             : filtered ? Action::Delivered
                                        : Action::Resend,
                             mapped.reason});
  }
  for (destinations::Request& request : encoding.requests) {
    if (!send_one({entry, batch, http, clock}, std::move(request), result)) {
      break;
    }
  }
  result.duration = std::chrono::duration_cast<std::chrono::milliseconds>(clock.steady() - begun);
  return result;
}

std::string to_json(const destinations::Request& request) {
  json::Writer out;
  out.begin_object().member("method", request.method).member("url", request.url);
  out.key("headers").begin_object();
  for (const auto& [name, value] : request.headers) {
    out.member(name, value);
  }
  out.end_object().key("body");
  if (json::Document::parse(request.body, json::kEvent)) {
    out.raw(request.body);
  } else {
    out.string(request.body);
  }
  return out.end_object().take();
}

}  // namespace edge::delivery
