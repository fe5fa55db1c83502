// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "core/base/result.h"
#include "daemon/http/exchange.h"

namespace edge::http {

/// A set of routes that speak one protocol and share the form of its errors (identity spec 4.5).
enum class Surface : std::uint8_t { Seed, Tracking, Odp, Agent, Ofrep, V4, S3, Sites, Console };
inline constexpr std::size_t kSurfaces = 9;

/// Where a handler runs. `OnLoop` must not block nor compute longer than 1 ms.
enum class Runs : std::uint8_t { OnLoop, OnPool };

/// Which bodies pass the body stage: `Json` refuses other content types with 415; `Any` takes all,
/// the handler looks; `Packed` takes all and leaves content codings to the handler too.
enum class Accepts : std::uint8_t { Json, Any, Packed };

/// Which CORS rule applies: the configured one of the seed API, `*` without credentials, or none at
/// all.
enum class Cors : std::uint8_t { Group, Anyone, None };

/// What a client needs to call a route: a permission `area:action`, or one of the two words below.
class Needs {
 public:
  Needs() = default;  ///< nothing declared: such a route does not start
  Needs(const char* permission)
      : text_(permission) {}  // NOLINT(google-explicit-constructor): `.needs = "kv:read"`
  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] bool is_public() const { return text_ == "public"; }
  [[nodiscard]] bool is_any_identity() const { return text_ == "any identity"; }

 private:
  std::string_view text_;
};
inline const Needs Public{"public"};  // NOLINT(readability-identifier-naming): reads as a word
inline const Needs AnyIdentity{
    "any identity"};  // NOLINT(readability-identifier-naming): reads as a word

/// Bodies of routes that name no bound of their own, and of all surfaces but the seed API.
inline constexpr std::size_t kUsualBody = std::size_t{1} << 20U;

struct RouteOptions {
  Needs needs = {};
  Runs runs = Runs::OnLoop;
  Surface surface = Surface::Seed;
  std::size_t max_body = 0;  ///< octets, after decoding; 0 = the usual bound of the surface
  Accepts accepts = Accepts::Json;
  Cors cors = Cors::Group;
  bool any_host = false;  ///< the Host check is not made (identity spec 6.3)
  bool authenticates =
      true;  ///< false: public routes that must not even look at credentials sent along
  bool answers_over_limit =
      false;  ///< rate limits do not show in its answers; the handler asks `is_over_limit`
  /// A WebSocket or event stream that browsers open without fields of their own: the token may come
  /// as sub-protocol `bearer.TOKEN`, and one of at most 300 s as query value `token`; pages of
  /// other origins need to be allowed by the CORS rules (platform spec 4.3).
  bool opens_stream = false;
  std::string_view only_with = {};  ///< only for requests that carry this field
};

using SyncHandler = std::function<Result<Response>(const Request&)>;
using AsyncHandler = std::function<void(Exchange)>;
using Handler = std::variant<SyncHandler, AsyncHandler>;

struct Route {
  std::optional<Method> method = {};  ///< nothing: any
  std::string pattern = {};
  RouteOptions options = {};
  Handler handler = {};
  std::vector<std::string> names = {};  ///< of the parameters, in order; filled in by the router
};

/// Prints a problem in the form of a surface: sets type, body and fields of `out`, whose status is
/// set already.
using ErrorPrinter = std::function<void(const Request&, const Problem&, Response& out)>;

/// What a look-up found.
struct Match {
  const Route* route = nullptr;  ///< null: no such path, or not with this method
  const Route* any = nullptr;    ///< some route of the path, whatever its method
  unsigned allowed = 0;          ///< bit per `Method` that the path knows; 0 = no such path
  bool refused = false;          ///< a parameter was not decodable, empty or a `..`
};

/// All routes. Filled at start by one thread, then immutable.
///
/// Patterns: `/a/b` literally; `/a/:name` one segment, decoded once (`%2F` stays in it); `/a/*name`
/// the rest, decoded, opaque; `/**/name` any path that ends with that segment, in any case, and has
/// no other route, but of another surface's paths only for GET. A literal segment wins over a
/// parameter, a parameter over a rest.
class Router {
 public:
  Router();
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;
  Router(Router&&) = delete;
  Router& operator=(Router&&) = delete;

  /// The bound of bodies on the seed API where a route names none; for routes added afterwards.
  void set_usual_body(std::size_t octets) { usual_body_ = octets; }
  /// What is wrong with a route is said by `check`.
  void add(Route route);
  /// Paths below these prefixes belong to `surface` when no route takes them.
  void claim(Surface surface, std::vector<std::string> prefixes);
  void print_errors_of(Surface surface, ErrorPrinter printer);

  /// Says what is wrong with the table: a route without `needs`, two equal ones, a bad pattern.
  [[nodiscard]] Result<void> check() const;

  /// Finds the route and fills `route` and `params` of the request.
  Match match(Request& request) const;
  /// The surface whose error form a path gets that has no route.
  [[nodiscard]] Surface surface_of(std::string_view path) const;
  [[nodiscard]] const ErrorPrinter& printer_of(Surface surface) const;
  [[nodiscard]] const std::vector<std::unique_ptr<Route>>& routes() const { return routes_; }

 private:
  struct Node;
  const Route* descend(const Node& node,
                       std::string_view rest,
                       Request& request,
                       Match& found) const;
  Node& ending(std::string_view name);
  static bool may_end(const Node& node, Surface owner);
  const Route* find_by_ending(Request& request, Match& found) const;

  std::vector<std::unique_ptr<Route>> routes_;
  std::vector<std::string> faults_;
  std::size_t usual_body_ = kUsualBody;
  std::unique_ptr<Node> root_;
  std::vector<std::pair<std::string, std::unique_ptr<Node>>> endings_;  // `/name` of `/**/name`
  std::unordered_map<std::string_view, const Node*> literal_;  // whole paths without parameters
  std::vector<std::pair<std::string, Surface>> claims_;        // longest prefix first
  std::array<ErrorPrinter, kSurfaces> printers_;
};

}  // namespace edge::http
