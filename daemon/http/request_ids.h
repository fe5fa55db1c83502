// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/base/random.h"

namespace edge::http {

/// Random octets taken from another source 4 KiB at a time. One thread only.
class PooledRandom final : public Random {
 public:
  explicit PooledRandom(Random& source) : source_(source) {}
  void fill(std::span<std::uint8_t> out) override;

 private:
  Random& source_;
  std::array<std::uint8_t, 4096> pool_{};
  std::size_t used_ = 4096;
};

/// True for 1 to 128 of `A-Z a-z 0-9 . _ : / + = -`.
bool is_request_id(std::string_view text);

/// True for a `traceparent` of W3C trace context: version not ff, ids in lower case and not zero;
/// versions above 00 may carry more.
bool is_trace_parent(std::string_view text);

/// Sets the request id and the trace of a request from its fields, or makes new ones (identity
/// spec 4.1).
class Request;
void identify(Request& request, Random& random);

}  // namespace edge::http
