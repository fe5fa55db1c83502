// SPDX-License-Identifier: MIT
// How many events per second a forwarder brings from the log to a receiver that answers at once: in
// batches as Segment, Mixpanel (packed) and a webhook take them. The events lie in the embedded
// store before the clock starts; positions and counters are stored as always. 200,000 events of
// about 330 octets by 20,000 people, over loopback, receiver and sender on the same cores; the CPU
// time is that of both.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "core/delivery/forwarders.h"
#include "core/storage/open.h"
#include "core/transport/open.h"
#include "tests/support/fakes.h"

namespace {

constexpr std::size_t kEvents = 200'000;
constexpr std::size_t kPeople = 20'000;
constexpr std::size_t kPiece = 2'000;

/// Answers every request with 200 and throws its body away; one thread per connection.
class Sink {
 public:
  Sink() {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (listener_ < 0 || ::bind(listener_, generic, size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, generic, &size) != 0) {
      std::abort();
    }
    url_ = fmt::format("http://127.0.0.1:{}/", ntohs(address.sin_port));
    acceptor_ = std::thread([this] {
      for (;;) {
        const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (connection < 0) {
          return;
        }
        std::thread([this, connection] { serve(connection); }).detach();
      }
    });
  }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  Sink(Sink&&) = delete;
  Sink& operator=(Sink&&) = delete;
  ~Sink() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
  }

  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] std::size_t requests() const { return requests_; }

 private:
  void serve(int connection) {
    std::string octets;
    std::array<char, 65'536> chunk{};
    std::size_t end = 0;
    const auto more = [&] {
      const ssize_t got = ::recv(connection, chunk.data(), chunk.size(), 0);
      octets.append(chunk.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
      return got > 0;
    };
    for (;;) {
      while ((end = octets.find("\r\n\r\n")) == std::string::npos) {
        if (!more()) {
          ::close(connection);
          return;
        }
      }
      std::size_t length = 0;
      constexpr std::string_view kField = "content-length: ";
      for (std::size_t at = octets.find("\r\n"); at < end; at = octets.find("\r\n", at + 2)) {
        const std::string_view line(octets.data() + at + 2, end - at);
        if (::strncasecmp(line.data(), kField.data(), kField.size()) == 0) {
          std::from_chars(line.data() + kField.size(), line.data() + line.size(), length);
        }
      }
      while (octets.size() < end + 4 + length) {
        if (!more()) {
          ::close(connection);
          return;
        }
      }
      octets.erase(0, end + 4 + length);
      ++requests_;
      constexpr std::string_view kAnswer =
          "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"status\":1}";
      if (::send(connection, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL) < 0) {
        ::close(connection);
        return;
      }
    }
  }

  int listener_ = -1;
  std::string url_;
  std::atomic<std::size_t> requests_{0};
  std::thread acceptor_;
};

std::string event(std::size_t number) {
  return fmt::format(
      R"({{"messageId":"m-{0}","type":"track","event":"Product Viewed","userId":"user-{1}",)"
      R"("anonymousId":"device-{1}","timestamp":"{2}","context":{{"page":{{"path":"/shop/{3}",)"
      R"("url":"https://shop.example/shop/{3}"}},"locale":"de-DE"}},)"
      R"("properties":{{"price":19.9,"sku":"x-{3}","currency":"EUR"}},"integrations":{{}},)"
      R"("receivedAt":"{2}","_edge":{{"source":"bench"}}}})",
      number,
      number % kPeople,
      edge::events::format_time(edge::from_ms(1'770'000'000'000 + static_cast<int>(number) * 50)),
      number % 50);
}

/// CPU time of this program, receiver included.
double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

void must(bool good, const char* what) {
  if (!good) {
    std::fprintf(stderr, "%s\n", what);
    std::exit(1);
  }
}

void forward(const char* what, const std::string& definition_text) {
  using namespace edge;
  const test::TempDir directory;
  const SystemClock clock;
  SystemRandom random;
  auto store = storage::open("sqlite:" + (directory / "data"), {}, clock, random);
  must(store.has_value(), "no store");
  const destinations::Catalogue catalogue;
  destinations::Destinations all(**store, catalogue, {}, {});
  const auto document = json::Document::parse(definition_text, json::kEvent);
  const auto definition = destinations::read_definition(document->root(), catalogue);
  must(definition && all.load({*definition}), "a wrong definition");
  std::size_t octets = 0;
  for (std::size_t at = 0; at < kEvents; at += kPiece) {
    storage::Append append{.stream = destinations::kStream, .records = {}, .unique = false};
    for (std::size_t i = at; i < at + kPiece; ++i) {
      append.records.push_back({.source = "bench",
                                .id = fmt::format("m-{}", i),
                                .at = to_ms(clock.now()),
                                .routes = 1,
                                .user = fmt::format("user-{}", i % kPeople),
                                .body = event(i)});
      octets += append.records.back().body.size();
    }
    storage::Batch batch;
    batch.appends.push_back(std::move(append));
    must((*store)
             ->commit(std::move(batch), storage::Deadline::in(std::chrono::minutes{1}))
             .has_value(),
         "the store refuses events");
  }
  const auto http = transport::open_client(transport::GuardRules::trusted(), clock);
  metrics::Registry registry;
  delivery::Forwarders forwarders(**store, all, *http, clock, random, registry);
  const double cpu_before = cpu_seconds();
  const auto start = std::chrono::steady_clock::now();
  std::jthread runner([&](const std::stop_token& stop) { forwarders.run(stop); });
  const auto is_done = [&] {
    const auto status = forwarders.status("d");
    return status && status->delivered >= static_cast<std::int64_t>(kEvents);
  };
  while (!is_done()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%-28s %9.0f events/s   %6.2f us of CPU/event   %zu octets each\n",
              what,
              static_cast<double>(kEvents) / seconds,
              (cpu_seconds() - cpu_before) * 1e6 / static_cast<double>(kEvents),
              octets / kEvents);
}

}  // namespace

int main() {
  std::printf(
      "%u cores, %zu events, %zu people\n", std::thread::hardware_concurrency(), kEvents, kPeople);
  Sink sink;
  const auto definition = [&](const char* type, const std::string& settings) {
    return fmt::format(R"({{"id":"d","name":"d","type":"{}","config":{{"url":"{}",{}}}}})",
                       type,
                       sink.url(),
                       settings);
  };
  forward("segment, 100 in a request", definition("segment", R"("writeKey":"k")"));
  forward("mixpanel, 2000, packed", definition("mixpanel", R"("token":"k")"));
  forward("webhook, 100 in a request", definition("webhook", R"("batch":100)"));
  std::printf("%zu requests\n", sink.requests());
  return 0;
}
