// SPDX-License-Identifier: MIT
// Sending events from the command line: to the daemon over its batch route, or into the local store
// with the same loops run on this thread until idle.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/call.h"
#include "cli/option.h"
#include "core/base/result.h"
#include "core/json/document.h"

namespace edge::cli {

/// What became of the events of one run.
struct SendReport {
  struct Refusal {
    std::string message_id = {};
    std::string code = {};
    std::string message = {};
  };
  std::vector<std::string> message_ids = {};  ///< of all that were taken, in order
  std::uint64_t duplicates = 0;
  std::vector<Refusal> refusals = {};
  std::uint64_t rejected = 0;
};

/// Gathers raw events and sends them in requests within the limits of the wire. A request that is
/// too large for the daemon is sent in halves; an event that is too large alone counts as refused.
/// An event without messageId gets one here, so that a repeated request is found out. With
/// `--dry-run` all is read and nothing is sent. One thread only.
class Sender {
 public:
  explicit Sender(Call& call) : call_(call) {}

  /// Says for the events from now on what a batch says for all of its own: `envelope` is a JSON
  /// object (`context`, `integrations`, `sentAt`). Sends first what gathered under another one.
  Result<void> share(std::string envelope);
  /// Takes one raw event; sends when enough have gathered. Failure: of the daemon or the store.
  Result<void> add(json::Value event);
  /// Sends what has gathered.
  Result<void> flush();
  /// Sends the rest and, locally, lets profiles take notice and destinations have the events.
  Result<void> finish();

  [[nodiscard]] const SendReport& report() const { return report_; }

 private:
  Result<void> send(std::size_t first, std::size_t count);
  [[nodiscard]] std::string body_of(std::size_t first, std::size_t count) const;
  Result<void> send_to(Remote& daemon, std::size_t first, std::size_t count);
  Result<void> store_here(std::size_t first, std::size_t count);
  void forget();
  void refuse(std::string id, std::string code, std::string message);

  Call& call_;
  std::string envelope_ = "{}";
  std::vector<std::string> events_;
  std::vector<std::string> ids_;
  std::size_t bytes_ = 0;
  bool used_store_ = false;
  SendReport report_;
};

/// Whose events they are, at a daemon with sources.
inline constexpr Option kWriteKey{.name = "write-key",
                                  .value = "KEY",
                                  .help = "write key of the source, when the daemon wants one",
                                  .env = "EDGE_WRITE_KEY"};

/// The schema of such a report, `sent`.
inline constexpr std::string_view kSentSchema = R"({
  "type": "object",
  "required": ["schema", "messageIds", "duplicates", "rejected", "errors"],
  "properties": {
    "schema": {"const": "edge.sent/1"},
    "messageIds": {"type": "array", "items": {"type": "string"}},
    "duplicates": {"type": "integer"},
    "rejected": {"type": "integer"},
    "errors": {
      "type": "array",
      "items": {
        "type": "object",
        "required": ["messageId", "code", "message"],
        "properties": {
          "messageId": {"type": "string"},
          "code": {"type": "string"},
          "message": {"type": "string"}
        }
      }
    }
  }
})";

/// Prints the ids (or the report as JSON), refusals as notes; the exit code.
Result<int> print_report(Call& call, const SendReport& report);

/// A JSON object from `--FILE_OPTION` with the `k=v` pairs of `--PAIR_OPTION` laid over it. Either
/// name may be empty.
Result<std::string> object_from(Call& call,
                                std::string_view file_option,
                                std::string_view pair_option);

}  // namespace edge::cli
