// SPDX-License-Identifier: MIT
// What a file in daemon/middleware gets: `void NAME(Chain& chain)` adds its stages.
//
// A request passes the stages in the order of the enum (identity spec 4), whatever the names of the
// files. A `Step` is on the way in; an `AnswerHook` is on the way out and sees every answer, errors
// included.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/metrics/metrics.h"
#include "daemon/http/exchange.h"
#include "daemon/http/router.h"
#include "daemon/log.h"

namespace edge {

struct ServerConfig;

/// Where in the pipeline a step stands. Up to `Body` nothing of the body has been read.
enum class Stage : std::uint8_t {
  Context,        ///< 2: ids, trace, client address
  AccessLog,      ///< 3
  Errors,         ///< 4: on the way out: problems become bodies
  SecureHeaders,  ///< 5
  HostCheck,      ///< 6
  Cors,           ///< 7: preflights end here
  Route,          ///< 8: 404, 405, OPTIONS; the route was looked up before
  ClientLimit,    ///< 9
  Authenticate,   ///< 10
  Limits,         ///< 11
  Authorize,      ///< 12
  Body,           ///< 13: the body is complete
};

class Chain;

/// The rest of the chain. Valid during the call of the step that got it; call it at most once.
class Next {
 public:
  Next(const Chain& chain, std::size_t step) : chain_(chain), step_(step) {}
  void operator()(http::Exchange exchange) const;

 private:
  const Chain& chain_;
  std::size_t step_;
};

/// Goes on with `next(std::move(exchange))` or answers the exchange. Runs on event loops, on
/// several at once.
using Step = std::function<void(http::Exchange exchange, const Next& next)>;
/// Changes an answer before it is written. Runs on the loop that writes it.
using AnswerHook =
    std::function<void(http::Request& request, const http::Route* route, http::Response& response)>;

/// The stages of the pipeline. Filled at start by one thread, then immutable.
class Chain {
 public:
  Chain(const ServerConfig& server,
        const http::Router& table,
        const Clock& time,
        Log& lines,
        metrics::Registry& registry)
      : config(server), router(table), clock(time), log(lines), metrics(registry) {}

  /// Steps of one stage run in the order they were added.
  void add(Stage stage, Step step);
  /// Hooks run from the last stage to the first.
  void on_answer(Stage stage, AnswerHook hook);

  /// Sends an exchange through the stages before the body; `accept` gets those that nobody
  /// answered.
  void enter(http::Exchange exchange) const;
  /// Sends an exchange whose body is complete through the rest; `handle` gets those that nobody
  /// answered.
  void enter_body(http::Exchange exchange) const;
  void answer(http::Request& request, const http::Route* route, http::Response& response) const;

  const ServerConfig& config;
  const http::Router& router;
  const Clock& clock;
  Log& log;
  metrics::Registry& metrics;

  std::function<void(http::Exchange)> accept;
  std::function<void(http::Exchange)> handle;

 private:
  friend class Next;
  struct Entry {
    Stage stage;
    Step step;
  };
  void run(std::size_t step, http::Exchange exchange) const;

  std::vector<Entry> steps_;                         // in the order they run
  std::size_t first_body_step_ = 0;                  // `accept` stands before it
  std::vector<std::pair<Stage, AnswerHook>> hooks_;  // in the order they run
};

namespace middleware {
/// Calls every file of daemon/middleware; written by the build.
void add_all(Chain& chain);
}  // namespace middleware

}  // namespace edge
