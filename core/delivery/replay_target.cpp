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

  Result<std::vector<std::string>> send(std::span<const ReplayItem> items) override {
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

  Result<std::vector<std::string>> send(std::span<const ReplayItem> items) override {
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

  Result<std::vector<std::string>> send(std::span<const ReplayItem> items) override {
    std::vector<std::string> failures(items.size());
    std::vector<events::Event> events;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < items.size(); ++i) {
      auto text = items[i].canonical ? Result<std::string>(items[i].event)
                                     : canonical_text(items[i].event, clock_.now(), ids_);
      auto event =
          text ? events::Event::decode(*text) : Result<events::Event>(Failure(text.error()));
      if (event) {
        events.push_back(std::move(*event));
        places.push_back(i);
      } else {
        failures[i] = reason_of(event.error());
      }
    }
    std::vector<Item> batch;
    for (std::size_t i = 0; i < events.size(); ++i) {
      batch.push_back({&events[i], &failures[places[i]]});
    }
    if (auto done = send_events(std::move(batch)); !done) {
      return Failure(done.error());
    }
    return failures;
  }

 private:
  struct Item {
    const events::Event* event = nullptr;
    std::string* failure = nullptr;
    std::uint32_t done = 0;  // of its requests
  };

  /// Sends what is refused as a whole again in halves, what others spoiled again without them.
  Result<void> send_events(std::vector<Item> items) {
    while (!items.empty()) {
      std::vector<const events::Event*> batch;
      std::vector<std::uint32_t> done;
      for (const Item& item : items) {
        batch.push_back(item.event);
        done.push_back(item.done);
      }
      const Attempt made = attempt(*entry_, batch, http_, clock_, done);
      std::vector<Item> again_now;
      bool split = false;
      for (std::size_t i = 0; i < items.size(); ++i) {
        const Verdict& verdict = made.events[i];
        items[i].done = made.traces[i].done;
        if (verdict.action == Action::Dead) {
          *items[i].failure = verdict.reason;
        } else if (verdict.action == Action::Retry || verdict.action == Action::Hold) {
          return Failure(again(made, verdict.reason));
        } else if (verdict.action != Action::Delivered) {
          split = split || verdict.action == Action::Split;
          again_now.push_back(items[i]);
        }
      }
      items = std::move(again_now);
      if (split) {
        const auto middle = items.begin() + static_cast<std::ptrdiff_t>((items.size() + 1) / 2);
        auto first = send_events({items.begin(), middle});
        if (!first || middle == items.end()) {
          return first;
        }
        items.erase(items.begin(), middle);
      }
    }
    return {};
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

  std::shared_ptr<const destinations::Entry> entry_;
  transport::HttpClient& http_;
  const Clock& clock_;
  Ids& ids_;
};

class LinesTarget final : public ReplayTarget {
 public:
  explicit LinesTarget(std::function<void(std::string_view)> print) : print_(std::move(print)) {}
  [[nodiscard]] std::size_t max_batch() const override { return kMaxWireEvents; }
  Result<std::vector<std::string>> send(std::span<const ReplayItem> items) override {
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
