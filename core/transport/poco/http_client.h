// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/transport/guard.h"
#include "core/transport/http_client.h"

namespace edge::transport {

class Connection;
class TlsContext;

/// Looks up all addresses of a host name; may block. Tests pass their own.
using Resolver = std::function<std::vector<IpAddress>(const std::string& host)>;
/// The system's resolver.
std::vector<IpAddress> system_resolver(const std::string& host);

/// HTTP/1.1 and HTTPS over Poco's sockets, each request through the outbound guard. Connections are
/// kept for further requests to the same place: at most eight idle ones per place, for at most 15
/// s. Thread-safe.
class PocoHttpClient final : public HttpClient {
 public:
  PocoHttpClient(GuardRules rules, const Clock& clock, Resolver resolver = system_resolver);
  PocoHttpClient(const PocoHttpClient&) = delete;
  PocoHttpClient& operator=(const PocoHttpClient&) = delete;
  PocoHttpClient(PocoHttpClient&&) = delete;
  PocoHttpClient& operator=(PocoHttpClient&&) = delete;
  ~PocoHttpClient() override;

  Result<IncomingResponse> send(const OutgoingRequest& request) override;
  void cut_off() override { cut_off_ = true; }

 private:
  struct Idle {
    std::unique_ptr<Connection> connection;
    SteadyTime since;
  };

  Result<std::unique_ptr<Connection>> connect(const OutgoingRequest& request,
                                              const Target& target,
                                              SteadyTime deadline);
  Result<std::vector<IpAddress>> resolve(const Target& target, SteadyTime deadline) const;
  std::unique_ptr<Connection> take_idle(const std::string& place);
  void keep(const std::string& place, std::unique_ptr<Connection> connection);
  const TlsContext& tls();

  const GuardRules rules_;
  const Clock& clock_;
  const Resolver resolver_;
  std::atomic<bool> cut_off_{false};
  std::once_flag tls_made_;
  std::unique_ptr<TlsContext> tls_;
  std::mutex mutex_;
  std::map<std::string, std::vector<Idle>> idle_;  // guarded by mutex_; key: scheme and authority
};

}  // namespace edge::transport
