// SPDX-License-Identifier: MIT
#include "core/delivery/alerts.h"

#include <fmt/format.h>

#include <cstdlib>

#include "core/crypto/webhook_signature.h"
#include "core/delivery/retry.h"
#include "core/events/event.h"
#include "core/json/writer.h"

namespace edge::delivery {
namespace {

using std::chrono::milliseconds;

constexpr const char* kSpace = "alert";
constexpr std::size_t kMostWaiting = 1'000;
constexpr milliseconds kTimeout = std::chrono::seconds(5);  // a stop waits for it
constexpr milliseconds kFirstDelay = std::chrono::seconds(10);
constexpr milliseconds kLongestDelay = std::chrono::minutes(10);

storage::Deadline soon() {
  return storage::Deadline::in(std::chrono::seconds(5));
}

std::string_view name_of(AlertNews::Change change) {
  switch (change) {
    case AlertNews::Change::Raised:
      return "raised";
    case AlertNews::Change::Repeated:
      return "repeated";
    case AlertNews::Change::Cleared:
      break;
  }
  return "cleared";
}

std::string body_of(const AlertNews& news, Time now) {
  json::Writer out;
  out.begin_object().member("type", fmt::format("alert.{}", name_of(news.change)));
  out.member("timestamp", events::format_time(now)).key("data").begin_object();
  out.member("destination", news.destination).member("alert", news.alert);
  out.member("value", news.value).member("limit", news.limit);
  out.member("since", events::format_time(news.since));
  return out.end_object().end_object().take();
}

}  // namespace

Result<std::optional<AlertSettings>> read_alerts(const config::Alerts& config,
                                                 const destinations::SecretFinder& secrets) {
  const auto wrong = [](const char* key, const std::string& problem, std::string reason = {}) {
    return Failure({ErrorCode::InvalidArgument,
                    fmt::format("alerts.{} {}", key, problem),
                    fmt::format("alerts.{}", key),
                    std::move(reason)});
  };
  if (config.url.empty()) {
    return std::nullopt;
  }
  if (!config.url.starts_with("https://") && !config.url.starts_with("http://")) {
    return wrong("url", "must start with https:// or http://");
  }
  for (const auto& [key, value] : {std::pair{"backlog", config.backlog},
                                   {"dead_percent", config.dead_percent},
                                   {"dead_least", config.dead_least}}) {
    if (value < 0) {
      return wrong(key, "must not be negative");
    }
  }
  AlertSettings settings{.rules = config};
  if (!config.secret.empty()) {
    const auto secret = secrets ? secrets(config.secret) : std::nullopt;
    if (!secret) {
      return wrong("secret",
                   fmt::format("names the secret \"{0}\", which there is not; make it with: "
                               "edgectl secret set {0}",
                               config.secret),
                   "secret_missing");
    }
    auto key = crypto::webhook_key(*secret);
    if (!key) {
      return wrong("secret", fmt::format("\"{}\": {}", config.secret, key.error().message));
    }
    settings.key = std::move(*key);
  }
  return settings;
}

transport::OutgoingRequest alert_request(const AlertSettings& settings,
                                         const std::string& name,
                                         std::string body,
                                         Time now) {
  const std::string id = crypto::webhook_id(name);
  transport::OutgoingRequest request{.method = "POST",
                                     .url = settings.rules.url,
                                     .headers = {{"content-type", "application/json"},
                                                 {"user-agent", "edged/" EDGE_VERSION},
                                                 {"webhook-id", id}},
                                     .body = std::move(body),
                                     .timeout = kTimeout,
                                     .cut_response = true};
  if (settings.key) {
    const std::int64_t seconds = to_ms(now) / 1000;
    request.headers.emplace_back("webhook-timestamp", std::to_string(seconds));
    request.headers.emplace_back(
        "webhook-signature",
        crypto::webhook_signature({&*settings.key, 1}, id, seconds, request.body));
  }
  return request;
}

Alerts::Alerts(AlertSettings settings, AlertServices services)
    : settings_(std::move(settings)),
      services_(std::move(services)),
      book_(settings_.rules),
      told_(services_.metrics.counter(
          "edge_alerts_total", "Alerts that the webhook took", {"alert", "change"})),
      failed_(services_.metrics.counter(
          "edge_alerts_failed_total", "Attempts to tell an alert in vain", {"alert"})) {}

Result<void> Alerts::round() {
  if (!restored_) {
    if (auto done = restore(); !done) {
      return done;
    }
    restored_ = true;
  }
  const std::vector<AlertSample> samples = services_.samples();
  for (AlertNews& news : book_.look(samples, services_.clock.now())) {
    enqueue(std::move(news));
  }
  // In their order: a receiver must not hear that something is over before it hears of it.
  while (!waiting_.empty() && waiting_.front().due <= services_.clock.steady()) {
    Post& next = waiting_.front();
    if (!post(next.news)) {
      failed_.with({next.news.alert}).add();
      next.due = services_.clock.steady() +
                 next_delay(++next.attempts, kFirstDelay, kLongestDelay, services_.random);
      break;
    }
    told_.with({next.news.alert, name_of(next.news.change)}).add();
    if (auto stored = remember(next.news); !stored) {
      return stored;
    }
    waiting_.pop_front();
  }
  return {};
}

/// What was raised and told when the last process ended.
Result<void> Alerts::restore() {
  // At most 64 destinations with three alerts each: one page.
  const auto page = services_.store.scan(storage::Scan::prefix(kSpace, "raised", ""), soon());
  if (!page) {
    return Failure(page.error());
  }
  for (const storage::Page::Item& item : page->items) {
    const std::size_t slash = item.key.find('/');
    book_.restore(item.key.substr(slash + 1),
                  item.key.substr(0, slash),
                  from_ms(std::atoll(item.entry.value.c_str())));
  }
  return {};
}

void Alerts::enqueue(AlertNews news) {
  if (waiting_.size() >= kMostWaiting) {
    failed_.with({waiting_.front().news.alert}).add();
    waiting_.pop_front();
  }
  waiting_.push_back({.news = std::move(news), .due = services_.clock.steady()});
}

bool Alerts::post(const AlertNews& news) {
  const Time now = services_.clock.now();
  const auto answer = services_.http.send(alert_request(settings_,
                                                        fmt::format("alert-{}-{}-{}-{}-{}",
                                                                    news.destination,
                                                                    news.alert,
                                                                    to_ms(news.since),
                                                                    name_of(news.change),
                                                                    news.times),
                                                        body_of(news, now),
                                                        now));
  return answer && answer->status / 100 == 2;
}

Result<void> Alerts::remember(const AlertNews& news) {
  const storage::Key key{kSpace, "raised", news.alert + "/" + news.destination};
  storage::Batch batch;
  if (news.change == AlertNews::Change::Cleared) {
    batch.dels.push_back({key});
  } else {
    batch.puts.push_back({key, std::to_string(to_ms(news.since))});
  }
  return services_.store.commit(std::move(batch), soon()).map([](const storage::Receipt&) {});
}

}  // namespace edge::delivery
