// SPDX-License-Identifier: MIT
// OpenFeature's remote evaluation protocol (OFREP 0.3) on Optimizely's flags: what a key's value is
// and why.
//
// OpenFeature knows keys with one value each; our flags are on or off, under a variation, with
// variables. So a key is a flag, and its value the variable that the context asks for by
// `variableKey`, else the variable named `value`, else whether it is on; or a key is
// `FLAG.VARIABLE`.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/flags/datafile.h"
#include "core/flags/decide.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::flags::ofrep {

/// The error codes of the protocol, as `Error::reason`.
inline constexpr std::string_view kParseError = "PARSE_ERROR";
inline constexpr std::string_view kInvalidContext = "INVALID_CONTEXT";
inline constexpr std::string_view kTargetingKeyMissing = "TARGETING_KEY_MISSING";
inline constexpr std::string_view kFlagNotFound = "FLAG_NOT_FOUND";
inline constexpr std::string_view kGeneral = "GENERAL";

/// For whom and for which variable. Views belong to the request's document.
struct Context {
  User user = {};
  std::string_view variable = {};  ///< `variableKey`; empty: none
};

/// Reads `{"context":{"targetingKey":…}}`. The user's attributes are the other members but
/// `variableKey`.
///
/// Failure: InvalidArgument with one of the codes above.
Result<Context> read_context(json::Value body);

/// `STATIC`, `TARGETING_MATCH`, `SPLIT` or `DISABLED`.
std::string_view reason_of(const Decision& decision);

/// Evaluates keys for one context. Borrows all. One thread only.
class Evaluator {
 public:
  Evaluator(const Datafile& datafile,
            const Context& context,
            const Circumstances& circumstances = {});

  /// Appends `{"key","value","reason","variant"?,"metadata"}`.
  ///
  /// Failure: NotFound (`FLAG_NOT_FOUND`) when the key names neither a flag nor a variable of one,
  /// or the flag lacks the variable that the context asks for; InvalidArgument (`PARSE_ERROR`) when
  /// the datafile's text for the variable is no value of its type. Nothing was appended then.
  Result<void> evaluate(std::string_view key, json::Writer& out);

  /// Appends an entry for each flag in datafile order, each followed by its `FLAG.VARIABLE` entries
  /// if wanted; what fails becomes an entry with the error.
  void evaluate_all(bool with_variables, json::Writer& out);

  /// For what is to be remembered after the call.
  [[nodiscard]] const Decider& decider() const { return decider_; }

 private:
  struct Place;
  [[nodiscard]] std::optional<Place> find(std::string_view key) const;

  const Datafile& datafile_;
  const Context& context_;
  Decider decider_;
};

/// `{"key"?,"errorCode"?,"errorDetails"}`; an empty code is left out.
std::string error_body(std::optional<std::string_view> key,
                       std::string_view code,
                       std::string_view details);

/// What a datafile is known by to clients: 32 hexadecimal digits that change with its text.
std::string tag_of(const Datafile& datafile);

}  // namespace edge::flags::ofrep
