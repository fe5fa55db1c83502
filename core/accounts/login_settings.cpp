// SPDX-License-Identifier: MIT
#include "core/accounts/login_settings.h"

#include <array>
#include <string>

#include "core/config/keys.h"

namespace edge::accounts {
namespace {

using std::chrono::milliseconds;

struct Span {
  const char* key;
  milliseconds config::Auth::*value;
  milliseconds least;
  milliseconds most;
};
constexpr milliseconds kYear = std::chrono::hours(24 * 365);
constexpr std::array<Span, 3> kSpans = {{
    {"auth.access_ttl",
     &config::Auth::access_ttl,
     std::chrono::seconds(60),
     std::chrono::seconds(3600)},
    {"auth.session_idle", &config::Auth::session_idle, std::chrono::minutes(1), kYear},
    {"auth.session_life", &config::Auth::session_life, std::chrono::minutes(1), kYear},
}};

struct Number {
  const char* key;
  std::int64_t config::Auth::*value;
  std::int64_t least;
  std::int64_t most;
};
constexpr std::int64_t kMost = 1'000'000;
constexpr std::array<Number, 6> kNumbers = {{
    {"auth.password_memory_kib", &config::Auth::password_memory_kib, 19456, 262144},
    {"auth.password_passes", &config::Auth::password_passes, 1, 10},
    {"auth.client_failures", &config::Auth::client_failures, 1, kMost},
    {"auth.registrations_per_hour", &config::Auth::registrations_per_hour, 1, kMost},
    {"auth.refreshes_per_minute", &config::Auth::refreshes_per_minute, 1, kMost},
    {"auth.password_changes_per_hour", &config::Auth::password_changes_per_hour, 1, kMost},
}};

Error out_of_range(const char* key, const std::string& least, const std::string& most) {
  return {ErrorCode::InvalidArgument,
          std::string(key) + " must be " + least + " to " + most,
          key,
          "config_invalid"};
}

}  // namespace

LoginSettings login_settings(const config::Auth& auth) {
  using std::chrono::duration_cast;
  return {.issuer = {.issuer = auth.issuer,
                     .audience = auth.audience,
                     .access_ttl = duration_cast<std::chrono::seconds>(auth.access_ttl)},
          .cost = {.memory_kib = static_cast<std::uint32_t>(auth.password_memory_kib),
                   .passes = static_cast<std::uint32_t>(auth.password_passes)},
          .open_registration = auth.mode == "demo" || auth.registration == "open",
          .lives = {.idle = auth.session_idle, .absolute = auth.session_life},
          .limits = {.client_failures = auth.client_failures,
                     .registrations = auth.registrations_per_hour,
                     .refreshes = auth.refreshes_per_minute,
                     .password_changes = auth.password_changes_per_hour}};
}

Result<void> check_settings(const config::Auth& auth) {
  for (const Span& span : kSpans) {
    if (auth.*span.value < span.least || auth.*span.value > span.most) {
      return Failure(
          out_of_range(span.key, config::span_text(span.least), config::span_text(span.most)));
    }
  }
  for (const Number& number : kNumbers) {
    if (auth.*number.value < number.least || auth.*number.value > number.most) {
      return Failure(
          out_of_range(number.key, std::to_string(number.least), std::to_string(number.most)));
    }
  }
  return {};
}

}  // namespace edge::accounts
