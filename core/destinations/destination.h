// SPDX-License-Identifier: MIT
// How events become requests of one kind of destination, and what its answers mean: bytes out,
// verdict in. A destination maps one event at a time; whoever sends joins the records of several
// events into one request per channel (`join.h`).
//
//     event ──map──► pieces: channel 0: records, channel 1: records …       (in order of sending)
//     records of a channel ──request──► request ──sign──► bytes ──► answer ──judge──► verdicts
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/destinations/verdict.h"
#include "core/events/event.h"
#include "core/transport/http_client.h"

namespace edge::destinations {

/// One entry of what a request carries.
struct Record {
  std::string text = {};   ///< as it stands in the body
  std::string id = {};     ///< its dedupe id, for destinations that send it beside the body
  std::size_t event = 0;   ///< which event of the batch it is of
  std::string group = {};  ///< records of different groups never share a request
};

/// One HTTP request that carries records.
struct Request {
  std::string method = "POST";
  std::string url = {};
  transport::Headers headers = {};  ///< lower-case names; without length, user agent and signature
  std::string body = {};
  std::size_t channel = 0;
  std::vector<Record> records = {};
};

/// One kind of request of a destination. Channels are sent in their order.
struct Channel {
  std::size_t max_records = 1;
  std::size_t max_bytes = 0;  ///< of the records of a request; 0 = no bound
  bool gzip = false;          ///< the body travels packed
  bool is_form = false;       ///< urlencoded instead of JSON
};

/// The records of one event for one channel.
struct Piece {
  std::size_t channel = 0;
  std::vector<Record> records = {};
};

/// What became of one event.
struct Mapped {
  enum class Kind : std::uint8_t {
    Send,
    Filtered,  ///< this destination has nothing to do with it
    Rejected,  ///< it can never be sent: dead at once
  };
  Kind kind = Kind::Send;
  std::string reason = {};
  std::vector<Piece> pieces = {};  ///< channels ascend; empty unless it is sent

  static Mapped filtered(std::string why) { return {Kind::Filtered, std::move(why), {}}; }
  static Mapped rejected(std::string why) { return {Kind::Rejected, std::move(why), {}}; }
};

/// Events per request: how many usually, and how many while a backlog is worked off.
struct BatchSize {
  std::size_t usual = 1;
  std::size_t most = 1;
};

using Answer = Result<transport::IncomingResponse>;

/// One kind of destination with its settings. Pure and immutable, so that a retry or a replay
/// months later repeats the same dedupe ids.
class Destination {
 public:
  Destination() = default;
  Destination(const Destination&) = delete;
  Destination& operator=(const Destination&) = delete;
  Destination(Destination&&) = delete;
  Destination& operator=(Destination&&) = delete;
  virtual ~Destination() = default;

  /// False: events are not routed here; what comes is chosen where it is made.
  [[nodiscard]] virtual bool takes_events() const { return true; }
  /// Whether `map` knows what to do with the news that a person's data was erased: an event with
  /// `_edge.deletion` (`{"userId","identifiers"}`).
  [[nodiscard]] virtual bool takes_deletions() const { return false; }
  [[nodiscard]] virtual BatchSize batch_size() const = 0;
  [[nodiscard]] virtual std::span<const Channel> channels() const = 0;
  /// The event as records; their `event` is 0.
  [[nodiscard]] virtual Mapped map(const events::Event& event) const = 0;
  /// A request of a channel, ready but for `sign`; at least one record.
  [[nodiscard]] virtual Request request(std::size_t channel, std::vector<Record> records) const = 0;
  /// Adds what depends on the moment of sending (signatures, `sentAt`).
  virtual void sign(Request& request, Time now) const = 0;
  /// What the answer means, one verdict per record. `now` is for dates in Retry-After.
  [[nodiscard]] virtual Judgement judge(const Request& request,
                                        const Answer& answer,
                                        Time now) const = 0;
  /// Credentials that may stand in a request outside its header fields; hidden when shown.
  [[nodiscard]] virtual std::vector<std::string> secrets() const { return {}; }
};

}  // namespace edge::destinations
