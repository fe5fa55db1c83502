// SPDX-License-Identifier: MIT
#include "cli/filter.h"

#include <Poco/Exception.h>
#include <Poco/RegularExpression.h>

#include <map>
#include <memory>

#include "cli/problem.h"

namespace edge::cli {
namespace {

/// Patterns by their text, compiled once; one that is wrong matches nothing and is remembered.
class Patterns {
 public:
  bool matches(const std::string& pattern, std::string_view text) {
    auto& compiled = compiled_[pattern];
    if (!compiled) {
      compiled =
          std::make_unique<Poco::RegularExpression>(pattern, Poco::RegularExpression::RE_UTF8);
    }
    Poco::RegularExpression::Match match;
    return compiled->match(std::string(text), 0, match) > 0;
  }

 private:
  std::map<std::string, std::unique_ptr<Poco::RegularExpression>> compiled_;
};

}  // namespace

Result<profiles::ObjectFilter> filter_of(const std::string& expression) {
  const auto patterns = std::make_shared<Patterns>();
  auto filter = profiles::ObjectFilter::parse(
      expression, [patterns](const std::string& pattern, std::string_view text) {
        return patterns->matches(pattern, text);
      });
  if (!filter) {
    return Failure(usage_error(filter.error().message, "where"));
  }
  for (const std::string& pattern : filter->patterns()) {
    try {
      patterns->matches(pattern, "");
    } catch (const Poco::Exception&) {
      return Failure(usage_error("\"" + pattern + "\" is no regular expression", "where"));
    }
  }
  return filter;
}

}  // namespace edge::cli
