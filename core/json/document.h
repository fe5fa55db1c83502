// SPDX-License-Identifier: MIT
// Reading JSON. One reader for everything the project takes in; what differs between its users is
// the profile (identity spec 4.8). A document owns a copy of its text; values are cheap views into
// it and die with it.
//
// How it works: simdjson finds the structural characters and checks UTF-8 (its first stage); our
// second stage walks them, checks the grammar of RFC 8259 and fills a flat array of nodes in
// document order, so that skipping a value is one addition. Numbers keep their text and are
// converted on demand; strings are unescaped once, at parse time, only when they hold a backslash.
// simdjson's own DOM is not used: it refuses 1e400, integers above 64 bits and unpaired surrogate
// escapes, and cannot count members or find duplicates.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace edge::json {

/// What a reader accepts beyond the grammar of RFC 8259 in strict UTF-8.
struct Profile {
  bool skip_bom = false;
  bool replace_surrogates = false;  ///< unpaired `\u` surrogates become U+FFFD instead of an error
  bool refuse_duplicates = false;   ///< otherwise the last of equal member names wins
  bool overflow_is_infinite = false;  ///< otherwise a number beyond a double is an error
  std::uint32_t max_depth = 1000;
  std::uint32_t max_members = 0;  ///< per object, 0 = no bound
};

inline constexpr Profile kStrict{.refuse_duplicates = true, .max_depth = 32, .max_members = 10'000};
inline constexpr Profile kApi{.max_depth = 64, .max_members = 10'000};
inline constexpr Profile kEvent{.skip_bom = true, .replace_surrogates = true};
inline constexpr Profile kDecision{.replace_surrogates = true, .overflow_is_infinite = true};

enum class Kind : std::uint8_t { Null, False, True, Number, String, Array, Object };

class Document;
class Elements;
class Members;

/// One value of a document; a view, 16 octets. Asking for the wrong kind gives nothing, never a
/// conversion.
class Value {
 public:
  [[nodiscard]] Kind kind() const;
  [[nodiscard]] bool is_null() const { return kind() == Kind::Null; }
  [[nodiscard]] bool is_bool() const { return kind() == Kind::True || kind() == Kind::False; }
  [[nodiscard]] bool is_number() const { return kind() == Kind::Number; }
  [[nodiscard]] bool is_string() const { return kind() == Kind::String; }
  [[nodiscard]] bool is_array() const { return kind() == Kind::Array; }
  [[nodiscard]] bool is_object() const { return kind() == Kind::Object; }

  [[nodiscard]] std::optional<bool> as_bool() const;
  /// Unescaped text, UTF-8; may hold NUL.
  [[nodiscard]] std::optional<std::string_view> as_string() const;
  /// Nearest double; infinite when the profile allows overflow.
  [[nodiscard]] std::optional<double> as_double() const;
  /// A number written without fraction and exponent that fits; `-0` is 0.
  [[nodiscard]] std::optional<std::int64_t> as_int64() const;
  [[nodiscard]] std::optional<std::uint64_t> as_uint64() const;

  /// The value's text exactly as received (white space inside included, outside not).
  [[nodiscard]] std::string_view raw() const;
  /// Elements of an array, members of an object (without those that a later duplicate replaced),
  /// else 0.
  [[nodiscard]] std::uint32_t size() const;
  /// The member of that name; the last one when names repeat. Nothing when this is no object.
  [[nodiscard]] std::optional<Value> find(std::string_view name) const;
  /// Follows an RFC 6901 pointer (`""` is the value itself). Nothing when the path does not exist
  /// or is no pointer.
  [[nodiscard]] std::optional<Value> at_pointer(std::string_view pointer) const;
  /// Element number `index` of an array.
  [[nodiscard]] std::optional<Value> at(std::uint32_t index) const;

  /// Ranges for loops: `for (Value v : array.elements())`, `for (auto [name, v] :
  /// object.members())`. Empty for other kinds. Members come in document order without those that a
  /// later duplicate replaced.
  [[nodiscard]] Elements elements() const;
  [[nodiscard]] Members members() const;

 private:
  friend class Document;
  friend class Elements;
  friend class Members;
  Value(const Document& document, std::uint32_t node) : document_(&document), node_(node) {}
  const Document* document_;
  std::uint32_t node_;
};

struct Member {
  std::string_view name;
  Value value;
};

class Elements {
 public:
  class Iterator {
   public:
    Value operator*() const;
    Iterator& operator++();
    bool operator!=(const Iterator& other) const { return node_ != other.node_; }

   private:
    friend class Elements;
    Iterator(const Document* document, std::uint32_t node) : document_(document), node_(node) {}
    const Document* document_;
    std::uint32_t node_;
  };
  [[nodiscard]] Iterator begin() const { return {document_, first_}; }
  [[nodiscard]] Iterator end() const { return {document_, end_}; }

 private:
  friend class Value;
  const Document* document_ = nullptr;
  std::uint32_t first_ = 0;
  std::uint32_t end_ = 0;
};

class Members {
 public:
  class Iterator {
   public:
    Member operator*() const;
    Iterator& operator++();
    bool operator!=(const Iterator& other) const { return node_ != other.node_; }

   private:
    friend class Members;
    Iterator(const Document* document, std::uint32_t node, std::uint32_t end);
    void skip_replaced();
    const Document* document_;
    std::uint32_t node_;
    std::uint32_t end_;
  };
  [[nodiscard]] Iterator begin() const { return {document_, first_, end_}; }
  [[nodiscard]] Iterator end() const { return {document_, end_, end_}; }

 private:
  friend class Value;
  const Document* document_ = nullptr;
  std::uint32_t first_ = 0;
  std::uint32_t end_ = 0;
};

/// A parsed text. Immutable; may be read by several threads. Moving keeps views valid: the content
/// lives behind one pointer (`Value`s hold the address of the document, so take them after the
/// document is where it stays).
class Document {
 public:
  /// Parses one value with nothing but white space around it. At most 4 GiB - 1.
  ///
  /// Failure: InvalidArgument with `message` "… at line L column C" and reason `bad_json`,
  /// `duplicate_member`, `too_deep`, `too_many_members` or `number_overflow`.
  static Result<Document> parse(std::string_view text, const Profile& profile);

  [[nodiscard]] Value root() const { return {*this, 0}; }
  [[nodiscard]] std::string_view text() const;
  /// Whether some member name repeats within its object, so that the text says more than the
  /// values.
  [[nodiscard]] bool has_duplicates() const { return has_duplicates_; }

 private:
  friend class Value;
  friend class Elements;
  friend class Members;
  friend class Elements::Iterator;
  friend class Members::Iterator;
  friend class Builder;

  struct Node {
    Kind kind = Kind::Null;
    bool in_arena = false;    // string text is in `arena_`, not in the source
    bool replaced = false;    // member name that a later equal name replaced
    std::uint32_t begin = 0;  // first octet of the raw text
    std::uint32_t end = 0;    // behind its last octet
    std::uint32_t content =
        0;  // strings: offset of the unescaped text; containers: number of children kept
    std::uint32_t length = 0;  // strings: its length
    std::uint32_t next = 0;    // node behind this value
  };

  [[nodiscard]] std::string_view string_of(const Node& node) const;
  static Value value_at(const Document& document, std::uint32_t node) { return {document, node}; }

  std::unique_ptr<char[]> text_;  // NOLINT(modernize-avoid-c-arrays): padded for simdjson
  std::size_t size_ = 0;
  bool has_duplicates_ = false;
  std::string arena_;
  std::vector<Node> nodes_;
};

/// Deep equality as JSON values: numbers as doubles, member order free, absent differs from null.
bool equal(Value left, Value right);

}  // namespace edge::json
