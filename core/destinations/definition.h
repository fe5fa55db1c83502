// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/destinations/catalogue.h"
#include "core/events/network.h"

namespace edge::destinations {

/// When and how often a delivery is tried again (events spec 8.2).
struct RetryPolicy {
  std::chrono::milliseconds base{2'000};
  std::chrono::milliseconds cap{600'000};
  std::chrono::milliseconds max_age{86'400'000};
  std::uint32_t max_attempts = 0;              ///< 0 = no bound
  std::chrono::milliseconds throttle{30'000};  ///< throttled events wait
  std::chrono::milliseconds probe{300'000};    ///< between probes while the credentials are refused

  bool operator==(const RetryPolicy&) const = default;
};

/// Names that may pass. An empty `allow` admits all that are not denied.
struct Lists {
  std::vector<std::string> allow = {};
  std::vector<std::string> deny = {};

  [[nodiscard]] bool admits(std::string_view name) const;
  bool operator==(const Lists&) const = default;
};

enum class Ordering : std::uint8_t { User, None };

/// A destination as somebody configured it (events spec 7.1).
struct Definition {
  std::string id = {};    ///< 1 to 64 of letters, digits, `_`, `-`, `.`
  std::string name = {};  ///< 1 to 100 characters
  std::string type = {};
  bool enabled = true;
  std::string config = "{}";  ///< settings of the type, JSON text
  std::vector<std::string> consent = {};
  std::string filter = {};                ///< an expression over the event; empty = all pass
  std::optional<events::IpMode> ip = {};  ///< what it gets of addresses; unset: `privacy.ip`
  Lists types = {};
  Lists events = {};
  RetryPolicy retry = {};
  double rate = 0;  ///< requests per second, 0 = no bound
  std::uint32_t concurrency = 4;
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds timeout{15'000};
  std::chrono::milliseconds linger{0};
  Ordering ordering = Ordering::User;

  bool operator==(const Definition&) const = default;
};

/// `50`, `"50/s"` or `"30/m"` as how many a second, at most a million; nothing for other values.
std::optional<double> rate_of(json::Value value);

/// Reads a definition: of `POST /cdp/destinations`, of `[[destinations]]`, or as `write_definition`
/// wrote it. Settings of the type may stand beside the others instead of in `config`; a top-level
/// `secret` names the secret that holds the type's key. Without an id, the name in lower case with
/// other characters as `-` is the id. Members that are missing keep what `base` has (`PATCH`),
/// those that are null are as in a new definition. `present`: the definition that is changed,
/// `base` unless given: its id stays, and masks that it was shown with stand for what it has.
///
/// Failure: InvalidArgument with `field`; reason `missing_fields` when name or type is missing.
Result<Definition> read_definition(json::Value json,
                                   const Catalogue& catalogue,
                                   Definition base = {},
                                   const Definition* present = nullptr);

/// Whether `name` is a setting that every kind of destination has, and not one of its type.
bool is_common_setting(std::string_view name);

/// The members of a definition, into an open object. With `masked`, secrets show as `(set)`.
void write_definition(json::Writer& out,
                      const Definition& definition,
                      const Catalogue& catalogue,
                      bool masked);

}  // namespace edge::destinations
