// SPDX-License-Identifier: MIT
#include "cli/commands/queue_store.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "cli/remote.h"
#include "core/edge.h"
#include "core/encoding/base64.h"
#include "core/encoding/percent.h"
#include "core/json/document.h"
#include "core/json/writer.h"
#include "core/queues/report.h"

namespace edge::cli {
namespace {

using queues::PeekPage;
using queues::PeekRequest;
using queues::QueuePointer;

constexpr std::string_view kQueues = "/client/v4/accounts/local/queues";

class Here final : public QueueStore {
 public:
  explicit Here(queues::Queues& all) : queues_(all) {}

  Result<std::vector<std::string>> reports() override {
    const auto all = queues_.table.list();
    if (!all) {
      return Failure(all.error());
    }
    std::vector<std::string> reports;
    for (const QueuePointer& queue : *all) {
      const auto standing = queues_.standing(queue);
      if (!standing) {
        return Failure(standing.error());
      }
      json::Writer out;
      queues::write_report(out, *queue, *standing, std::nullopt);
      reports.push_back(out.take());
    }
    return reports;
  }
  Result<std::string> details(const std::string& name) override {
    return with<std::string>(name, [this](const QueuePointer& queue) {
      return queues_.standing(queue).map([&](const queues::Standing& standing) {
        json::Writer out;
        queues::write_details(out, *queue, standing, std::nullopt);
        return out.take();
      });
    });
  }
  Result<PeekPage> peek(const std::string& name, const PeekRequest& request) override {
    return with<PeekPage>(name,
                          [&](const QueuePointer& queue) { return queues_.peek(queue, request); });
  }
  Result<void> create(const std::string& name) override {
    return queues_.table.ensure(name).map([](const QueuePointer&) {});
  }
  Result<void> send(const std::string& name, const queues::NewMessage& message) override {
    return with<void>(name, [&](const QueuePointer& queue) {
      queues::SendRequest one;
      one.messages.push_back(message);
      return queues_.send(queue, std::move(one)).map([](const queues::Backlog&) {});
    });
  }
  Result<void> pause(const std::string& name, bool paused) override {
    return with<void>(name, [&](const QueuePointer& queue) {
      const auto change = [paused](queues::Queue& changed) {
        changed.settings.delivery_paused = paused;
        return Result<void>{};
      };
      return queues_.table.change(queue->id, change).map([](const QueuePointer&) {});
    });
  }
  Result<void> purge(const std::string& name) override {
    return with<void>(name, [this](const QueuePointer& queue) {
      return queues_.table.purge(queue->id).map([](const QueuePointer&) {});
    });
  }
  Result<void> remove(const std::string& name, const std::vector<std::string>& refs) override {
    return with<void>(name, [&](const QueuePointer& queue) {
      return queues_.purge(queue, refs).map([](const auto& /*warnings*/) {});
    });
  }
  Result<std::size_t> revive(const std::string& name) override {
    return with<std::size_t>(name,
                             [this](const QueuePointer& queue) { return queues_.revive(queue); });
  }

 private:
  template <typename T, typename Use>
  Result<T> with(const std::string& name, const Use& use) {
    const auto queue = queues_.table.find(name);
    return queue ? use(*queue) : Result<T>(Failure(queue.error()));
  }

  queues::Queues& queues_;
};

/// Speaks Cloudflare's API with a daemon, and the daemon's own where that has no words.
class There final : public QueueStore {
 public:
  explicit There(Remote& daemon) : daemon_(daemon) {}

  Result<std::vector<std::string>> reports() override {
    const auto body = read(daemon_.get("/api/queues"));
    const auto list = body ? body->root().find("queues") : std::nullopt;
    if (!list) {
      return Failure(body ? not_readable() : body.error());
    }
    std::vector<std::string> reports;
    for (const json::Value queue : list->elements()) {
      reports.emplace_back(queue.raw());
    }
    return reports;
  }
  Result<std::string> details(const std::string& name) override {
    return named(name, daemon_.get("/api/queues/" + encoding::percent_encode(name)))
        .map([](const transport::IncomingResponse& answer) { return answer.body; });
  }
  Result<PeekPage> peek(const std::string& name, const PeekRequest& request) override {
    json::Writer out;
    out.begin_object().member("batch_size", std::uint64_t{request.batch_size});
    out.member("cursor", request.cursor).member("ready", request.ready).end_object();
    const auto body = read(named(name, daemon_.post(path(name, "/messages/peek"), out.take())));
    const auto list = body ? body->root().at_pointer("/result/messages") : std::nullopt;
    const auto cursor = body ? body->root().at_pointer("/result/cursor") : std::nullopt;
    if (!list || !cursor) {
      return Failure(body ? not_readable() : body.error());
    }
    PeekPage page{.next = std::string(cursor->as_string().value_or(""))};
    for (const json::Value message : list->elements()) {
      auto peeked = peeked_of(message);
      if (!peeked) {
        return Failure(not_readable());
      }
      page.messages.push_back(std::move(*peeked));
    }
    return page;
  }
  Result<void> create(const std::string& name) override {
    json::Writer out;
    out.begin_object().member("queue_name", name).end_object();
    const auto made = daemon_.post(std::string(kQueues), out.take());
    return made || made.error().code == ErrorCode::Conflict ? Result<void>{}
                                                            : Failure(made.error());
  }
  Result<void> send(const std::string& name, const queues::NewMessage& message) override {
    json::Writer out;
    out.begin_object().member("content_type", queues::name_of(message.type));
    write_body(out.key("body"), message.type, message.body);
    if (message.delay) {
      out.member("delay_seconds", *message.delay);
    }
    return done(named(name, daemon_.post(path(name, "/messages"), out.end_object().take())));
  }
  Result<void> pause(const std::string& name, bool paused) override {
    json::Writer out;
    out.begin_object().key("settings").begin_object().member("delivery_paused", paused);
    out.end_object().end_object();
    return done(named(name, daemon_.send("PATCH", path(name), out.take())));
  }
  Result<void> purge(const std::string& name) override {
    return done(
        named(name, daemon_.post(path(name, "/purge"), R"({"delete_messages_permanently":true})")));
  }
  Result<void> remove(const std::string& name, const std::vector<std::string>& refs) override {
    json::Writer out;
    out.begin_object().key("refs").begin_array();
    for (const std::string& ref : refs) {
      out.begin_object().member("ref", ref).end_object();
    }
    out.end_array().end_object();
    return done(named(name, daemon_.post(path(name, "/messages/purge"), out.take())));
  }
  Result<std::size_t> revive(const std::string& name) override {
    const auto body = read(named(
        name,
        daemon_.post(fmt::format("/api/queues/{}/revive", encoding::percent_encode(name)), {})));
    const auto count = body ? body->root().find("revived") : std::nullopt;
    return count ? Result<std::size_t>(count->as_uint64().value_or(0))
                 : Failure(body ? not_readable() : body.error());
  }

 private:
  using Answer = Result<transport::IncomingResponse>;

  static Error not_readable() {
    return {ErrorCode::Internal, "the daemon's answer cannot be read"};
  }
  static std::string path(const std::string& name, std::string_view behind = {}) {
    return fmt::format("{}/{}{}", kQueues, encoding::percent_encode(name), behind);
  }
  /// What has no queue is told as the local store tells it.
  static Answer named(const std::string& name, Answer answer) {
    if (!answer && answer.error().code == ErrorCode::NotFound) {
      return Failure(queues::queue_not_found(name));
    }
    return answer;
  }
  static Result<void> done(const Answer& answer) {
    return answer ? Result<void>{} : Failure(answer.error());
  }
  static Result<json::Document> read(const Answer& answer) {
    return answer ? json::Document::parse(answer->body, json::kEvent) : Failure(answer.error());
  }
  static std::string text(json::Value object, std::string_view pointer) {
    const auto value = object.at_pointer(pointer);
    return std::string(value ? value->as_string().value_or("") : "");
  }
  static std::optional<queues::Peeked> peeked_of(json::Value object) {
    const auto type = queues::content_type_of(text(object, "/metadata/CF-Content-Type"));
    const auto timestamp = object.find("timestamp_ms");
    const auto attempts = object.find("attempts");
    auto body = std::optional(text(object, "/body"));
    if (type && *type != queues::ContentType::Text) {
      body = encoding::base64_decode(*body);
    }
    if (!type || !timestamp || !attempts || !body) {
      return std::nullopt;
    }
    queues::Message message{.id = text(object, "/id"),
                            .body = std::move(*body),
                            .type = *type,
                            .timestamp = timestamp->as_int64().value_or(0)};
    message.attempts = static_cast<std::uint32_t>(attempts->as_uint64().value_or(0));
    message.source = text(object, "/metadata/CF-dead-letter-source");
    const std::string dead = text(object, "/metadata/CF-dead-letter-attempts");
    std::from_chars(dead.data(), dead.data() + dead.size(), message.dead_attempts);
    return queues::Peeked{std::move(message), text(object, "/ref")};
  }

  Remote& daemon_;
};

}  // namespace

std::unique_ptr<QueueStore> open_queues(Call& call, Call::Access access) {
  if (Remote* daemon = call.running_daemon()) {
    return std::make_unique<There>(*daemon);
  }
  return std::make_unique<Here>(call.edge(access).queues);
}

std::string text_in_report(const std::string& report, std::string_view member) {
  const auto document = json::Document::parse(report, json::kApi);
  const auto value = document ? document->root().find(member) : std::nullopt;
  return std::string(value ? value->as_string().value_or("") : "");
}

void write_body(json::Writer& out, queues::ContentType type, const std::string& body) {
  switch (type) {
    case queues::ContentType::Json:
      out.raw(body);
      break;
    case queues::ContentType::Text:
      out.string(body);
      break;
    case queues::ContentType::Bytes:
      out.string(encoding::base64_encode(body));
      break;
  }
}

}  // namespace edge::cli
