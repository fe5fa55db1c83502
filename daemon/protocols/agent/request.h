// SPDX-License-Identifier: MIT
// What the routes of Optimizely's Agent (4.x) have in common: which project a request is for, who
// may ask, reading bodies, the form of errors (decisions spec 16.1, 16.2).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/edge.h"
#include "core/json/document.h"
#include "daemon/http/exchange.h"
#include "daemon/http/router.h"
#include "daemon/protocols/agent/tokens.h"

namespace edge::protocols::agent {

using DatafilePointer = std::shared_ptr<const flags::Datafile>;

/// A request that was let in.
struct Call {
  Edge& edge;
  http::Exchange exchange;
  flags::Project& project;
  DatafilePointer datafile;  ///< usable
  std::string sdk_key;
  std::optional<json::Document> body = {};  ///< an object

  [[nodiscard]] const http::Request& request() const { return exchange.request(); }
  /// A member of the body; names are compared without regard to case, an exact one wins.
  [[nodiscard]] std::optional<json::Value> member(std::string_view name) const;
  /// All values of a query parameter, in order.
  [[nodiscard]] std::vector<std::string> query(std::string_view name) const;
  /// Answers `{"error":text}`.
  void fail(int status, std::string text) const;
  void complete(http::Response response) const { exchange.complete(std::move(response)); }
};
using CallPointer = std::shared_ptr<Call>;

/// A member of an object by its name in any case; an exact one wins, then the last.
std::optional<json::Value> find_any_case(json::Value object, std::string_view name);

/// Options of the surface. What the body stage would refuse is looked at by `admit`, in Agent's
/// order.
http::RouteOptions options();

/// Wraps what a route does: SDK key, then datafile, then token, then content type and body. `run`
/// is called for requests that passed; others are answered.
http::AsyncHandler admitting(Edge& edge,
                             std::shared_ptr<const Tokens> tokens,
                             std::function<void(const CallPointer&)> run);

/// The same for requests that must name a user: a member `userId` that is a text and not empty.
http::AsyncHandler admitting_user(Edge& edge,
                                  std::shared_ptr<const Tokens> tokens,
                                  std::function<void(const CallPointer&, std::string user)> run);

/// Errors of the surface: `{"error":text}` and a line end.
void print_problem(const http::Request& request, const http::Problem& problem, http::Response& out);

/// A problem of this surface.
http::Problem problem(int status, std::string text);

/// The user of a body; segments are added by who asked for them. Failure: InvalidArgument.
Result<flags::User> user_of(const Call& call);

inline constexpr std::string_view kBadBody = "error parsing request body";

}  // namespace edge::protocols::agent
