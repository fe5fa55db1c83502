// SPDX-License-Identifier: MIT
#include "core/ratelimit/report.h"

#include <algorithm>

#include "core/transport/address.h"

namespace edge::ratelimit {

void write_limit(json::Writer& out, const Limit& limit) {
  out.begin_object()
      .member("name", limit.name)
      .member("limit", limit.quota.limit)
      .member("period", std::int64_t{limit.quota.period.count()})
      .member("burst", limit.quota.at_once())
      .member("algorithm", name_of(limit.quota.algorithm))
      .key("key")
      .begin_array();
  for (const KeyPart& part : limit.key) {
    out.string(text_of(part));
  }
  out.end_array().key("routes").begin_array();
  for (const std::string& route : limit.routes) {
    out.string(route);
  }
  out.end_array().end_object();
}

void write_count(json::Writer& out,
                 const Limit& limit,
                 std::string_view key,
                 const Verdict& verdict) {
  out.begin_object()
      .member("name", limit.name)
      .member("key", key)
      .member("limit", limit.quota.limit)
      .member("remaining", verdict.remaining)
      .member("reset", verdict.reset_s)
      .end_object();
}

std::string key_text(const Limit& limit, std::string_view key) {
  const bool by_address = limit.key.size() == 1 && limit.key.front().kind == KeyPart::Kind::Address;
  auto address = by_address ? transport::parse_ip(key) : std::nullopt;
  if (!address || !address->is_v6) {
    return std::string(key);
  }
  std::fill(address->octets.begin() + 8, address->octets.end(), 0);
  return transport::to_text(*address) + "/64";
}

}  // namespace edge::ratelimit
