// SPDX-License-Identifier: MIT
#include "core/pixels/collector.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/events/event.h"
#include "core/json/document.h"
#include "core/pixels/identifier.h"

namespace edge::pixels {
namespace {

constexpr std::chrono::seconds kPatience{5};
constexpr std::chrono::milliseconds kRejectedEvery = std::chrono::seconds{1};
constexpr std::chrono::milliseconds kIdle = std::chrono::seconds{1};
constexpr std::chrono::milliseconds kFlushCounts{200};
constexpr std::chrono::milliseconds kFlushPosition = std::chrono::seconds{5};
constexpr std::size_t kMaxKnown = 65'536;

/// When the mail was sent, as far as its token tells.
std::optional<Time> sent_at(const Claims& claims, bool iat_is_sent) {
  const auto metadata = json::Document::parse(claims.metadata, json::kStrict);
  const auto value = metadata ? metadata->root().find("sentAt") : std::nullopt;
  if (const auto time = value ? events::parse_time(*value) : std::nullopt) {
    return time;
  }
  return iat_is_sent ? std::optional(from_ms(std::int64_t{claims.issued_at} * 1000)) : std::nullopt;
}

/// Old tokens hold anything; what cannot stand in a key or an event is malformed.
bool has_good_ids(const Claims& claims) {
  const auto good = [](const std::string& id) { return is_identifier(id); };
  return good(claims.campaign_id) && good(claims.email_id) && good(claims.recipient_id);
}

std::string prefix_of(const std::string& ip) {
  return events::anonymise(ip, events::IpMode::Truncate).value_or("");
}

}  // namespace

Collector::Collector(Settings settings,
                     storage::Store& store,
                     events::Ingest& ingest,
                     OptOuts& opt_outs,
                     const Clock& clock,
                     Ids& ids,
                     metrics::Registry& registry)
    : settings_(settings),
      store_(store),
      ingest_(ingest),
      opt_outs_(opt_outs),
      clock_(clock),
      ids_(ids),
      taken_(registry.counter("edge_pixel_visits_total", "Opens and clicks that were stored")
                 .with({})),
      rejected_total_(registry.counter(
          "edge_pixel_rejected_total", "Tokens that were not accepted", {"status"})),
      dropped_(registry.counter("edge_pixel_dropped_total", "Opens and clicks that were not stored")
                   .with({})),
      tally_(store, clock, {.retention = settings.retention}),
      recent_(settings.repeat_window),
      bursts_(settings.burst_window) {}

Result<void> Collector::start(const std::stop_token& stop) {
  if (auto counted = tally_.catch_up(stop); !counted) {
    return counted;
  }
  return tally_.flush();
}

bool Collector::is_accepted(const Visit& visit, Reading& reading) {
  std::string_view status = name_of(reading.status);
  const bool legacy = reading.status == Status::LegacyV1;
  if (reading.has_claims() && !legacy && reading.claims.kind != visit.kind) {
    status = "wrong_kind";
  } else if (legacy && (visit.kind != TokenKind::Open || !has_good_ids(reading.claims))) {
    status = name_of(Status::Malformed);
  } else if (reading.status == Status::Ok || reading.status == Status::Expired ||
             (legacy && settings_.legacy != LegacyTokens::Reject)) {
    return true;
  }
  if (rejected_.empty()) {
    rejected_since_ = clock_.now();
  }
  ++rejected_[std::string(status)];
  rejected_total_.with({status}).add();
  return false;
}

std::vector<Collector::Candidate> Collector::accepted(const std::vector<Visit>& visits,
                                                      const KeyRing& ring) {
  std::vector<Candidate> candidates;
  candidates.reserve(visits.size());
  for (const Visit& visit : visits) {
    Candidate candidate{.visit = &visit};
    candidate.reading = open_token(
        visit.token,
        ring,
        {.now_s = to_ms(visit.received_at) / 1000, .max_future_s = settings_.max_future_s});
    if (!is_accepted(visit, candidate.reading)) {
      continue;
    }
    candidate.findings.late = candidate.reading.status == Status::Expired;
    if (candidate.findings.late && visit.kind == TokenKind::Click) {
      continue;  // followed, but not counted
    }
    candidate.recipient = recipient_of(visit, candidate.reading);
    candidates.push_back(std::move(candidate));
  }
  return candidates;
}

void Collector::judge(Candidate& candidate, bool is_listed, const Judges& judges) {
  const Visit& visit = *candidate.visit;
  OpenRequest request{.method = visit.is_head ? "HEAD" : "GET",
                      .user_agent = visit.user_agent,
                      .sec_purpose = visit.sec_purpose,
                      .purpose = visit.purpose,
                      .x_purpose = visit.x_purpose,
                      .x_moz = visit.x_moz,
                      .min_human_seconds = settings_.min_human_seconds};
  if (const auto address = events::parse_address(visit.client_ip)) {
    request.lists = judges.lists.holding(*address);
  }
  if (const auto sent = sent_at(candidate.reading.claims, settings_.iat_is_sent)) {
    request.seconds_since_sent =
        std::chrono::floor<std::chrono::seconds>(visit.received_at - *sent).count();
  }
  Findings& findings = candidate.findings;
  findings.verdict = judges.rules.classify(request);
  findings.nameless = is_listed || (settings_.privacy.respect_gpc && visit.opted_out);
  const KeyRing::Key* key = judges.ring.oldest();
  if (!findings.nameless && key != nullptr) {
    findings.recipient = kept_recipient(candidate.recipient, settings_.privacy, key->mac);
  } else if (!findings.nameless && settings_.privacy.recipients == OpenPrivacy::Recipients::Id) {
    findings.recipient = candidate.recipient;
  }
  candidate.id = EventId{ids_.uuid()};
}

void Collector::drop_repeats(std::vector<Candidate>& candidates) {
  std::erase_if(candidates, [this](const Candidate& candidate) {
    const Visit& visit = *candidate.visit;
    const Claims& claims = candidate.reading.claims;
    return !candidate.findings.late && recent_.is_repeat(digest_of({visit.token,
                                                                    visit.query,
                                                                    candidate.findings.verdict.rule,
                                                                    prefix_of(visit.client_ip),
                                                                    visit.user_agent}),
                                                         {.kind = visit.kind,
                                                          .campaign = claims.campaign_id,
                                                          .email = claims.email_id,
                                                          .id = candidate.id,
                                                          .at = visit.received_at});
  });
}

/// Finds the clicks of sweeps; those stored before are taken back by an event of their own.
void Collector::find_sweeps(std::vector<Candidate>& candidates, std::vector<std::string>& events) {
  for (Candidate& candidate : candidates) {
    Findings& findings = candidate.findings;
    const Visit& visit = *candidate.visit;
    if (visit.kind != TokenKind::Click || findings.verdict.counted == CountedAs::Nothing) {
      continue;
    }
    const Claims& claims = candidate.reading.claims;
    // Without a recipient the client stands for one, or all readers of a mail would be one sweep.
    const bool named = !candidate.recipient.empty();
    const std::uint64_t person = digest_of({claims.campaign_id,
                                            claims.email_id,
                                            candidate.recipient,
                                            named ? std::string_view{} : visit.client_ip,
                                            named ? std::string_view{} : visit.user_agent});
    const std::uint64_t link = digest_of({claims.url, claims.link_id});
    std::vector<ReclassifiedClick> earlier;
    if (bursts_.is_sweep(person, link, visit.received_at, earlier)) {
      findings.verdict = {OpenClass::Scanner, "burst", CountedAs::Machine};
      findings.unique_human = false;
    } else if (findings.verdict.counted == CountedAs::Human) {
      bursts_.remember(person, link, visit.received_at, {candidate.id, findings.unique_human});
    }
    if (!earlier.empty()) {
      events.push_back(reclassified_event(claims.campaign_id,
                                          claims.email_id,
                                          findings.recipient,
                                          earlier,
                                          EventId{ids_.uuid()},
                                          visit.received_at));
      known_.erase(seen_key(
          TokenKind::Click, claims.campaign_id, claims.email_id, findings.recipient, true));
    }
  }
}

std::set<std::string> Collector::already_seen(const std::vector<Candidate>& candidates) {
  std::set<std::string> seen;
  std::vector<storage::Key> unknown;
  for (const Candidate& candidate : candidates) {
    const Claims& claims = candidate.reading.claims;
    const std::string& recipient = candidate.findings.recipient;
    if (recipient.empty()) {
      continue;
    }
    for (const bool human : {false, true}) {
      std::string key =
          seen_key(candidate.visit->kind, claims.campaign_id, claims.email_id, recipient, human);
      if (known_.contains(key) || tally_.will_see(key)) {
        seen.insert(std::move(key));
      } else if (!tally_.will_forget(key)) {
        unknown.push_back({kTallySpace, kSeenPart, std::move(key)});
      }
    }
  }
  if (unknown.empty()) {
    return seen;
  }
  const auto entries = store_.get(unknown, storage::Deadline::in(kPatience));
  if (known_.size() > kMaxKnown) {
    known_.clear();
  }
  for (std::size_t i = 0; i < unknown.size(); ++i) {
    // What cannot be looked up is not called new: it would be counted twice.
    if (!entries || (*entries)[i]) {
      seen.insert(unknown[i].key);
    }
    if (entries && (*entries)[i]) {
      known_.insert(unknown[i].key);
    }
  }
  return seen;
}

void Collector::find_unique(std::vector<Candidate>& candidates) {
  std::set<std::string> seen = already_seen(candidates);
  for (Candidate& candidate : candidates) {
    Findings& findings = candidate.findings;
    const Claims& claims = candidate.reading.claims;
    const bool counts =
        candidate.reading.authenticated() || settings_.legacy == LegacyTokens::Count;
    if (findings.recipient.empty() || findings.late || !counts ||
        findings.verdict.counted == CountedAs::Nothing) {
      continue;
    }
    const auto is_new = [&](bool human) {
      return seen
          .insert(seen_key(candidate.visit->kind,
                           claims.campaign_id,
                           claims.email_id,
                           findings.recipient,
                           human))
          .second;
    };
    findings.unique = is_new(false);
    findings.unique_human = findings.verdict.counted == CountedAs::Human && is_new(true);
  }
}

void Collector::take(const std::vector<Visit>& visits, const Judges& judges) {
  std::vector<Candidate> candidates = accepted(visits, judges.ring);
  std::vector<std::string> recipients;
  recipients.reserve(candidates.size());
  for (const Candidate& candidate : candidates) {
    recipients.push_back(candidate.recipient);
  }
  const auto listed = opt_outs_.are_listed(recipients);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    // A list that cannot be read names everybody.
    judge(candidates[i], !listed || (*listed)[i], judges);
  }
  drop_repeats(candidates);
  find_unique(candidates);
  std::vector<std::string> corrections;
  find_sweeps(candidates, corrections);
  std::vector<std::string> events;
  events.reserve(candidates.size() + corrections.size());
  for (const Candidate& candidate : candidates) {
    events.push_back(visit_event(
        *candidate.visit, candidate.reading, candidate.findings, settings_.privacy, candidate.id));
  }
  std::ranges::move(corrections, std::back_inserter(events));
  ingest(events, candidates.size());
}

bool Collector::ingest(const std::vector<std::string>& events, std::size_t visits) {
  if (events.empty()) {
    return true;
  }
  std::string text = "[";
  for (const std::string& event : events) {
    text += event;
    text += ',';
  }
  text.back() = ']';
  const auto document = json::Document::parse(text, json::kEvent);
  std::vector<json::Value> values;
  if (document) {
    for (const json::Value value : document->root().elements()) {
      values.push_back(value);
    }
  }
  const auto outcomes = ingest_.accept_now(
      values, {}, {.source = kSource, .may_be_internal = true, .ip = settings_.privacy.ip});
  const bool stored = document && outcomes;
  std::size_t refused = stored ? 0 : visits;
  for (std::size_t i = 0; stored && i < visits; ++i) {
    refused += (*outcomes)[i].status == events::Outcome::Status::Refused ? 1U : 0U;
  }
  taken_.add(visits - refused);
  dropped_.add(refused);
  // Counters follow the log; a store that cannot be read now is read at the next turn.
  return stored && tally_.catch_up().has_value();
}

void Collector::settle(std::optional<Time> ended_before, bool rejected_now) {
  const Time now = clock_.now();
  std::vector<std::string> events;
  for (const RecentVisits::Repeated& visit : recent_.take_ended(ended_before)) {
    events.push_back(
        repeated_event(visit.kind, visit.campaign, visit.email, visit.id, visit.repeats, visit.at));
  }
  if (!rejected_.empty() && (rejected_now || now - rejected_since_ >= kRejectedEvery)) {
    events.push_back(rejected_event(rejected_, EventId{ids_.uuid()}, now));
    rejected_.clear();
  }
  ingest(events, 0);
}

void Collector::settle(bool rejected_now) {
  settle(clock_.now(), rejected_now);
}

void Collector::finish() {
  settle(std::nullopt, true);
}

Result<void> Collector::flush() {
  if (auto counted = tally_.catch_up(); !counted) {
    return counted;
  }
  flushed_at_ = clock_.steady();
  return tally_.flush();
}

Result<void> Collector::flush_if_due() {
  if (auto counted = tally_.catch_up(); !counted) {
    return counted;
  }
  const auto since = clock_.steady() - flushed_at_;
  const bool due = tally_.has_counts() ? since >= kFlushCounts : since >= kFlushPosition;
  return tally_.is_dirty() && due ? flush() : Result<void>{};
}

std::chrono::milliseconds Collector::idle_time() const {
  return tally_.has_counts() || !rejected_.empty() ? kFlushCounts : kIdle;
}

}  // namespace edge::pixels
