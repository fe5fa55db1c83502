// SPDX-License-Identifier: MIT
// A local receiver for trying destinations and retries. The threads of the receiver decide what is
// answered and queue what came; this thread prints it.
#include "cli/commands/webhook_listen.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "cli/commands/webhook_signing.h"
#include "cli/exit_code.h"
#include "cli/problem.h"
#include "cli/webhook_receiver.h"
#include "core/base/bounded_queue.h"
#include "core/encoding/base64.h"
#include "core/encoding/utf8.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

using std::chrono::milliseconds;

constexpr int kUnauthorized = 401;
constexpr int kUnavailable = 503;
constexpr int kLastPort = 65'535;
constexpr std::size_t kMostQueued = 1'000;
constexpr milliseconds kLook{50};

/// A request that was answered.
struct Delivery {
  std::string record = {};  ///< JSON
  std::string line = {};
  bool counts = false;
};

/// What the options ask for. Immutable but for the queue, which is thread-safe.
struct Listening {
  std::optional<webhooks::Signing> signing = {};
  int respond = 200;
  double fail_rate = 0;
  milliseconds delay{0};
  const Clock& clock;
  BoundedQueue<Delivery> queue{kMostQueued};

  explicit Listening(const Clock& clock_) : clock(clock_) {}

  /// The sender's id of the message, empty when there is none. Failure: why it is not valid.
  [[nodiscard]] Result<std::string> check(const WebhookRequest& request) const {
    const auto find = [&](std::string_view name) { return request.header(name); };
    return signing ? webhooks::verify(*signing, find, request.body, clock.now())
                   : Result<std::string>(std::string(request.header("webhook-id").value_or("")));
  }

  [[nodiscard]] WebhookReceiver::Answer answer(const WebhookRequest& request) const {
    constexpr std::uint64_t kParts = 1'000'000;
    SystemRandom random;
    const bool fails = static_cast<double>(random.below(kParts)) < fail_rate * kParts;
    return {.status = !check(request) ? kUnauthorized
                      : fails         ? kUnavailable
                                      : respond,
            .delay = delay};
  }

  void note(const WebhookRequest& request, const WebhookReceiver::Answer& answer) {
    const auto checked = check(request);
    Delivery delivery{.counts = checked.has_value()};
    const std::string verdict = !signing ? "" : checked ? "ok" : checked.error().reason;
    const std::string now = format_time(clock.now());
    const auto text = [](std::string_view raw) {
      return encoding::is_utf8(raw) ? std::string(raw) : std::string("(not text)");
    };
    json::Writer out;
    out.begin_object().member("receivedAt", now).member("method", text(request.method));
    out.member("path", text(request.path)).member("status", answer.status);
    if (signing) {
      out.member("signature", verdict);
    }
    if (checked && !checked->empty()) {
      out.member("id", text(*checked));
    }
    out.key("headers").begin_object();
    for (const auto& [name, value] : request.headers) {
      out.member(text(name), text(value));
    }
    out.end_object();
    if (encoding::is_utf8(request.body)) {
      out.member("body", request.body);
    } else {
      out.member("bodyBase64", encoding::base64_encode(request.body));
    }
    delivery.record = out.end_object().take();
    delivery.line = fmt::format("{}  {} {}  {}  {} octets",
                                now,
                                text(request.method),
                                text(request.path),
                                answer.status,
                                request.body.size());
    delivery.line += verdict.empty() ? "" : "  signature " + verdict;
    delivery.line += checked && !checked->empty() ? "  " + text(*checked) : "";
    queue.try_push(std::move(delivery));  // beyond a thousand unread lines the terminal is too slow
  }
};

/// Appends records to a file that only its owner may read: bodies may hold personal data.
Result<std::unique_ptr<Output>> open_save(const std::string& path, int& descriptor) {
  descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return Failure(
        {ErrorCode::Unavailable,
         fmt::format("cannot write \"{}\": {}", path, std::generic_category().message(errno)),
         "save"});
  }
  return std::make_unique<Output>(descriptor, "");
}

Result<void> read_options(Call& call, Listening& listening) {
  const std::int64_t respond = call.integer("respond");
  const double rate = call.number("fail-rate");
  if (respond < 200 || respond > 599) {
    return Failure(usage_error("--respond must be a status from 200 to 599", "respond"));
  }
  if (!(rate >= 0 && rate <= 1)) {
    return Failure(usage_error("--fail-rate must be a share from 0 to 1", "fail-rate"));
  }
  if (call.integer("port") < 0 || call.integer("port") > kLastPort) {
    return Failure(usage_error("--port must be a number from 0 to 65535", "port"));
  }
  if (call.has("count") && call.integer("count") < 1) {
    return Failure(usage_error("--count must be at least 1", "count"));
  }
  if (call.has("verify-signature")) {
    auto signing = signing_of(call, "verify-signature");
    if (!signing) {
      return Failure(signing.error());
    }
    listening.signing = std::move(*signing);
  } else if (call.has("secret")) {
    return Failure(usage_error("--secret needs --verify-signature SCHEME", "secret"));
  }
  listening.respond = static_cast<int>(respond);
  listening.fail_rate = rate;
  listening.delay = call.duration("delay");
  return {};
}

/// Prints what comes until there was enough of it, the time is over or somebody interrupts.
struct Session {
  Call& call;
  Listening& listening;
  Output* save = nullptr;
  std::int64_t counted = 0;
  std::vector<std::string> records = {};  ///< for the formats that are one document

  [[nodiscard]] bool is_enough() const {
    return call.has("count") && counted >= call.integer("count");
  }
  void take(Delivery delivery) {
    counted += delivery.counts ? 1 : 0;
    if (save != nullptr) {
      save->line(delivery.record);
    }
    if (call.format() == Format::Table) {
      call.out().line(delivery.line);
    } else if (call.format() == Format::JsonLines) {
      call.out().line(delivery.record);
    } else {
      records.push_back(std::move(delivery.record));
    }
  }
  void run() {
    const auto& stop = Call::interruption();
    const SteadyTime end = call.clock().steady() + call.duration("for");
    while (!is_enough() && stop.load() == 0 && (!call.has("for") || call.clock().steady() < end)) {
      if (auto delivery = listening.queue.pop_for({}, kLook)) {
        take(std::move(*delivery));
      }
    }
    for (auto rest = listening.queue.try_pop(); rest && !is_enough();
         rest = listening.queue.try_pop()) {
      take(std::move(*rest));
    }
  }
  Result<int> finish() {
    if (call.format() != Format::Table && call.format() != Format::JsonLines) {
      const auto printed = call.print(Listing{.schema = "edge.webhook-requests/1",
                                              .name = "requests",
                                              .columns = {{"receivedAt", "/receivedAt"},
                                                          {"method", "/method"},
                                                          {"path", "/path"},
                                                          {"status", "/status"},
                                                          {"signature", "/signature"},
                                                          {"id", "/id"},
                                                          {"body", "/body"}},
                                              .records = std::move(records)});
      if (!printed) {
        return printed;
      }
    }
    const int signal = Call::interruption().load();
    if (call.has("count") && !is_enough()) {
      call.note(fmt::format("{} of {} requests came", counted, call.integer("count")));
    }
    return signal != 0                         ? 128 + signal
           : call.has("count") && !is_enough() ? exit_code::kNo
                                               : exit_code::kDone;
  }
};

Result<int> listen(Call& call) {
  Listening listening(call.clock());
  if (auto read = read_options(call, listening); !read) {
    return Failure(read.error());
  }
  std::unique_ptr<Output> save;
  int descriptor = -1;
  if (call.has("save")) {
    auto opened = open_save(call["save"], descriptor);
    if (!opened) {
      return Failure(opened.error());
    }
    save = std::move(*opened);
  }
  Call::interruption();
  Session session{.call = call, .listening = listening, .save = save.get()};
  {
    const auto receiver = WebhookReceiver::open(
        static_cast<int>(call.integer("port")),
        [&listening](const WebhookRequest& request) { return listening.answer(request); },
        [&listening](const WebhookRequest& request, const WebhookReceiver::Answer& answer) {
          listening.note(request, answer);
        });
    if (!receiver) {
      return call.fail({.error = receiver.error(), .hint = "edgectl webhook listen --port 0"});
    }
    call.note(fmt::format("listening on {}", (*receiver)->url("/")));
    session.run();
  }
  if (descriptor >= 0) {
    ::close(descriptor);
  }
  return session.finish();
}

}  // namespace

void declare_webhook_listen(Tree& tree) {
  with_signing(tree.command("webhook listen", "Be a receiver: print what is delivered here"),
               "verify-signature")
      .option({.name = "port",
               .value = "PORT",
               .help = "on 127.0.0.1; 0 = any free port, named on stderr",
               .type = Type::Integer,
               .fallback = "0"})
      .option({.name = "respond",
               .value = "STATUS",
               .help = "what to answer",
               .type = Type::Integer,
               .fallback = "200"})
      .option({.name = "fail-rate",
               .value = "P",
               .help = "share of requests, 0 to 1, that are answered 503 instead",
               .type = Type::Number,
               .fallback = "0"})
      .option({.name = "delay",
               .value = "DUR",
               .help = "wait before each answer",
               .type = Type::Duration,
               .fallback = "0s"})
      .option({.name = "count",
               .value = "N",
               .help = "end after so many requests",
               .type = Type::Integer})
      .option({.name = "for",
               .value = "DUR",
               .help = "end after that time",
               .type = Type::Duration,
               .fallback = "0s"})
      .option({.name = "save",
               .value = "FILE",
               .help = "append each request to FILE as a JSON line, its body as it came",
               .complete = Complete::Files})
      .about(
          "Prints one line per request. With --verify-signature a request that is not validly "
          "signed "
          "is answered 401, its line says why, and --count does not count it. Without --count and "
          "--for it goes on until it is interrupted.")
      .example("webhook listen --port 8080 --verify-signature standard --secret SHOP",
               "what does a destination send, and is it signed?")
      .example("webhook listen --port 8080 --fail-rate 0.3 --delay 200ms --count 100 --for 1m",
               "do retries work? exit 1 when fewer came")
      .output("webhook-requests",
              R"({"type":"object","required":["schema","requests"],"properties":{"schema":)"
              R"({"const":"edge.webhook-requests/1"},"requests":{"type":"array"}}})")
      .exits(exit_code::kNo, "--count was not met")
      .exits(exit_code::kLocalResource, "the port is taken")
      .see("edgectl destination")
      .runs(listen);
}

}  // namespace edge::cli::commands
