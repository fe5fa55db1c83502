// SPDX-License-Identifier: MIT
// X-Forwarded-For: whatever a client sends through a trusted proxy, the result is an address, and
// from a peer that is not trusted it is the peer's. The first octet splits the rest into two
// fields.
#include "daemon/http/forwarded.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "daemon/http/request.h"

namespace {

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using edge::http::Address;
  using edge::http::Network;
  if (size == 0) {
    return 0;
  }
  const std::string_view octets(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t split = std::min<std::size_t>(data[0], octets.size());
  edge::http::Request request;
  request.parts().fields = {{"X-Forwarded-For", octets.substr(0, split)},
                            {"X-Forwarded-Proto", octets.substr(split)},
                            {"x-forwarded-for", octets.substr(split)}};
  const Address proxy = *Address::parse("10.0.0.1");
  const Address stranger = *Address::parse("203.0.113.7");
  const std::vector<Network> trusted = {*Network::parse("10.0.0.0/8"), *Network::parse("fd00::/8")};

  const auto believed = edge::http::origin_of(request, proxy, trusted, "X-Forwarded-For");
  const auto ignored = edge::http::origin_of(request, stranger, trusted, "X-Forwarded-For");

  require(Address::parse(believed.client.text()) == believed.client);
  require(believed.forwarded && ignored.forwarded);
  require(ignored.client == stranger && !ignored.https);
  return 0;
}
