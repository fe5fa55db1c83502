// SPDX-License-Identifier: MIT
// A narrated tour: a real daemon on temporary data, receivers that take its requests, one of which
// fails and recovers, and the commands one would type, run as they are shown.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <thread>

#include "cli/command.h"
#include "cli/tour.h"
#include "cli/tour_receivers.h"
#include "cli/typed.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kBadGateway = 502;
constexpr int kOk = 200;
constexpr const char* kPerson = "u-42";
constexpr std::array<const char*, 4> kDestinations{"segment", "amplitude", "mixpanel", "orders"};

/// Prints the story; nothing with --quiet, and where the result is data: then it is told by
/// `write`.
class Narrator {
 public:
  explicit Narrator(Call& call)
      : call_(call),
        wants_data_(call.layout().format != Format::Table || !call.layout().select.empty()) {}

  [[nodiscard]] bool wants_data() const { return wants_data_; }
  void say(std::string_view text) {
    if (!wants_data_ && !call_.quiet()) {
      call_.out().line(text);
    }
  }
  void chapter(std::string_view title) {
    const bool color = call_.layout().color;
    chapters_.push_back({.title = std::string(title)});
    say("");
    say(fmt::format(
        "{}{}. {}{}", color ? "\x1b[1m" : "", chapters_.size(), title, color ? "\x1b[0m" : ""));
  }
  /// Shows a command and what it prints; throws `Stop` when it ends with another code than
  /// `expected`.
  std::string run(const std::vector<std::string>& arguments, int expected = exit_code::kDone) {
    show_command(as_typed(arguments));
    const Said said = run_edgectl(arguments);
    if (said.exit != expected) {
      throw Stop({.error = {ErrorCode::Internal,
                            fmt::format("'{}' ended with {}", as_typed(arguments), said.exit)}});
    }
    std::string_view rest = said.out;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      say(fmt::format("     {}", rest.substr(0, end)));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return said.out;
  }
  void show_command(const std::string& typed) {
    say(fmt::format("   $ {}", typed));
    chapters_.back().commands.push_back(typed);
  }
  /// Adds `chapters`: what was shown, and the commands one would type.
  void write(json::Writer& out) const {
    out.key("chapters").begin_array();
    for (const Chapter& chapter : chapters_) {
      out.begin_object().member("title", chapter.title).key("commands").begin_array();
      for (const std::string& command : chapter.commands) {
        out.string(command);
      }
      out.end_array().end_object();
    }
    out.end_array();
  }

 private:
  struct Chapter {
    std::string title = {};
    std::vector<std::string> commands = {};
  };
  Call& call_;
  const bool wants_data_;
  std::vector<Chapter> chapters_;
};

/// What a request must not fail at.
template <typename T>
T must(Result<T> result) {
  if (!result) {
    throw Stop({.error = result.error(), .side = Side::Remote});
  }
  return *std::move(result);
}

template <typename Condition>
void wait_until(std::string_view what, const Condition& condition) {
  const auto begin = steady_clock::now();
  while (!condition()) {
    if (steady_clock::now() - begin > std::chrono::seconds(20)) {
      throw Stop(
          {.error = {ErrorCode::DeadlineExceeded, fmt::format("waited in vain for {}", what)}});
    }
    if (const int signal = Call::interruption().load(); signal != 0) {
      throw Stop({.error = {ErrorCode::Unavailable, "interrupted"}});
    }
    std::this_thread::sleep_for(milliseconds(20));
  }
}

std::int64_t dead_letters(Remote& daemon) {
  const auto answer = must(daemon.get("/cdp/dead-letters?destination=orders"));
  const auto body = json::Document::parse(answer.body, json::kEvent);
  const auto total = body ? body->root().find("total") : std::nullopt;
  return total ? total->as_int64().value_or(0) : 0;
}

void show_seed(Narrator& narrator, Remote& daemon, Time now) {
  narrator.chapter("A thousand people visit a shop");
  const auto begin = steady_clock::now();
  must(seed(daemon, now).map([] { return true; }));
  const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin);
  narrator.say(fmt::format("   20 000 events of 1 000 people accepted and on disk in {}",
                           format_duration(took)));
}

void show_pixel(Narrator& narrator, Remote& daemon) {
  narrator.chapter("A mail carries a pixel, and is opened");
  std::string url = narrator.run({"pixel",
                                  "generate",
                                  "--campaign",
                                  "summer-sale",
                                  "--recipient",
                                  kPerson,
                                  "--base-url",
                                  daemon.url(),
                                  "--as",
                                  "url"});
  url = url.substr(0, url.find('\n'));
  const auto image = must(daemon.get(url.substr(daemon.url().size())));
  narrator.say(fmt::format("   the mail program fetches it: {} {}, {} octets",
                           image.status,
                           image.header("Content-Type").value_or(""),
                           image.body.size()));
}

void show_profile(Narrator& narrator) {
  narrator.chapter("Events become a profile, and a profile has segments");
  narrator.run({"identify", "-u", kPerson, "--trait", "plan=pro", "--trait", "revenue:=12500"});
  narrator.run({"profile", "show", kPerson, "--select", "/segments"});
}

void show_decide(Narrator& narrator) {
  narrator.chapter("The shop asks which checkout this person sees");
  narrator.run({"decide",
                "new_checkout",
                "-u",
                kPerson,
                "--attr",
                "plan=pro",
                "--expect",
                "new_checkout=treatment"});
}

void show_token(Narrator& narrator) {
  narrator.chapter("A build server gets a token that is good for five minutes");
  const std::string token =
      run_edgectl({"token", "mint", "--sub", "ci", "--role", "viewer", "--ttl", "5m"}).out;
  narrator.show_command("edgectl token mint --sub ci --role viewer --ttl 5m");
  narrator.say(fmt::format("     {}…", token.substr(0, 60)));
  const std::string bare = token.substr(0, token.find('\n'));
  if (const Said said = run_edgectl({"token", "verify", bare}); said.exit != exit_code::kDone) {
    throw Stop({.error = {ErrorCode::Internal, "the token is not accepted"}});
  }
  narrator.show_command("edgectl token verify - <token    (exit 0: ours, unchanged, not expired)");
}

/// One line per request that a destination got, from number `first` on.
void show_taken(Narrator& narrator, const TourReceivers& receivers, std::size_t first) {
  for (const char* name : kDestinations) {
    const auto taken = receivers.taken_by(name);
    for (std::size_t i = first; i < taken.size(); ++i) {
      narrator.say(fmt::format("     {:<10} {:<24} {:>4} octets   answered {}",
                               name,
                               taken[i].request.substr(0, taken[i].request.find('?')),
                               taken[i].octets,
                               taken[i].status));
    }
  }
}

bool all_have(const TourReceivers& receivers, std::size_t count) {
  return std::ranges::all_of(
      kDestinations, [&](const char* name) { return receivers.taken_by(name).size() >= count; });
}

void show_forwarding(Narrator& narrator, const TourReceivers& receivers) {
  narrator.chapter("An order is forwarded to Segment, Amplitude, Mixpanel and a webhook");
  narrator.say("   (all four are played by this program, on this machine)");
  narrator.run({"track", "Order Completed", "-u", kPerson, "--prop", "revenue:=99.99"});
  wait_until("the four destinations", [&] { return all_have(receivers, 1); });
  narrator.say("   each got it in its own form:");
  show_taken(narrator, receivers, 0);
}

void show_failure(Narrator& narrator, Remote& daemon, TourReceivers& receivers) {
  narrator.chapter("The webhook breaks; the others do not notice");
  receivers.answer_orders_with(kBadGateway);
  narrator.run({"track", "Order Completed", "-u", kPerson, "--prop", "revenue:=12.50"});
  wait_until("a dead letter", [&] { return all_have(receivers, 2) && dead_letters(daemon) > 0; });
  show_taken(narrator, receivers, 1);
  narrator.say(fmt::format(
      "   the webhook answered {} to each of {} attempts; the order is kept as a dead letter",
      kBadGateway,
      receivers.taken_by("orders").size() - 1));
}

void show_replay(Narrator& narrator, Remote& daemon, TourReceivers& receivers) {
  narrator.chapter("The webhook is repaired, and nothing was lost");
  receivers.answer_orders_with(kOk);
  const std::size_t before = receivers.taken_by("orders").size();
  narrator.run({"dlq", "list"});
  narrator.run({"dlq", "retry", "--destination", "orders"});
  wait_until("the replay", [&] {
    return receivers.taken_by("orders").size() > before && dead_letters(daemon) == 0;
  });
  narrator.say(fmt::format("   the webhook answered {} and has the order; {} dead letters are left",
                           receivers.taken_by("orders").back().status,
                           dead_letters(daemon)));
  narrator.run({"destination", "list"});
}

Result<int> run_demo(Call& call) {
  Call::interruption();
  const auto begin = steady_clock::now();
  Narrator narrator(call);
  TourReceivers receivers;
  narrator.say(
      "A tour of edgectl: a daemon of its own, temporary data, nothing leaves this machine.");
  TourDaemon daemon(call, receivers.config(), static_cast<int>(call.integer("port")));
  narrator.say(fmt::format(
      "edged " EDGE_VERSION " ready in {} ms   {}", daemon.ready_after().count(), daemon.url()));
  Remote& remote = call.connect(daemon.url(), local_key());
  show_seed(narrator, remote, call.clock().now());
  show_pixel(narrator, remote);
  show_profile(narrator);
  show_decide(narrator);
  show_token(narrator);
  show_forwarding(narrator, receivers);
  show_failure(narrator, remote, receivers);
  show_replay(narrator, remote, receivers);
  const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - begin);
  narrator.say("");
  narrator.say(fmt::format("Done in {}. Next: edgectl config init, edgectl up, edgectl help",
                           format_duration(took)));
  if (call.flag("keep")) {
    daemon.keep();
    const std::string place = daemon.directory().string();
    narrator.say(
        fmt::format("The daemon goes on: XDG_RUNTIME_DIR={0} edgectl status; stop it with "
                    "XDG_RUNTIME_DIR={0} edgectl down",
                    place));
  }
  if (!narrator.wants_data()) {
    return exit_code::kDone;
  }
  json::Writer out;
  out.begin_object().member("schema", "edge.demo/1").member("url", daemon.url());
  out.member("readyMs", std::int64_t{daemon.ready_after().count()});
  narrator.write(out);
  out.member("durationMs", std::int64_t{took.count()});
  if (call.flag("keep")) {
    out.member("runtimeDirectory", daemon.directory().string());
  }
  return call.print(Document{.json = out.end_object().take()});
}

}  // namespace

void demo(Tree& tree) {
  tree.command("demo", "A narrated tour on temporary data; ends by itself")
      .in(Section::Daemon)
      .flag("keep", "leave the daemon running at the end")
      .option({.name = "port",
               .value = "PORT",
               .help = "of the daemon; 0 = any free port",
               .type = Type::Integer,
               .fallback = "0"})
      .example("demo",
               "pixel, open, profile, segment, decision, forwarding, failure, dead letter, replay")
      .output("demo",
              R"({"type":"object","required":["schema","url","readyMs","chapters","durationMs"],)"
              R"("properties":{"schema":{"const":"edge.demo/1"},"url":{"type":"string"},)"
              R"("readyMs":{"type":"integer"},"chapters":{"type":"array","items":{"type":"object",)"
              R"("required":["title","commands"]}},"durationMs":{"type":"integer"},)"
              R"("runtimeDirectory":{"type":"string"}}})")
      .exits(exit_code::kLocalResource, "no edged, or no room for it")
      .runs(run_demo);
}

}  // namespace edge::cli::commands
