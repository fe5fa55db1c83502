// SPDX-License-Identifier: MIT
#include "daemon/http/router.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/encoding/percent.h"
#include "daemon/http/problem.h"

namespace edge::http {
namespace {

constexpr unsigned kAllMethods = (1U << kMethods) - 1;

constexpr std::string_view kAnyStart = "/**";

constexpr unsigned bit(Method method) {
  return 1U << static_cast<unsigned>(method);
}

/// The first segment of a path that begins with `/`, and what follows it.
std::pair<std::string_view, std::string_view> split(std::string_view path) {
  path.remove_prefix(1);
  const std::size_t end = std::min(path.find('/'), path.size());
  return {path.substr(0, end), path.substr(end)};
}

/// `raw` decoded, in the request's memory when it had to be changed. Nothing when it cannot be
/// decoded or holds NUL.
std::optional<std::string_view> decode(std::string_view raw, RequestParts& parts) {
  if (raw.find('%') == std::string_view::npos) {
    return raw;
  }
  const auto text = encoding::percent_decode(raw);
  if (!text || text->find('\0') != std::string::npos) {
    return std::nullopt;
  }
  parts.decoded.reserve(parts.head.size());  // all parameters fit, so views never move
  const std::size_t begin = parts.decoded.size();
  parts.decoded += *text;
  return std::string_view(parts.decoded).substr(begin);
}

bool takes(const Route& route, const Request& request) {
  return route.options.only_with.empty() || request.header(route.options.only_with).has_value();
}

}  // namespace

struct Router::Node {
  std::unordered_map<std::string, std::unique_ptr<Node>> literals;
  std::unordered_map<std::string_view, Node*> by_name;  // the same, found by view
  std::unique_ptr<Node> param;
  std::unique_ptr<Node> rest;
  std::vector<const Route*> routes;  // those with `only_with` first

  Node& literal(const std::string& name) {
    const auto [place, is_new] = literals.try_emplace(name);
    if (is_new) {
      place->second = std::make_unique<Node>();
      by_name.emplace(place->first, place->second.get());
    }
    return *place->second;
  }

  /// The route of this node for the request; adds to `match` what the node knows.
  const Route* pick(const Request& request, Match& match) const {
    const Method wanted = request.method() == Method::Head ? Method::Get : request.method();
    const Route* found = nullptr;
    for (const Route* route : routes) {
      if (!takes(*route, request)) {
        continue;
      }
      match.any = match.any == nullptr ? route : match.any;
      match.allowed |= route->method ? bit(*route->method) : kAllMethods;
      const bool fits =
          !route->method || *route->method == request.method() || *route->method == wanted;
      found = found == nullptr && fits ? route : found;
    }
    return found;
  }
};

Router::Router() : root_(std::make_unique<Node>()) {
  for (std::size_t i = 0; i < kSurfaces; ++i) {
    printers_[i] = print_problem;
  }
}
Router::~Router() = default;

void Router::add(Route route) {
  routes_.push_back(std::make_unique<Route>(std::move(route)));
  Route& added = *routes_.back();
  if (added.options.max_body == 0) {
    added.options.max_body = added.options.surface == Surface::Seed ? usual_body_ : kUsualBody;
  }
  if (added.options.needs.text().empty()) {
    faults_.push_back(fmt::format("route {} does not say what it needs", added.pattern));
  }
  if (!added.pattern.starts_with('/')) {
    faults_.push_back(fmt::format("route {} does not begin with /", added.pattern));
    return;
  }
  Node* node = root_.get();
  std::string_view left = added.pattern;
  if (left.starts_with(kAnyStart)) {
    node = &ending(left.substr(kAnyStart.size()));
    left = {};
  }
  while (!left.empty()) {
    const auto [segment, following] = split(left);
    left = following;
    if (segment.starts_with('*')) {
      node->rest = node->rest ? std::move(node->rest) : std::make_unique<Node>();
      node = node->rest.get();
      added.names.emplace_back(segment.substr(1));
      left = {};
    } else if (segment.starts_with(':')) {
      node->param = node->param ? std::move(node->param) : std::make_unique<Node>();
      node = node->param.get();
      added.names.emplace_back(segment.substr(1));
    } else {
      node = &node->literal(std::string(segment));
    }
  }
  const bool is_known = std::ranges::any_of(node->routes, [&](const Route* other) {
    return other->method == added.method && other->options.only_with == added.options.only_with;
  });
  if (is_known) {
    faults_.push_back(fmt::format("route {} is there twice", added.pattern));
  }
  node->routes.push_back(&added);
  std::ranges::stable_sort(
      node->routes, {}, [](const Route* r) { return r->options.only_with.empty(); });
  if (added.names.empty() && !added.pattern.starts_with(kAnyStart)) {
    literal_.emplace(added.pattern, node);
  }
}

/// The node of all paths that end with `name`, which begins with `/`.
Router::Node& Router::ending(std::string_view name) {
  for (auto& [known, node] : endings_) {
    if (known == name) {
      return *node;
    }
  }
  endings_.emplace_back(name, std::make_unique<Node>());
  return *endings_.back().second;
}

void Router::claim(Surface surface, std::vector<std::string> prefixes) {
  for (std::string& prefix : prefixes) {
    claims_.emplace_back(std::move(prefix), surface);
  }
  std::ranges::stable_sort(
      claims_, std::ranges::greater{}, [](const auto& claim) { return claim.first.size(); });
}

void Router::print_errors_of(Surface surface, ErrorPrinter printer) {
  printers_[static_cast<std::size_t>(surface)] = std::move(printer);
}

Result<void> Router::check() const {
  if (faults_.empty()) {
    return {};
  }
  return Failure({ErrorCode::Internal, faults_.front()});
}

Match Router::match(Request& request) const {
  RequestParts& parts = request.parts();
  parts.params.clear();
  parts.decoded.clear();
  parts.route = {};
  Match found;
  const auto literal = literal_.find(parts.path);
  if (literal != literal_.end()) {
    found.route = literal->second->pick(request, found);
  }
  if (found.route == nullptr && parts.path.starts_with('/')) {
    found.route = descend(*root_, parts.path, request, found);
  }
  if (found.allowed == 0) {
    found.route = find_by_ending(request, found);
  }
  found.allowed |= (found.allowed & bit(Method::Get)) != 0 ? bit(Method::Head) : 0U;
  found.allowed |= found.allowed != 0 ? bit(Method::Options) : 0U;
  parts.path_route = found.any;
  parts.allowed = found.allowed;
  parts.bad_path = found.refused && found.route == nullptr;
  if (found.route != nullptr) {
    parts.route = found.route->pattern;
    for (std::size_t i = 0; i < parts.params.size(); ++i) {
      parts.params[i].name = found.route->names[i];
    }
  }
  return found;
}

/// Whether routes by an ending may have a path of `owner`: those that take nothing in, and all
/// where nobody claims it, which is the seed API's.
bool Router::may_end(const Node& node, Surface owner) {
  return owner == Surface::Seed || std::ranges::any_of(node.routes, [&](const Route* route) {
           return route->method == Method::Get || route->options.surface == owner;
         });
}

const Route* Router::find_by_ending(Request& request, Match& found) const {
  const std::string_view path = request.path();
  for (const auto& [name, node] : endings_) {
    if (path.size() >= name.size() &&
        equals_ignoring_case(path.substr(path.size() - name.size()), name)) {
      return may_end(*node, surface_of(path)) ? node->pick(request, found) : nullptr;
    }
  }
  return nullptr;
}

const Route* Router::descend(const Node& node,
                             std::string_view rest,
                             Request& request,
                             Match& found) const {
  if (rest.empty()) {
    return node.pick(request, found);
  }
  RequestParts& parts = request.parts();
  const auto [raw, following] = split(rest);
  const auto segment = decode(raw, parts);
  if (segment) {
    const auto child = node.by_name.find(*segment);
    const Route* route =
        child == node.by_name.end() ? nullptr : descend(*child->second, following, request, found);
    if (route != nullptr) {
      return route;
    }
  }
  if (node.param) {
    const bool is_value = segment && !segment->empty() && *segment != "." && *segment != "..";
    found.refused = found.refused || !is_value;
    if (is_value) {
      parts.params.push_back({{}, *segment});
      const Route* route = descend(*node.param, following, request, found);
      if (route != nullptr) {
        return route;
      }
      parts.params.pop_back();
    }
  }
  if (!node.rest) {
    return nullptr;
  }
  const auto value = decode(rest.substr(1), parts);
  found.refused = found.refused || !value;
  if (!value) {
    return nullptr;
  }
  parts.params.push_back({{}, *value});
  const Route* route = node.rest->pick(request, found);
  if (route == nullptr) {
    parts.params.pop_back();
  }
  return route;
}

Surface Router::surface_of(std::string_view path) const {
  for (const auto& [prefix, surface] : claims_) {
    if (path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/')) {
      return surface;
    }
  }
  return Surface::Seed;
}

const ErrorPrinter& Router::printer_of(Surface surface) const {
  return printers_[static_cast<std::size_t>(surface)];
}

}  // namespace edge::http
