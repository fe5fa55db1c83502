// SPDX-License-Identifier: MIT
#include "core/delivery/replay_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "core/delivery/preview.h"
#include "core/delivery/sender.h"
#include "core/destinations/judge.h"

namespace edge::delivery {
namespace {

constexpr std::size_t kMaxWireEvents = 500;
/// A destination that wants an event to wait longer than a command does has refused it.
constexpr std::chrono::minutes kLongestHold{1};

/// What a daemon is sent: nothing internal.
std::string outside_text(const ReplayItem& item) {
  if (item.canonical) {
    if (const auto event = events::Event::decode(item.event)) {
      return events::without_internals(*event);
    }
  }
  return item.event;
}

Error transient(ErrorCode code, std::string message, std::chrono::seconds retry_after) {
  return {code, std::move(message), "", "", retry_after};
}

class DaemonTarget final : public ReplayTarget {
 public:
  DaemonTarget(transport::HttpClient& http,
               std::string url,
               transport::Headers fields,
               const Clock& clock)
      : http_(http), url_(std::move(url)), fields_(std::move(fields)), clock_(clock) {
    while (url_.ends_with('/')) {
      url_.pop_back();
    }
    fields_.emplace_back("Content-Type", "application/json");
  }

  [[nodiscard]] std::size_t max_batch() const override { return kMaxWireEvents; }

  Result<std::vector<std::string>> send(std::span<ReplayItem> items) override {
    std::string body = R"({"batch":[)";
    for (const ReplayItem& item : items) {
      body += (body.back() == '[' ? "" : ",") + outside_text(item);
    }
    body += "]}";
    const auto answer = http_.send({.method = "POST",
                                    .url = url_ + "/v1/batch?verbose=1",
                                    .headers = fields_,
                                    .body = std::move(body)});
    if (!answer) {
      return Failure(answer.error());
    }
    if (answer->status == 429 || answer->status >= 500 || answer->status == 408) {
      const auto after =
          destinations::parse_retry_after(answer->header("retry-after").value_or(""), clock_.now());
      return Failure(transient(
          answer->status == 429 ? ErrorCode::RateLimited : ErrorCode::Unavailable,
          fmt::format("the daemon answered {}", answer->status),
          std::chrono::ceil<std::chrono::seconds>(after.value_or(std::chrono::milliseconds{0}))));
    }
    return read(*answer, items.size());
  }

 private:
  static Result<std::vector<std::string>> read(const transport::IncomingResponse& answer,
                                               std::size_t count) {
    const auto document = json::Document::parse(answer.body, json::kApi);
    const auto errors = document ? document->root().find("errors") : std::nullopt;
    const auto text = [](json::Value object, const char* name) {
      const auto value = object.find(name);
      return std::string(value ? value->as_string().value_or("") : "");
    };
    const bool refused = answer.status / 100 != 2;
    const std::string whole = refused && document ? text(document->root(), "code") : "";
    if (answer.status == 401 || answer.status == 403) {
      return Failure(
          {answer.status == 401 ? ErrorCode::Unauthenticated : ErrorCode::PermissionDenied,
           fmt::format("the daemon answered {} {}", answer.status, whole),
           "",
           whole});
    }
    const auto truncated = document ? document->root().find("errorsTruncated") : std::nullopt;
    const bool are_some_unnamed = truncated && truncated->as_bool().value_or(false);
    if (answer.status == 413 || are_some_unnamed) {
      return Failure({ErrorCode::TooLarge,
                      "the daemon takes less at once",
                      "",
                      fmt::format("http_{} {}", answer.status, whole)});
    }
    std::vector<std::string> failures(
        count, refused && !errors ? fmt::format("http_{} {}", answer.status, whole) : "");
    if (errors) {
      for (const json::Value error : errors->elements()) {
        const auto index = error.find("index");
        const auto at = index ? index->as_uint64().value_or(count) : count;
        if (at < count) {
          failures[at] = text(error, "code");
        }
      }
    }
    return failures;
  }

  transport::HttpClient& http_;
  std::string url_;
  transport::Headers fields_;
  const Clock& clock_;
};

class IngestTarget final : public ReplayTarget {
 public:
  IngestTarget(events::Ingest& ingest, std::string source)
      : ingest_(ingest), source_(std::move(source)) {}

  [[nodiscard]] std::size_t max_batch() const override { return kMaxWireEvents; }

  Result<std::vector<std::string>> send(std::span<ReplayItem> items) override {
    std::string list = "[";
    for (const ReplayItem& item : items) {
      list += (list.size() == 1 ? "" : ",") + outside_text(item);
    }
    const auto document = json::Document::parse(list + "]", json::kEvent);
    if (!document) {
      return Failure(document.error());
    }
    std::vector<json::Value> raws;
    for (const json::Value raw : document->root().elements()) {
      raws.push_back(raw);
    }
    const auto outcomes = ingest_.accept_now(
        raws, {.has_duplicates = document->has_duplicates()}, {.source = source_});
    if (!outcomes) {
      return Failure(outcomes.error());
    }
    std::vector<std::string> failures;
    for (const events::Outcome& outcome : *outcomes) {
      const bool refused = outcome.status == events::Outcome::Status::Refused;
      failures.push_back(refused ? reason_of(outcome.error) : "");
    }
    return failures;
  }

 private:
  events::Ingest& ingest_;
  std::string source_;
};

/// One go at a batch of a destination: what is refused as a whole is sent again in halves, what
/// others spoiled without them. What must wait stays open, and `problem` tells why.
class Round {
 public:
  struct Item {
    const events::Event* event = nullptr;
    ReplayItem* place = nullptr;
  };

  Round(const destinations::Entry& entry, transport::HttpClient& http, const Clock& clock)
      : entry_(entry), http_(http), clock_(clock) {}

  void send(std::vector<Item> items) {
    while (!items.empty() && !fails_) {
      const Attempt made = attempt_of(items);
      bool split = false;
      std::vector<Item> again_now;
      for (std::size_t i = 0; i < items.size(); ++i) {
        items[i].place->done = made.traces[i].done;
        if (goes_again(*items[i].place, made.events[i], made)) {
          split = split || made.events[i].action == Action::Split;
          again_now.push_back(items[i]);
        }
      }
      if (made.effect == Effect::Failing || made.effect == Effect::Pause) {
        fails_ = true;
        wait(again(made, fmt::format("http_{}", made.status)));
        return;
      }
      items = std::move(again_now);
      if (split) {
        const auto middle = items.begin() + static_cast<std::ptrdiff_t>((items.size() + 1) / 2);
        send({items.begin(), middle});
        items.erase(items.begin(), middle);
      }
    }
  }

  [[nodiscard]] const std::optional<Error>& problem() const { return problem_; }

 private:
  Attempt attempt_of(const std::vector<Item>& items) {
    std::vector<const events::Event*> batch;
    std::vector<std::uint32_t> done;
    for (const Item& item : items) {
      batch.push_back(item.event);
      done.push_back(item.place->done);
    }
    return attempt(entry_, batch, http_, clock_, done);
  }

  /// Settles an item, or lets it wait, or says that it is to be sent again now.
  bool goes_again(ReplayItem& item, const Verdict& verdict, const Attempt& made) {
    switch (verdict.action) {
      case Action::Delivered:
        item.outcome = "";
        return false;
      case Action::Dead:
        item.outcome = verdict.reason;
        return false;
      case Action::Hold:
        hold(item, verdict);
        return false;
      case Action::Retry:
        wait(again(made, verdict.reason));
        return false;
      case Action::Split:
      case Action::Resend:
        return true;
    }
    return false;
  }

  void hold(ReplayItem& item, const Verdict& verdict) {
    const auto delay = verdict.delay.count() > 0 ? verdict.delay : entry_.definition.retry.throttle;
    if (delay > kLongestHold) {
      item.outcome = verdict.reason;
      return;
    }
    Error error = transient(ErrorCode::Unavailable,
                            fmt::format("the destination holds events back ({})", verdict.reason),
                            std::chrono::ceil<std::chrono::seconds>(delay));
    error.reason = verdict.reason;
    wait(std::move(error));
  }

  void wait(Error error) {
    if (!problem_ || error.code == ErrorCode::Unauthenticated) {
      problem_ = std::move(error);
    } else {
      problem_->retry_after = std::max(problem_->retry_after, error.retry_after);
    }
  }

  static Error again(const Attempt& made, const std::string& reason) {
    if (made.effect == Effect::Pause) {
      return {ErrorCode::Unauthenticated, "the destination refuses the credentials", "", reason};
    }
    const auto after = made.retry_after.value_or(std::chrono::milliseconds{0});
    return transient(made.status == 429 ? ErrorCode::RateLimited : ErrorCode::Unavailable,
                     fmt::format("the destination does not take events ({})", reason),
                     std::chrono::ceil<std::chrono::seconds>(after));
  }

  const destinations::Entry& entry_;
  transport::HttpClient& http_;
  const Clock& clock_;
  std::optional<Error> problem_;
  bool fails_ = false;  // nothing more is sent
};

class DestinationTarget final : public ReplayTarget {
 public:
  DestinationTarget(std::shared_ptr<const destinations::Entry> entry,
                    transport::HttpClient& http,
                    const Clock& clock,
                    Ids& ids)
      : entry_(std::move(entry)), http_(http), clock_(clock), ids_(ids) {}

  [[nodiscard]] std::size_t max_batch() const override {
    return entry_->destination->batch_size().most;
  }

  Result<std::vector<std::string>> send(std::span<ReplayItem> items) override {
    std::vector<events::Event> events;
    events.reserve(items.size());
    std::vector<Round::Item> batch;
    for (ReplayItem& item : items) {
      if (item.outcome) {
        continue;
      }
      const auto text = item.canonical ? Result<std::string>(item.event)
                                       : canonical_text(item.event, clock_.now(), ids_);
      auto event =
          text ? events::Event::decode(*text) : Result<events::Event>(Failure(text.error()));
      if (!event) {
        item.outcome = reason_of(event.error());
        continue;
      }
      events.push_back(std::move(*event));
      batch.push_back({&events.back(), &item});
    }
    Round round(*entry_, http_, clock_);
    round.send(std::move(batch));
    if (round.problem()) {
      return Failure(*round.problem());
    }
    std::vector<std::string> outcomes;
    for (const ReplayItem& item : items) {
      outcomes.push_back(item.outcome.value_or(""));
    }
    return outcomes;
  }

 private:
  std::shared_ptr<const destinations::Entry> entry_;
  transport::HttpClient& http_;
  const Clock& clock_;
  Ids& ids_;
};

class LinesTarget final : public ReplayTarget {
 public:
  explicit LinesTarget(std::function<void(std::string_view)> print) : print_(std::move(print)) {}
  [[nodiscard]] std::size_t max_batch() const override { return kMaxWireEvents; }
  Result<std::vector<std::string>> send(std::span<ReplayItem> items) override {
    const std::lock_guard lock(mutex_);
    for (const ReplayItem& item : items) {
      print_(outside_text(item));
    }
    return std::vector<std::string>(items.size());
  }

 private:
  std::mutex mutex_;  // lines of two batches do not mix
  std::function<void(std::string_view)> print_;
};

}  // namespace

std::unique_ptr<ReplayTarget> replay_to_daemon(transport::HttpClient& http,
                                               std::string url,
                                               transport::Headers fields,
                                               const Clock& clock) {
  return std::make_unique<DaemonTarget>(http, std::move(url), std::move(fields), clock);
}

std::unique_ptr<ReplayTarget> replay_to_ingest(events::Ingest& ingest, std::string source) {
  return std::make_unique<IngestTarget>(ingest, std::move(source));
}

std::unique_ptr<ReplayTarget> replay_to_destination(
    std::shared_ptr<const destinations::Entry> entry,
    transport::HttpClient& http,
    const Clock& clock,
    Ids& ids) {
  return std::make_unique<DestinationTarget>(std::move(entry), http, clock, ids);
}

std::unique_ptr<ReplayTarget> replay_to_lines(std::function<void(std::string_view line)> print) {
  return std::make_unique<LinesTarget>(std::move(print));
}

}  // namespace edge::delivery
