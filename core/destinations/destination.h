// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/events/event.h"
#include "core/transport/http_client.h"

namespace edge::destinations {

/// One HTTP request that carries events.
struct Request {
  std::string method = "POST";
  std::string url = {};
  transport::Headers headers = {};  ///< lower-case names; without length, user agent and signature
  std::string body = {};
  std::vector<std::size_t> events = {};  ///< which events of the batch it carries
};

/// What became of one event of a batch.
struct Mapped {
  enum class Kind : std::uint8_t {
    Send,      ///< a request carries it
    Filtered,  ///< this destination has nothing to do with it
    Rejected,  ///< it can never be sent: dead at once
  };
  Kind kind = Kind::Send;
  std::string reason = {};
};

/// A batch as requests, to be sent in order.
struct Encoding {
  std::vector<Mapped> events = {};  ///< one per event of the batch
  std::vector<Request> requests = {};
};

/// How events become requests of one kind of destination, with its settings. Pure and immutable,
/// so that a retry or a replay months later repeats the same dedupe ids.
class Destination {
 public:
  Destination() = default;
  Destination(const Destination&) = delete;
  Destination& operator=(const Destination&) = delete;
  Destination(Destination&&) = delete;
  Destination& operator=(Destination&&) = delete;
  virtual ~Destination() = default;

  /// Greatest number of events in one `encode`.
  [[nodiscard]] virtual std::size_t max_batch() const = 0;
  [[nodiscard]] virtual Encoding encode(std::span<const events::Event* const> batch) const = 0;
  /// Adds what depends on the moment of sending (signatures).
  virtual void sign(Request& request, Time now) const = 0;
};

}  // namespace edge::destinations
