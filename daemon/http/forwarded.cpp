// SPDX-License-Identifier: MIT
#include "daemon/http/forwarded.h"

#include <algorithm>
#include <array>
#include <optional>

#include "daemon/http/request.h"

namespace edge::http {
namespace {

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// An entry of X-Forwarded-For: an address, perhaps with a port.
std::optional<Address> read_entry(std::string_view text) {
  if (text.starts_with('[')) {
    return Address::parse(text.substr(1, text.find(']') - 1));
  }
  if (std::ranges::count(text, ':') == 1) {
    text = text.substr(0, text.find(':'));
  }
  return Address::parse(text);
}

bool is_trusted(const Address& address, const std::vector<Network>& trusted) {
  return std::ranges::any_of(trusted,
                             [&](const Network& network) { return network.holds(address); });
}

/// Follows one list from the right; false when the client was found or an entry is unreadable.
bool walk(std::string_view list, const std::vector<Network>& trusted, Address& client) {
  while (!list.empty()) {
    const std::size_t comma = list.rfind(',');
    const std::string_view entry =
        trim(comma == std::string_view::npos ? list : list.substr(comma + 1));
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(0, comma);
    if (entry.empty()) {
      continue;
    }
    const auto address = read_entry(entry);
    if (!address) {
      return false;
    }
    client = *address;
    if (!is_trusted(*address, trusted)) {
      return false;
    }
  }
  return true;
}

}  // namespace

Origin origin_of(const Request& request,
                 const Address& peer,
                 const std::vector<Network>& trusted,
                 std::string_view header) {
  constexpr std::array<std::string_view, 5> kForwarding = {
      "Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "CF-Connecting-IP"};
  Origin origin{.client = peer};
  origin.forwarded = std::ranges::any_of(request.headers(), [&](const Field& field) {
    return std::ranges::any_of(kForwarding,
                               [&](auto name) { return equals_ignoring_case(field.name, name); });
  });
  if (!origin.forwarded || !is_trusted(peer, trusted)) {
    return origin;
  }
  const auto scheme = request.header("X-Forwarded-Proto");
  origin.https = scheme && equals_ignoring_case(*scheme, "https");
  // Fields of one name are one list (RFC 9110 section 5.3): a proxy may add a field of its own
  // behind the one that its client made up.
  const auto fields = request.headers();
  for (auto field = fields.rbegin(); field != fields.rend(); ++field) {
    if (equals_ignoring_case(field->name, header) && !walk(field->value, trusted, origin.client)) {
      break;
    }
  }
  return origin;
}

}  // namespace edge::http
