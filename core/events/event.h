// SPDX-License-Identifier: MIT
// One event as everything behind the border sees it. Ingest writes the canonical JSON text (events
// spec 1.1) into the log; whoever reads the log takes it apart again with `Event::decode`. There is
// no second form: the text is the event, and this class is a view that finds its members once.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/json/document.h"

namespace edge::events {

/// The kinds of events; the numbers are written into the log (`kind`) and never change.
enum class Type : std::uint8_t { Track = 1, Page, Screen, Identify, Group, Alias };

/// The flag (`_edge.flags`) of events whose sender asked to stay anonymous (`SP-Anonymous: *`):
/// their anonymous id identifies nobody.
inline constexpr std::string_view kAnonymousFlag = "anonymous";
/// The flag of events that are stored, but neither folded into a profile nor forwarded: those made
/// here with `context.internal`. What a client writes there means nothing.
inline constexpr std::string_view kInternalFlag = "internal";

/// The type as it is spelled in events: `track`, `page`, …
std::string_view name_of(Type type);
/// The type of that name, letter case ignored.
std::optional<Type> type_of(std::string_view name);

/// A canonical event. Immutable; may be read by several threads. Owns its text; moving keeps all
/// views valid. A text that is absent is empty, an absent object is nothing.
class Event {
 public:
  /// Takes a canonical event apart: the body of a log record. Does not validate: members may be
  /// missing (an absent type reads as track, an absent time as 1970), so that partial events of
  /// tests and previews can be read too.
  ///
  /// Failure: InvalidArgument when the text is no JSON object or the type is unknown.
  static Result<Event> decode(std::string_view body);

  [[nodiscard]] Type type() const { return type_; }
  /// Name of a track event.
  [[nodiscard]] std::string_view event() const { return texts_[kEvent]; }
  /// Name and category of a page or screen.
  [[nodiscard]] std::string_view name() const { return texts_[kName]; }
  [[nodiscard]] std::string_view category() const { return texts_[kCategory]; }
  [[nodiscard]] std::string_view message_id() const { return texts_[kMessageId]; }
  [[nodiscard]] std::string_view user_id() const { return texts_[kUserId]; }
  [[nodiscard]] std::string_view anonymous_id() const { return texts_[kAnonymousId]; }
  [[nodiscard]] std::string_view group_id() const { return texts_[kGroupId]; }
  [[nodiscard]] std::string_view previous_id() const { return texts_[kPreviousId]; }
  /// `server`, `browser` or `mobile`.
  [[nodiscard]] std::string_view channel() const { return texts_[kChannel]; }
  /// userId, else anonymousId, else messageId: what orders events of one person.
  [[nodiscard]] std::string_view user_key() const;

  [[nodiscard]] Time timestamp() const { return timestamp_; }
  [[nodiscard]] Time received_at() const { return received_at_; }

  [[nodiscard]] std::optional<json::Value> properties() const { return properties_; }
  [[nodiscard]] std::optional<json::Value> traits() const { return traits_; }
  [[nodiscard]] std::optional<json::Value> context() const { return context_; }
  [[nodiscard]] std::optional<json::Value> integrations() const { return integrations_; }

  /// Name of the source it came from (`_edge.source`).
  [[nodiscard]] std::string_view source() const { return source_; }
  /// How many daemons forwarded it before (`_edge.hops`).
  [[nodiscard]] std::uint32_t hops() const { return hops_; }
  /// Whether `_edge.flags` holds `flag` (`skew_corrected`, `timestamp_invalid`, …).
  [[nodiscard]] bool has_flag(std::string_view flag) const;
  /// Whether it has `kInternalFlag`.
  [[nodiscard]] bool is_internal() const;
  /// `_edge` as a whole, for what has no accessor.
  [[nodiscard]] std::optional<json::Value> edge() const { return edge_; }

  /// The whole event as a JSON value, `_edge` included.
  [[nodiscard]] json::Value root() const { return document_->root(); }
  /// Its text as it stands in the log.
  [[nodiscard]] std::string_view text() const { return document_->text(); }

 private:
  enum Text {
    kEvent,
    kName,
    kCategory,
    kMessageId,
    kUserId,
    kAnonymousId,
    kGroupId,
    kPreviousId,
    kChannel,
    kTexts
  };

  explicit Event(std::unique_ptr<const json::Document> document) : document_(std::move(document)) {}
  void take(std::string_view name, json::Value value);

  std::unique_ptr<const json::Document> document_;
  Type type_ = Type::Track;
  std::array<std::string_view, kTexts> texts_{};
  Time timestamp_{};
  Time received_at_{};
  std::optional<json::Value> properties_;
  std::optional<json::Value> traits_;
  std::optional<json::Value> context_;
  std::optional<json::Value> integrations_;
  std::optional<json::Value> edge_;
  std::string_view source_;
  std::uint32_t hops_ = 0;
};

/// The event without `_edge`: what leaves the daemon. Members keep their order and their bytes.
std::string without_internals(const Event& event);

/// `YYYY-MM-DDTHH:MM:SS.sssZ`, years 0 to 9999.
std::string format_time(Time time);
/// Reads a time as spec 1.4 allows it in events: ISO 8601 in its usual spellings, or seconds or
/// milliseconds since 1970 as digits. Cut to milliseconds; 1970 to 2099.
std::optional<Time> parse_time(std::string_view text);
/// The same for a JSON number or text; any other kind: nothing.
std::optional<Time> parse_time(json::Value value);

}  // namespace edge::events
