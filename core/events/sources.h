// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/config/config.h"
#include "core/events/draft.h"
#include "core/events/network.h"

namespace edge::events {

/// How many requests may come in a time; 0 requests: as many as want to.
struct Rate {
  std::uint64_t requests = 0;
  std::chrono::seconds period{1};

  bool operator==(const Rate&) const = default;
};

/// Reads `10/s`, `600/m`, `1000/h`: a number from 1 to 1,000,000, and the time. Nothing when it is
/// something else.
std::optional<Rate> read_rate(std::string_view text);

/// What sends events: an application with a write key of its own.
struct Source {
  std::string name = "default";
  std::string key = {};
  std::optional<Channel> kind = {};
  std::vector<std::string> origins = {};  ///< browser origins that may use the key; empty = any
  bool enabled = true;
  IpMode ip = IpMode::Truncate;
  Rate rate = {};  ///< whoever takes requests in counts them
};

/// The configured sources (events spec 2.2). Immutable.
class Sources {
 public:
  /// Reads `[[sources]]`. Without any, every key and none are the source `default` when
  /// `is_loopback` (all binds are), otherwise all are refused. `ip`: what is stored of addresses
  /// unless a source says otherwise.
  ///
  /// Failure: InvalidArgument that names place and member.
  static Result<Sources> read(std::span<const config::Item> items, bool is_loopback, IpMode ip);

  /// The source of the first known key. `keys`: what the request offers, in the order of its
  /// places; empty ones are skipped. `origin`: the Origin header, empty when there is none. The
  /// pointer lives as long as this object.
  ///
  /// Failure: Unauthenticated `write_key_required`, `unknown_write_key`; PermissionDenied
  /// `source_disabled`, `origin_not_allowed`.
  [[nodiscard]] Result<const Source*> find(std::span<const std::string> keys,
                                           std::string_view origin) const;
  [[nodiscard]] Result<const Source*> find(std::string_view key, std::string_view origin) const;

  /// Those of the configuration, in its order.
  [[nodiscard]] std::span<const Source> configured() const { return sources_; }

  /// What counts where no key is needed: routes that are public, commands.
  [[nodiscard]] const Source& fallback() const { return fallback_; }

 private:
  std::vector<Source> sources_;
  Source fallback_;
  bool open_ = false;
};

/// `full`, `truncate` or `none`.
std::optional<IpMode> ip_mode_of(std::string_view name);

}  // namespace edge::events
