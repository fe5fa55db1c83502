// SPDX-License-Identifier: MIT
// Stage 7: which browsers' pages of other origins may read answers (identity spec 4.3). Groups with
// a list always say `Vary: Origin`; public groups answer everyone with `*` and never with
// credentials.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>

#include "daemon/middleware.h"
#include "daemon/server_config.h"

namespace edge {
namespace {

constexpr std::string_view kPatternPrefix = "https://*.";
constexpr std::string_view kVary = "Vary: Origin\r\n";
constexpr std::string_view kVaryPreflight =
    "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers\r\n";

bool is_label(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

bool matches(std::string_view allowed, std::string_view origin) {
  if (!allowed.starts_with(kPatternPrefix)) {
    return allowed == origin;
  }
  constexpr std::string_view kScheme = "https://";
  const std::string_view suffix = allowed.substr(kPatternPrefix.size() - 1);  // ".host"
  return origin.starts_with(kScheme) && origin.ends_with(suffix) &&
         origin.size() > kScheme.size() + suffix.size() &&
         is_label(origin.substr(kScheme.size(), origin.size() - kScheme.size() - suffix.size()));
}

/// One rule with its field values built once.
struct Group {
  bool anyone = false;
  bool credentials = false;
  std::vector<std::string> origins;
  std::string expose;     // field lines for any answer to a known origin
  std::string preflight;  // field lines for preflights

  explicit Group(const CorsRule& rule)
      : anyone(rule.origins == std::vector<std::string>{"*"}),
        credentials(rule.credentials && !anyone),
        origins(rule.origins) {
    if (!rule.expose.empty()) {
      expose = fmt::format("Access-Control-Expose-Headers: {}\r\n", fmt::join(rule.expose, ", "));
    }
    preflight = fmt::format(
        "Access-Control-Allow-Methods: {}\r\nAccess-Control-Allow-Headers: "
        "{}\r\nAccess-Control-Max-Age: {}\r\n",
        fmt::join(rule.methods, ", "),
        fmt::join(rule.headers, ", "),
        rule.max_age);
  }

  /// What Access-Control-Allow-Origin says; empty: nothing.
  [[nodiscard]] std::string_view allowed(std::string_view origin) const {
    if (origin.empty()) {
      return {};
    }
    if (anyone) {
      return "*";
    }
    const bool listed =
        std::ranges::any_of(origins, [&](const auto& entry) { return matches(entry, origin); });
    return listed ? origin : std::string_view{};
  }
};

/// The groups of the seed API.
class Groups {
 public:
  explicit Groups(const std::vector<CorsRule>& rules)
      : rules_(rules), nobody_(CorsRule{}), everyone_(CorsRule{.origins = {"*"}}) {
    for (const CorsRule& rule : rules) {
      groups_.emplace_back(rule);
    }
  }

  /// Null when the request is for a surface with rules of its own.
  [[nodiscard]] const Group* of(const http::Request& request, const http::Router& router) const {
    const http::Route* route = request.parts().path_route;
    if (route == nullptr) {
      return router.surface_of(request.path()) == http::Surface::Seed
                 ? &configured(request.path(), nobody_, true)
                 : nullptr;
    }
    switch (route->options.cors) {
      case http::Cors::Group:
        return route->options.surface == http::Surface::Seed
                   ? &configured(route->pattern, nobody_, true)
                   : nullptr;
      case http::Cors::Anyone:
        return &configured(route->pattern, everyone_, false);
      case http::Cors::None:
        return nullptr;
    }
    return nullptr;
  }

 private:
  /// The first rule for a route, else `fallback`. Rules without routes count only with `unnamed`.
  [[nodiscard]] const Group& configured(std::string_view pattern,
                                        const Group& fallback,
                                        bool unnamed) const {
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      if (rules_[i].names(pattern) || (unnamed && rules_[i].routes.empty())) {
        return groups_[i];
      }
    }
    return fallback;
  }

  const std::vector<CorsRule>& rules_;
  std::vector<Group> groups_;  // of the rules, in their order
  Group nobody_;
  Group everyone_;
};

http::Response preflight_answer(const http::Request& request, const Group& group) {
  http::Response response(204);
  if (!group.anyone) {
    response.fixed_fields(kVaryPreflight);
  }
  if (group.allowed(request.header("Origin").value_or("")).empty()) {
    return response;
  }
  response.fixed_fields(group.preflight);
  const auto network = request.header("Access-Control-Request-Private-Network");
  if (!group.anyone && network == "true") {
    response.set("Access-Control-Allow-Private-Network", "true");
  }
  return response;
}

/// Whether a page may open a stream here: one of the daemon's own, or of an origin that may read
/// answers. What is no browser sends no origin.
bool may_open(const http::Request& request, const Group& group) {
  const std::string_view origin = request.header("Origin").value_or("");
  if (origin.empty() || !group.allowed(origin).empty()) {
    return true;
  }
  const std::string own = fmt::format(
      "{}://{}", request.is_https() ? "https" : "http", request.header("Host").value_or(""));
  return http::equals_ignoring_case(origin, own);
}

void add_fields(const http::Request& request, const Group& group, http::Response& response) {
  const bool is_preflight = request.method() == http::Method::Options &&
                            request.header("Access-Control-Request-Method").has_value();
  if (!group.anyone && !is_preflight) {
    response.fixed_fields(kVary);
  }
  const std::string_view origin = request.header("Origin").value_or(std::string_view{});
  const std::string_view allowed = group.allowed(origin);
  if (allowed.empty()) {
    return;
  }
  response.set("Access-Control-Allow-Origin", allowed);
  if (group.credentials) {
    response.set("Access-Control-Allow-Credentials", "true");
  }
  response.fixed_fields(group.expose);
}

}  // namespace

namespace middleware {

void cors(Chain& chain) {
  const auto groups = std::make_shared<const Groups>(chain.config.cors);
  chain.add(
      Stage::Cors, [groups, &router = chain.router](http::Exchange exchange, const Next& next) {
        const http::Request& request = exchange.request();
        const http::Route* route = exchange.state()->route;
        if (route == nullptr || !route->options.opens_stream) {
          return next(std::move(exchange));
        }
        const Group* group = groups->of(request, router);
        if (group != nullptr && !may_open(request, *group)) {
          return exchange.fail(
              http::Problem{.status = 403,
                            .code = "origin_not_allowed",
                            .detail = "pages of this origin may not open streams here: add it "
                                      "to a [[cors]] table"});
        }
        next(std::move(exchange));
      });
  chain.add(Stage::Cors,
            [groups, &router = chain.router](http::Exchange exchange, const Next& next) {
              const http::Request& request = exchange.request();
              const Group* group = nullptr;
              if (request.method() == http::Method::Options && request.header("Origin") &&
                  request.header("Access-Control-Request-Method")) {
                group = groups->of(request, router);
              }
              if (group != nullptr) {
                exchange.complete(preflight_answer(request, *group));
                return;
              }
              next(std::move(exchange));
            });
  chain.on_answer(
      Stage::Cors,
      [groups, &router = chain.router](
          http::Request& request, const http::Route* /*route*/, http::Response& response) {
        const Group* group = groups->of(request, router);
        if (group != nullptr) {
          add_fields(request, *group, response);
        }
      });
}

}  // namespace middleware
}  // namespace edge
