// SPDX-License-Identifier: MIT
// What a file in daemon/routes or daemon/protocols gets: `void NAME(Mount& mount)` adds its routes.
#pragma once

#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/metrics/metrics.h"
#include "daemon/http/exchange.h"
#include "daemon/http/request.h"
#include "daemon/http/response.h"
#include "daemon/http/router.h"
#include "daemon/lifecycle.h"

namespace edge {

class Edge;

using http::Accepts;
using http::AnyIdentity;
using http::Cors;
using http::Method;
using http::Public;
using http::RouteOptions;
using http::Runs;
using http::Surface;

/// Adds routes to the daemon. A handler takes `const http::Request&` and returns `http::Response`
/// or `Result<http::Response>`, or takes an `http::Exchange` and completes it later from any
/// thread.
class Mount {
 public:
  Mount(http::Router& router, Edge& services, metrics::Registry& registry, const Lifecycle& life)
      : edge(services), metrics(registry), lifecycle(life), router_(router) {}

  template <typename F>
  void get(std::string_view path, RouteOptions options, F&& handler) {
    add(Method::Get, path, std::move(options), std::forward<F>(handler));
  }
  template <typename F>
  void post(std::string_view path, RouteOptions options, F&& handler) {
    add(Method::Post, path, std::move(options), std::forward<F>(handler));
  }
  template <typename F>
  void put(std::string_view path, RouteOptions options, F&& handler) {
    add(Method::Put, path, std::move(options), std::forward<F>(handler));
  }
  template <typename F>
  void patch(std::string_view path, RouteOptions options, F&& handler) {
    add(Method::Patch, path, std::move(options), std::forward<F>(handler));
  }
  template <typename F>
  void del(std::string_view path, RouteOptions options, F&& handler) {
    add(Method::Delete, path, std::move(options), std::forward<F>(handler));
  }
  /// All methods; the handler looks at `request.method()`.
  template <typename F>
  void any(std::string_view path, RouteOptions options, F&& handler) {
    add(std::nullopt, path, std::move(options), std::forward<F>(handler));
  }
  /// For surfaces of their own: whose paths they are, how their errors look.
  void claim(Surface surface, std::vector<std::string> prefixes, http::ErrorPrinter printer) {
    router_.claim(surface, std::move(prefixes));
    router_.print_errors_of(surface, std::move(printer));
  }

  /// The routes cannot work as configured; the daemon does not start.
  void refuse(Error error) { problem_ = problem_ ? problem_ : std::move(error); }
  [[nodiscard]] const std::optional<Error>& problem() const { return problem_; }

  Edge& edge;
  metrics::Registry& metrics;
  const Lifecycle& lifecycle;

 private:
  template <typename F>
  void add(std::optional<Method> method, std::string_view path, RouteOptions options, F&& handler) {
    http::Handler stored;
    if constexpr (std::is_invocable_v<F&, http::Exchange> &&
                  !std::is_invocable_v<F&, const http::Request&>) {
      stored = http::AsyncHandler(std::forward<F>(handler));
    } else {
      stored = http::SyncHandler(std::forward<F>(handler));
    }
    router_.add({.method = method,
                 .pattern = std::string(path),
                 .options = std::move(options),
                 .handler = std::move(stored)});
  }

  http::Router& router_;
  std::optional<Error> problem_;
};

namespace routes {
/// Calls every file of daemon/routes; written by the build.
void mount_all(Mount& mount);
}  // namespace routes

namespace protocols {
/// Calls every file of daemon/protocols; written by the build.
void mount_all(Mount& mount);
}  // namespace protocols

}  // namespace edge
