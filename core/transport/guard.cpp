// SPDX-License-Identifier: MIT
#include "core/transport/guard.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace edge::transport {
namespace {

Error denied(std::string message) {
  return {ErrorCode::PermissionDenied, std::move(message), "url", "egress_denied"};
}
Error malformed(std::string message) {
  return {ErrorCode::InvalidArgument, std::move(message), "url"};
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

/// WHATWG's "ends in a number": what some resolvers would take for an IPv4 address.
bool looks_numeric(std::string_view host) {
  const std::size_t dot = host.rfind('.');
  const std::string_view last = dot == std::string_view::npos ? host : host.substr(dot + 1);
  const bool digits =
      std::all_of(last.begin(), last.end(), [](char c) { return c >= '0' && c <= '9'; });
  return digits || last.starts_with("0x");
}

bool names_loopback(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost");
}

const Network& loopback4() {
  static const Network network = *parse_network("127.0.0.0/8");
  return network;
}
const Network& loopback6() {
  static const Network network = *parse_network("::1");
  return network;
}

bool may_reach(const IpAddress& address, const GuardRules& rules) {
  return is_global(address) ||
         std::any_of(rules.allow_private.begin(),
                     rules.allow_private.end(),
                     [&](const Network& network) { return contains(network, address); });
}

Result<void> read_host(std::string_view text, const GuardRules& rules, Target& target) {
  if (text.starts_with('[')) {
    target.literal = text.ends_with(']') ? parse_ip(text.substr(1, text.size() - 2)) : std::nullopt;
    if (!target.literal || !target.literal->is_v6) {
      return Failure(malformed("the URL's host is no IPv6 address"));
    }
    target.host = to_text(*target.literal);
    return {};
  }
  target.host = text;
  std::transform(target.host.begin(), target.host.end(), target.host.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  std::string_view name = target.host;
  name = name.ends_with('.') ? name.substr(0, name.size() - 1) : name;
  if (name.empty() || name.size() > 253 ||
      !std::all_of(name.begin(), name.end(), is_host_character)) {
    return Failure(malformed("the URL's host is no host name"));
  }
  target.literal = parse_ip(target.host);
  if (!target.literal && looks_numeric(name)) {
    return Failure(
        denied(fmt::format("the host \"{}\" is an unusual spelling of an address", name)));
  }
  if (names_loopback(name) && !may_reach(*parse_ip("127.0.0.1"), rules)) {
    return Failure(denied(fmt::format("the host \"{}\" is this machine", name)));
  }
  return {};
}

Result<void> read_authority(std::string_view text, const GuardRules& rules, Target& target) {
  if (text.find('@') != std::string_view::npos) {
    return Failure(denied("the URL holds user information"));
  }
  const std::size_t bracket = text.rfind(']');
  const std::size_t colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    const std::string_view digits = text.substr(colon + 1);
    unsigned port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc{} || end != digits.data() + digits.size() || port == 0 || port > 65535) {
      return Failure(malformed("the URL's port is not between 1 and 65535"));
    }
    target.port = static_cast<std::uint16_t>(port);
  }
  return read_host(text.substr(0, colon), rules, target);
}

}  // namespace

GuardRules GuardRules::trusted() {
  return {.allow_http = true,
          .allow_private = {*parse_network("0.0.0.0/0"), *parse_network("::/0")}};
}

void GuardRules::add_loopback() {
  allow_http = true;
  allow_private.push_back(loopback4());
  allow_private.push_back(loopback6());
}

std::string Target::authority() const {
  const std::string name = literal && literal->is_v6 ? "[" + host + "]" : host;
  return port == (tls ? 443 : 80) ? name : fmt::format("{}:{}", name, port);
}

Result<Target> parse_target(std::string_view url, const GuardRules& rules) {
  const auto is_odd = [](char c) {
    return c <= ' ' || c >= '\x7f' || c == '\\' || c == '<' || c == '>' || c == '"';
  };
  if (url.size() > 8192 || std::any_of(url.begin(), url.end(), is_odd)) {
    return Failure(malformed("the URL holds white space or characters that need percent encoding"));
  }
  Target target;
  std::string scheme(url.substr(0, std::min(url.find("://"), url.size())));
  std::transform(scheme.begin(), scheme.end(), scheme.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (scheme.size() == url.size() || (scheme != "https" && scheme != "http")) {
    return Failure(malformed("the URL does not start with https:// or http://"));
  }
  target.tls = scheme == "https";
  target.port = target.tls ? 443 : 80;
  if (!target.tls && !rules.allow_http) {
    return Failure(denied("plain http is not allowed (outbound.allow_http)"));
  }
  std::string_view rest = url.substr(scheme.size() + 3);
  rest = rest.substr(0, rest.find('#'));
  const std::size_t slash = rest.find_first_of("/?");
  if (auto read = read_authority(rest.substr(0, slash), rules, target); !read) {
    return Failure(read.error());
  }
  target.path = slash == std::string_view::npos ? "/" : std::string(rest.substr(slash));
  if (target.path.front() != '/') {
    target.path.insert(0, 1, '/');
  }
  return target;
}

Result<IpAddress> checked_address(const Target& target,
                                  std::span<const IpAddress> resolved,
                                  const GuardRules& rules) {
  if (target.literal) {
    resolved = {&*target.literal, 1};
  }
  if (resolved.empty()) {
    return Failure({ErrorCode::Unavailable,
                    fmt::format("the host \"{}\" has no address", target.host),
                    "url",
                    "dns_failed"});
  }
  for (const IpAddress& address : resolved) {
    if (!may_reach(address, rules)) {
      return Failure(denied(fmt::format("the host \"{}\" has the address {}, which is not public",
                                        target.host,
                                        to_text(address))));
    }
  }
  return resolved.front();
}

}  // namespace edge::transport
