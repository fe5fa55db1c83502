// SPDX-License-Identifier: MIT
#include "daemon/http/request_ids.h"

#include <algorithm>

#include "core/base/id.h"
#include "core/encoding/hex.h"
#include "daemon/http/request.h"

namespace edge::http {
namespace {

constexpr std::size_t kMaxTraceState = 512;

bool is_lower_hex(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_zero(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

template <std::size_t N>
std::string random_hex(Random& random) {
  std::array<std::uint8_t, N> octets{};
  random.fill(octets);
  octets[0] |= 1U;  // never all zero
  return encoding::hex_encode({reinterpret_cast<const char*>(octets.data()), octets.size()});
}

}  // namespace

void PooledRandom::fill(std::span<std::uint8_t> out) {
  if (out.size() > pool_.size()) {
    source_.fill(out);
    return;
  }
  if (out.size() > pool_.size() - used_) {
    source_.fill(pool_);
    used_ = 0;
  }
  const auto begin = pool_.begin() + static_cast<std::ptrdiff_t>(used_);
  std::copy_n(begin, out.size(), out.begin());
  std::fill_n(begin, out.size(), std::uint8_t{0});
  used_ += out.size();
}

bool is_request_id(std::string_view text) {
  constexpr std::string_view kSigns = "._:/+=-";
  return !text.empty() && text.size() <= 128 && std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           kSigns.find(c) != std::string_view::npos;
  });
}

bool is_trace_parent(std::string_view text) {
  constexpr std::size_t kLength = 55;  // 2-32-16-2
  if (text.size() < kLength || text[2] != '-' || text[35] != '-' || text[52] != '-') {
    return false;
  }
  const std::string_view version = text.substr(0, 2);
  const std::string_view trace = text.substr(3, 32);
  const std::string_view parent = text.substr(36, 16);
  const bool length_fits = text.size() == kLength || (version != "00" && text[kLength] == '-');
  return length_fits && is_lower_hex(version) && version != "ff" && is_lower_hex(trace) &&
         !is_zero(trace) && is_lower_hex(parent) && !is_zero(parent) &&
         is_lower_hex(text.substr(53, 2));
}

void identify(Request& request, Random& random) {
  RequestParts& parts = request.parts();
  const auto id = request.header("X-Request-Id");
  parts.request_id = id && is_request_id(*id) ? std::string(*id) : uuid_v4(random);
  const auto parent = request.header("traceparent");
  const bool kept = parent && is_trace_parent(*parent);
  parts.trace_id = kept ? std::string(parent->substr(3, 32)) : random_hex<16>(random);
  parts.trace_parent.assign("00-").append(parts.trace_id).append("-");
  parts.trace_parent.append(random_hex<8>(random)).append("-");
  parts.trace_parent.append(kept ? parent->substr(53, 2) : "00");
  parts.trace_state.clear();
  const auto state = kept ? request.header("tracestate") : std::nullopt;
  if (state && state->size() <= kMaxTraceState) {
    parts.trace_state = *state;
  }
}

}  // namespace edge::http
