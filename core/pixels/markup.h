// SPDX-License-Identifier: MIT
// A reader of HTML that builds no tree and keeps no text: it walks once over the octets and names
// the tags and comments it meets by their places, so that who changes a mail can leave every other
// octet as it is. It follows the tokenizer of the HTML standard (WHATWG, 13.2.5) as far as tags,
// attributes, comments and the elements whose content is no markup are concerned. The places where
// it is simpler: entities are not touched, and a `<script>` ends at the first `</script`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace edge::pixels {

/// A `name="value"` of a tag. Views into the text that is read.
struct Attribute {
  std::string_view name = {};
  std::string_view value = {};  ///< without its quotes, entities as they stand
  std::size_t at = 0;           ///< where the value begins in the text
  char quote = 0;               ///< `"`, `'` or 0
};

/// One thing of a page that is not text.
struct MarkupToken {
  enum class Kind : std::uint8_t { StartTag, EndTag, Comment };
  Kind kind = Kind::Comment;
  std::string_view name = {};  ///< of a tag, as it is spelled
  std::size_t begin = 0;       ///< of its `<`
  std::size_t end = 0;         ///< behind its `>`
  std::vector<Attribute> attributes = {};

  /// Whether it is a tag of that name, in lower case.
  [[nodiscard]] bool is(Kind wanted, std::string_view lower_name) const;
  /// The first attribute of that name (lower case); later ones do not count in HTML. Null: none.
  [[nodiscard]] const Attribute* find(std::string_view lower_name) const;
};

/// Reads a text from front to back. Any octets are accepted; a tag that is not finished is none.
/// Time is linear in the text. One thread only.
class Markup {
 public:
  /// `text` must outlive the reader and its tokens.
  explicit Markup(std::string_view text) : text_(text) {}

  /// The next tag or comment; false at the end of the text.
  bool next(MarkupToken& token);

 private:
  bool read_markup(MarkupToken& token);
  bool read_comment(MarkupToken& token);
  bool read_until_greater(MarkupToken& token);
  bool read_tag(MarkupToken& token);
  bool read_attribute(MarkupToken& token);
  bool read_value(Attribute& attribute);
  void skip_raw_text(std::string_view name);
  void skip_blanks();

  std::string_view text_;
  std::size_t at_ = 0;
};

/// Whether two texts are the same but for the case of ASCII letters; `lower` is in lower case.
bool equals_lower(std::string_view text, std::string_view lower);

/// The value of an attribute with its entities replaced: the five of XML and numbers, each with its
/// semicolon. Any other text stays.
std::string attribute_text(std::string_view value);

}  // namespace edge::pixels
