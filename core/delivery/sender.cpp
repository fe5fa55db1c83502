// SPDX-License-Identifier: MIT
#include "core/delivery/sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/base/fault.h"
#include "core/destinations/join.h"
#include "core/destinations/mask.h"
#include "core/encoding/gzip.h"
#include "core/encoding/percent.h"
#include "core/encoding/utf8.h"
#include "core/json/writer.h"

namespace edge::delivery {
namespace {

using destinations::Mapped;
using destinations::Record;
using destinations::Request;

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

/// How bad a verdict is for an event several of whose records were judged.
int rank_of(Action action) {
  switch (action) {
    case Action::Delivered:
      return 0;
    case Action::Resend:
      return 1;
    case Action::Split:
      return 2;
    case Action::Retry:
      return 3;
    case Action::Hold:
      return 4;
    case Action::Dead:
      return 5;
  }
  return 0;
}

std::string masked_json(const destinations::Entry& entry,
                        std::size_t channel,
                        std::vector<Record> records,
                        std::uint32_t hops,
                        Time now) {
  const destinations::Destination& destination = *entry.destination;
  Request request = destination.request(channel, std::move(records));
  destination.sign(request, now);
  request.headers = fields_of(request, destination.channels()[channel], hops);
  destinations::mask(request, destination.secrets());
  return to_json(request, destination.channels()[channel].is_form);
}

/// One batch on its way.
class Sending {
 public:
  Sending(const destinations::Entry& entry,
          std::span<const events::Event* const> batch,
          transport::HttpClient& http,
          const Clock& clock,
          std::span<const std::uint32_t> done)
      : entry_(entry), batch_(batch), http_(http), clock_(clock) {
    for (std::size_t i = 0; i < batch.size(); ++i) {
      take(entry.map(*batch[i]), done.empty() ? 0 : done[i]);
    }
  }

  Attempt run() {
    const SteadyTime begun = clock_.steady();
    const std::size_t channels = entry_.destination->channels().size();
    bool goes_on = true;
    for (std::size_t channel = 0; channel < channels && goes_on; ++channel) {
      goes_on = send_channel(channel);
    }
    result_.duration =
        std::chrono::duration_cast<std::chrono::milliseconds>(clock_.steady() - begun);
    return std::move(result_);
  }

 private:
  void take(Mapped mapped, std::uint32_t done) {
    const bool is_through = mapped.kind == Mapped::Kind::Filtered ||
                            (mapped.kind == Mapped::Kind::Send && done >= mapped.pieces.size());
    const Action action = is_through                              ? Action::Delivered
                          : mapped.kind == Mapped::Kind::Rejected ? Action::Dead
                                                                  : Action::Resend;
    result_.events.push_back({action, std::move(mapped.reason)});
    result_.traces.push_back({.done = done});
    pieces_.push_back(std::move(mapped.pieces));
  }

  /// Whether the event still wants to be sent.
  [[nodiscard]] bool is_open(std::size_t event) const {
    return result_.events[event].action == Action::Resend && result_.traces[event].batch == 0;
  }

  /// False when the destination fails.
  bool send_channel(std::size_t channel) {
    std::vector<Record> records;
    for (std::size_t i = 0; i < batch_.size(); ++i) {
      const std::size_t next = result_.traces[i].done;
      if (!is_open(i) || next >= pieces_[i].size() || pieces_[i][next].channel != channel) {
        continue;
      }
      for (Record& record : pieces_[i][next].records) {
        record.event = i;
        records.push_back(std::move(record));
      }
    }
    for (Request& request :
         destinations::requests_of(*entry_.destination, channel, std::move(records))) {
      if (!send(std::move(request))) {
        return false;
      }
    }
    return true;
  }

  bool send(Request request) {
    entry_.destination->sign(request, clock_.now());
    if (EDGE_FAULT("deliver.before_send") != 0) {
      result_.effect = Effect::Failing;
      return false;
    }
    const auto answer = http_.send(outgoing(request));
    static_cast<void>(EDGE_FAULT("deliver.after_answer"));
    result_.status = answer ? answer->status : 0;
    result_.response = excerpt(answer ? answer->body : answer.error().message);
    auto judgement = entry_.destination->judge(request, answer, clock_.now());
    settle(request, judgement.records);
    destinations::mask(request, entry_.destination->secrets());
    result_.sent.push_back({request.method, request.url, result_.status});
    if (judgement.effect != Effect::None) {
      result_.effect = judgement.effect;
    }
    if (judgement.retry_after) {
      result_.retry_after = std::max(judgement.retry_after, result_.retry_after);
    }
    return judgement.effect == Effect::None && !judgement.retry_after;
  }

  /// Takes over what the answer means for each event of the request.
  void settle(const Request& request, const std::vector<Verdict>& verdicts) {
    std::map<std::size_t, Verdict> by_event;
    for (std::size_t i = 0; i < request.records.size(); ++i) {
      const auto [known, is_new] = by_event.emplace(request.records[i].event, verdicts[i]);
      if (!is_new && rank_of(verdicts[i].action) > rank_of(known->second.action)) {
        known->second = verdicts[i];
      }
    }
    for (const auto& [event, verdict] : by_event) {
      Trace& trace = result_.traces[event];
      if (verdict.action == Action::Delivered) {
        const bool all = ++trace.done >= pieces_[event].size();
        result_.events[event].action = all ? Action::Delivered : Action::Resend;
        continue;
      }
      result_.events[event] = verdict;
      trace.batch = by_event.size();
      if (verdict.action == Action::Dead) {
        trace.status = result_.status;
        trace.response = result_.response;
        trace.request = request_alone(request, event);
      }
    }
  }

  /// What would have been sent for one event alone; a dead letter keeps it.
  [[nodiscard]] std::string request_alone(const Request& request, std::size_t event) const {
    std::vector<Record> records;
    std::ranges::copy_if(request.records, std::back_inserter(records), [&](const Record& record) {
      return record.event == event;
    });
    return masked_json(
        entry_, request.channel, std::move(records), batch_[event]->hops(), clock_.now());
  }

  [[nodiscard]] transport::OutgoingRequest outgoing(const Request& request) const {
    std::uint32_t hops = 0;
    for (const Record& record : request.records) {
      hops = std::max(hops, batch_[record.event]->hops());
    }
    const bool packs = entry_.destination->channels()[request.channel].gzip;
    const destinations::Definition& settings = entry_.definition;
    return {.method = request.method,
            .url = request.url,
            .headers = fields_of(request, entry_.destination->channels()[request.channel], hops),
            .body = packs ? encoding::gzip_encode(request.body) : request.body,
            .connect_timeout = settings.connect_timeout,
            .timeout = settings.timeout,
            .cut_response = true};
  }

  const destinations::Entry& entry_;
  std::span<const events::Event* const> batch_;
  transport::HttpClient& http_;
  const Clock& clock_;
  std::vector<std::vector<destinations::Piece>> pieces_;
  Attempt result_;
};

/// A value of a form: JSON lists and objects as such.
void write_form_value(json::Writer& out, const std::string& value) {
  const auto document = json::Document::parse(value, json::kEvent);
  if (document && (document->root().is_array() || document->root().is_object())) {
    out.raw(value);
  } else {
    out.string(value);
  }
}

}  // namespace

Attempt attempt(const destinations::Entry& entry,
                std::span<const events::Event* const> batch,
                transport::HttpClient& http,
                const Clock& clock,
                std::span<const std::uint32_t> done) {
  return Sending(entry, batch, http, clock, done).run();
}

std::string masked_request(const destinations::Entry& entry,
                           const events::Event& event,
                           std::uint32_t done,
                           Time now) {
  Mapped mapped = entry.map(event);
  if (done >= mapped.pieces.size()) {
    return {};
  }
  destinations::Piece& piece = mapped.pieces[done];
  return masked_json(entry, piece.channel, std::move(piece.records), event.hops(), now);
}

transport::Headers fields_of(const Request& request,
                             const destinations::Channel& channel,
                             std::uint32_t hops) {
  transport::Headers fields = request.headers;
  if (channel.gzip) {
    fields.emplace_back("content-encoding", "gzip");
  }
  fields.emplace_back("user-agent", "edged/" EDGE_VERSION);
  fields.emplace_back("x-edge-hops", std::to_string(hops + 1));
  return fields;
}

std::string to_json(const Request& request, bool is_form) {
  json::Writer out;
  out.begin_object().member("method", request.method).member("url", request.url);
  out.key("headers").begin_object();
  for (const auto& [name, value] : request.headers) {
    out.member(name, value);
  }
  out.end_object().member("bodyType", is_form ? "form" : "json").key("body");
  if (is_form) {
    out.begin_object();
    for (const auto& [name, value] : encoding::parse_form(request.body)) {
      write_form_value(out.key(name), value);
    }
    out.end_object();
  } else if (json::Document::parse(request.body, json::kEvent)) {
    out.raw(request.body);
  } else {
    out.string(request.body);
  }
  return out.end_object().take();
}

}  // namespace edge::delivery
