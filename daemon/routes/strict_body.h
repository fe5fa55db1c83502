// SPDX-License-Identifier: MIT
// Bodies of the `/auth` and `/admin` routes: one JSON object in the strict profile (identity spec
// 4.8), whose members are all known.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace edge::routes {

/// A member that a body may have.
struct BodyMember {
  enum class Kind : std::uint8_t { Text, Texts, Flag };

  std::string_view name;
  Kind kind = Kind::Text;
  bool needed = false;
};

/// The members that were sent, of their kinds. A value.
class StrictBody {
 public:
  /// An empty body counts as `{}`. Failure: InvalidArgument with the member as field, reason
  /// `bad_json`, `duplicate_member`, `unknown_member`, `missing_member` or `invalid_argument`.
  static Result<StrictBody> read(std::string_view body, std::initializer_list<BodyMember> known);

  /// The text, empty when it was not sent.
  [[nodiscard]] const std::string& text(std::string_view name) const;
  [[nodiscard]] std::optional<std::string> sent_text(std::string_view name) const;
  [[nodiscard]] std::optional<std::vector<std::string>> sent_texts(std::string_view name) const;
  [[nodiscard]] std::optional<bool> sent_flag(std::string_view name) const;

 private:
  std::map<std::string, std::string, std::less<>> texts_;
  std::map<std::string, std::vector<std::string>, std::less<>> lists_;
  std::map<std::string, bool, std::less<>> flags_;
  friend class StrictReader;
};

}  // namespace edge::routes
