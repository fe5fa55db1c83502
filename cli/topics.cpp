// SPDX-License-Identifier: MIT
#include "cli/topics.h"

#include <fmt/format.h>

#include <array>

#include "cli/exit_code.h"
#include "cli/help.h"
#include "cli/option.h"
#include "core/config/keys.h"

namespace edge::cli {
namespace {

std::string environment_text() {
  std::string text = "Variables\n";
  for (const Variable& variable : environment_variables()) {
    text += fmt::format("  {:<24}{}\n", variable.name, variable.meaning);
  }
  text += "\nSettings of edge.toml\n";
  for (const config::Key& key : config::keys()) {
    text += fmt::format("  {:<32}{}\n", config::variable_of(key), key.name);
  }
  return text;
}

std::string exit_codes_text() {
  std::string text;
  for (const ExitNote& note : exit_codes()) {
    text += fmt::format("{:>5}  {}\n", note.code, note.note);
  }
  return text;
}

std::string errors_text() {
  constexpr std::array<ErrorCode, 10> kCodes = {ErrorCode::InvalidArgument,
                                                ErrorCode::Unauthenticated,
                                                ErrorCode::PermissionDenied,
                                                ErrorCode::NotFound,
                                                ErrorCode::Conflict,
                                                ErrorCode::TooLarge,
                                                ErrorCode::RateLimited,
                                                ErrorCode::Unavailable,
                                                ErrorCode::DeadlineExceeded,
                                                ErrorCode::Internal};
  std::string text =
      "With --format json an error is one object on standard error:\n\n"
      "  {\"error\":{\"code\":\"not_found\",\"exit\":5,\"message\":\"…\",\"hint\":\"…\"}}\n\n"
      "A code more precise than these may stand in its place, with the same exit code; the HTTP "
      "API uses the\n"
      "same codes.\n\nCODE                EXIT\n";
  for (const ErrorCode code : kCodes) {
    text += fmt::format("{:<20}{}\n", name_of(code), exit_code_of({code}));
  }
  text += fmt::format("{:<20}{}\n", kUsageReason, exit_code::kUsage);
  return text +
         "\nunavailable is 9 for a local resource and 7 when a server said it; internal likewise "
         "70 and 7.\n";
}

std::string expressions_text() {
  return R"(An expression is true, false or undecided; only true counts. What is missing is undecided: to find
people without a plan too, write   not exists plan or plan != "pro"

  or < and < not < comparison, parentheses as usual

Comparisons   PATH OP VALUE
  = == != < <= > >=                      texts with texts, numbers with numbers
  contains starts_with ends_with         texts; contains also the elements of a list
  in [A, B]    not in [A, B]
  exists PATH  PATH exists
  before after                           a time such as 2026-03-01T00:00:00Z
  within_last within_next older_than beyond_next        a span such as 7d, seen from now
  semver_eq semver_lt semver_le semver_gt semver_ge     versions
  ... ignore_case                        behind the value of a text comparison
  PATH ~ "REGEX"                         in filters of this program (replay, dlq retry) only

Values        "text"  'text'  bare_word  42  -1.5  true  30d  [1, 2]
Spans         digits and ms, s, m, h, d or w
Paths         a trait, dotted into objects; `any name` in backticks
              profile.sessionCount  profile.eventCount  profile.daysSinceFirstSeen
              profile.daysSinceLastSeen  profile.firstSeen  profile.lastSeen  profile.groups
              identifier.email  identifier.user_id ...
              in filters of events: from the event's root, properties.plan, context.page.url

Events        in segments; SEL is "Name", *, ["A", "B"], page("Name"), screen("Name"),
              identify(), group(), any(), each with   , where: EXPR
  count(SEL, 30d) >= 3                   in the last 30 days
  count(SEL, 90d, 30d) = 0               90 to 30 days ago
  count(SEL, since: TIME, until: TIME) > 1
  count(SEL, 30d, where: currency == "EUR" and context.campaign.name exists) > 0
  did(SEL, 1d)                           count of at least one
  sum|avg|min|max|unique|first|last(SEL, "property", 90d) > 500
  last_seen(SEL) > 7d
  seq("Cart Viewed", "Order Completed", max: 1h, 7d)    in this order
  seq("Cart Viewed", not "Order Completed", max: 1h)    and then not
  segment("name")                        in another segment
)";
}

std::string formats_text() {
  return R"(-f table   aligned columns on a terminal, tab-separated with a header line elsewhere (the default)
-f json    one document with a member "schema": "edge.NAME/1"; edgectl schema NAME describes it
-f jsonl   one record per line
-f csv     RFC 4180 with a header; nested values as JSON
-f tsv     the same with tabs; tabs and line ends in values are \t and \n

--select PTR prints what an RFC 6901 pointer names in the JSON result, scalars bare; several make one TSV line
per record. Times are RFC 3339 in UTC. An unknown value is left out, a known empty one is null.

Values on the command line
  DUR    500ms 10s 5m 2h 7d, sums 1h30m
  TIME   2026-01-31T08:00:00Z, seconds (10 digits), milliseconds (13 digits), now, -10m
  SIZE   512, 64KiB, 10MiB
  RATE   500/s, 30/m
  KV     key=text, key:=JSON, key=@FILE; plan=42 is the text "42", plan:=42 the number
)";
}

std::string config_text() {
  std::string text =
      "edge.toml is looked for at --config, EDGE_CONFIG, in this directory and its parents up to a "
      ".git,\n"
      "in $XDG_CONFIG_HOME/edgectl and /etc/edgectl; the first found is used alone. A flag wins "
      "over the\n"
      "environment, that over [env.NAME], that over the file, that over the default.\n\n";
  const config::Config defaults;
  for (const config::Key& key : config::keys()) {
    text += fmt::format("{} = {}\n    {}\n", key.name, config::value_text(key, defaults), key.help);
  }
  for (const config::List& list : config::lists()) {
    text += fmt::format("[[{}]]\n    {}\n", list.name, list.help);
  }
  return text;
}

}  // namespace

const std::vector<Topic>& topics() {
  static const std::vector<Topic> kTopics = {
      {"config", "every key of edge.toml", config_text},
      {"environment", "every variable", environment_text},
      {"errors", "error codes", errors_text},
      {"exit-codes", "what a number means", exit_codes_text},
      {"formats", "output formats and value types", formats_text},
      {"expressions", "the language of segments and filters", expressions_text},
  };
  return kTopics;
}

std::vector<Variable> environment_variables() {
  std::vector<Variable> variables;
  for (const Option& option : global_options()) {
    if (!option.env.empty()) {
      variables.push_back({std::string(option.env), fmt::format("--{}", option.name)});
    }
  }
  const std::vector<Variable> others = {
      {"JWT_SECRET", "secret that signs tokens; better JWT_SECRET_FILE"},
      {"API_KEYS", "API keys of the original platform; better API_KEYS_FILE"},
      {"EDGE_SECRET_NAME", "secret NAME; better EDGE_SECRET_NAME_FILE"},
      {"EDGE_PIXEL_KEYS", "pixel key ring as JSON; better EDGE_PIXEL_KEYS_FILE"},
      {"EDGE_PAGER, PAGER", "pager for long tables; less -FRX without"},
      {"NO_COLOR, FORCE_COLOR", "no colour, colour everywhere"},
      {"COLUMNS", "width of tables"},
      {"SSL_CERT_FILE", "certificate authorities for https"},
      {"SOURCE_DATE_EPOCH", "the time that reproducible output carries"},
      {"XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_STATE_HOME, XDG_RUNTIME_DIR", "where files are kept"},
  };
  variables.insert(variables.end(), others.begin(), others.end());
  return variables;
}

}  // namespace edge::cli
