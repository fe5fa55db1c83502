// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <memory>

#include "daemon/http/pool.h"
#include "daemon/http/service.h"
#include "daemon/middleware.h"

namespace edge {

/// Takes requests from connections through the stages to their handlers (identity spec 4).
/// Thread-safe once built.
class Pipeline final : public http::Service {
 public:
  /// `chain` and `pool` live longer; the chain's ends are connected here.
  Pipeline(Chain& chain, http::Pool& pool);

  void begin(http::Exchange exchange) override;
  void handle(http::Exchange exchange) override;
  void defer(const http::Exchange& exchange, std::function<void()> job) override;
  void decorate(http::Request& request,
                const http::Route* route,
                http::Response& response) override;
  void refused(int status) override;

 private:
  void run_handler(const http::Exchange& exchange) const;
  void call(const http::Exchange& exchange) const;
  void fault(const http::Exchange& exchange, const char* what) const;

  Chain& chain_;
  http::Pool& pool_;
  metrics::CounterFamily& refused_;
  metrics::Counter& faults_;
};

}  // namespace edge
