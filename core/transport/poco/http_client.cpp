// SPDX-License-Identifier: MIT
#include "core/transport/poco/http_client.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <strings.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <cstring>
#include <iterator>
#include <thread>

#include "core/transport/poco/connection.h"
#include "core/transport/response_reader.h"

namespace edge::transport {
namespace {

constexpr std::size_t kMaxIdlePerPlace = 8;
constexpr std::chrono::seconds kMaxIdleTime{15};
constexpr std::size_t kReadBytes = std::size_t{16} << 10U;

bool holds_line_end(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

bool is_method(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool is_framing(const std::string& name) {
  return std::ranges::any_of(
      std::array{"host", "content-length", "transfer-encoding", "connection"},
      [&](const char* known) { return strcasecmp(name.c_str(), known) == 0; });
}

/// The octets of a request.
Result<std::string> request_text(const OutgoingRequest& request, const Target& target) {
  if (!is_method(request.method)) {
    return Failure({ErrorCode::InvalidArgument, "the method is no HTTP method", "method"});
  }
  std::string text = fmt::format(
      "{} {} HTTP/1.1\r\nHost: {}\r\n", request.method, target.path, target.authority());
  for (const auto& [name, value] : request.headers) {
    const bool bad_name =
        name.empty() || name.find_first_of(": \t") != std::string::npos || holds_line_end(name);
    if (bad_name || holds_line_end(value) || is_framing(name)) {
      return Failure({ErrorCode::InvalidArgument,
                      fmt::format("the header field \"{}\" cannot be sent", bad_name ? "" : name),
                      "headers"});
    }
    fmt::format_to(std::back_inserter(text), "{}: {}\r\n", name, value);
  }
  if (!request.body.empty() || (request.method != "GET" && request.method != "HEAD")) {
    fmt::format_to(std::back_inserter(text), "Content-Length: {}\r\n", request.body.size());
  }
  text += "\r\n";
  text += request.body;
  return text;
}

/// What a look-up thread and the one who waits for it share; the thread may outlive the wait.
struct LookUp {
  std::mutex mutex;
  std::condition_variable ready;
  bool done = false;                   // guarded by mutex
  std::vector<IpAddress> addresses{};  // guarded by mutex
};

Result<IncomingResponse> exchange(Connection& connection,
                                  const std::string& text,
                                  ResponseReader& reader,
                                  const Connection::Limit& limit) {
  const Result<void> written = connection.write(text, limit);
  if (!written && written.error().code == ErrorCode::DeadlineExceeded) {
    return Failure(written.error());
  }
  // A server may answer and close before it has read everything: its answer counts.
  std::array<char, kReadBytes> buffer{};
  for (;;) {
    const Result<std::size_t> got = connection.read(buffer, limit);
    if (!got) {
      return Failure(got.error());
    }
    if (*got == 0) {
      return reader.finish().map([&] { return reader.take(); });
    }
    const Result<bool> complete = reader.feed({buffer.data(), *got});
    if (!complete) {
      return Failure(complete.error());
    }
    if (*complete) {
      return reader.take();
    }
  }
}

}  // namespace

std::vector<IpAddress> system_resolver(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) {
    return {};
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, &freeaddrinfo);
  std::vector<IpAddress> addresses;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    IpAddress address;
    if (entry->ai_family == AF_INET) {
      std::memcpy(address.octets.data(),
                  &reinterpret_cast<const sockaddr_in*>(entry->ai_addr)->sin_addr,
                  4);
    } else if (entry->ai_family == AF_INET6) {
      address.is_v6 = true;
      std::memcpy(address.octets.data(),
                  &reinterpret_cast<const sockaddr_in6*>(entry->ai_addr)->sin6_addr,
                  16);
    } else {
      continue;
    }
    addresses.push_back(address);
  }
  return addresses;
}

PocoHttpClient::PocoHttpClient(GuardRules rules, const Clock& clock, Resolver resolver)
    : rules_(std::move(rules)), clock_(clock), resolver_(std::move(resolver)) {}

PocoHttpClient::~PocoHttpClient() = default;

Result<IncomingResponse> PocoHttpClient::send(const OutgoingRequest& request) {
  const Connection::Limit limit{clock_, clock_.steady() + request.timeout, cut_off_};
  const Result<Target> target = parse_target(request.url, rules_);
  if (!target) {
    return Failure(target.error());
  }
  const Result<std::string> text = request_text(request, *target);
  if (!text) {
    return Failure(text.error());
  }
  const std::string place = (target->tls ? "https " : "http ") + target->authority();
  std::unique_ptr<Connection> connection = take_idle(place);
  if (!connection) {
    auto made = connect(request, *target, limit.at);
    if (!made) {
      return Failure(made.error());
    }
    connection = std::move(*made);
  }
  ResponseReader reader(
      request.method == "HEAD",
      {.max_body_bytes = request.max_response_bytes, .cut_body = request.cut_response});
  Result<IncomingResponse> response = exchange(*connection, *text, reader, limit);
  if (response && reader.keeps_alive()) {
    keep(place, std::move(connection));
  }
  return response;
}

Result<std::unique_ptr<Connection>> PocoHttpClient::connect(const OutgoingRequest& request,
                                                            const Target& target,
                                                            SteadyTime deadline) {
  deadline = std::min(deadline, clock_.steady() + request.connect_timeout);
  const Result<std::vector<IpAddress>> resolved = resolve(target, deadline);
  if (!resolved) {
    return Failure(resolved.error());
  }
  const Result<IpAddress> address = checked_address(target, *resolved, rules_);
  if (!address) {
    return Failure(address.error());
  }
  Result<std::unique_ptr<Connection>> made = Connection::open(
      target, *address, target.tls ? &tls() : nullptr, {clock_, deadline, cut_off_});
  // All addresses were checked, so the next ones may be tried when the first does not answer.
  for (std::size_t i = 1; !made && made.error().reason == "connect_failed" && i < resolved->size();
       ++i) {
    made = Connection::open(
        target, (*resolved)[i], target.tls ? &tls() : nullptr, {clock_, deadline, cut_off_});
  }
  return made;
}

Result<std::vector<IpAddress>> PocoHttpClient::resolve(const Target& target,
                                                       SteadyTime deadline) const {
  if (target.literal) {
    return std::vector<IpAddress>{};
  }
  const auto look_up = std::make_shared<LookUp>();
  std::thread([look_up, host = target.host, resolver = resolver_] {
    std::vector<IpAddress> found = resolver(host);
    const std::lock_guard lock(look_up->mutex);
    look_up->addresses = std::move(found);
    look_up->done = true;
    look_up->ready.notify_all();
  }).detach();
  std::unique_lock lock(look_up->mutex);
  const auto patience = std::max(deadline - clock_.steady(), SteadyTime::duration::zero());
  if (!look_up->ready.wait_for(lock, patience, [&] { return look_up->done; })) {
    return Failure({ErrorCode::Unavailable,
                    fmt::format("no address of \"{}\" in time", target.host),
                    "",
                    "dns_failed"});
  }
  return std::move(look_up->addresses);
}

std::unique_ptr<Connection> PocoHttpClient::take_idle(const std::string& place) {
  std::vector<Idle> stale;  // closed after the lock is released
  const std::lock_guard lock(mutex_);
  const auto found = idle_.find(place);
  while (found != idle_.end() && !found->second.empty()) {
    Idle last = std::move(found->second.back());
    found->second.pop_back();
    if (clock_.steady() - last.since < kMaxIdleTime && last.connection->is_quiet()) {
      return std::move(last.connection);
    }
    stale.push_back(std::move(last));
  }
  return nullptr;
}

void PocoHttpClient::keep(const std::string& place, std::unique_ptr<Connection> connection) {
  std::vector<Idle> stale;
  const std::lock_guard lock(mutex_);
  const SteadyTime now = clock_.steady();
  for (auto& [other, list] : idle_) {
    const auto fresh = std::find_if(list.begin(), list.end(), [&](const Idle& idle) {
      return now - idle.since < kMaxIdleTime;
    });
    stale.insert(
        stale.end(), std::make_move_iterator(list.begin()), std::make_move_iterator(fresh));
    list.erase(list.begin(), fresh);
  }
  std::erase_if(idle_, [](const auto& entry) { return entry.second.empty(); });
  std::vector<Idle>& list = idle_[place];
  if (list.size() < kMaxIdlePerPlace) {
    list.push_back({std::move(connection), now});
  }
}

const TlsContext& PocoHttpClient::tls() {
  std::call_once(tls_made_, [this] { tls_ = std::make_unique<TlsContext>(); });
  return *tls_;
}

}  // namespace edge::transport
