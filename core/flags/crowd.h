// SPDX-License-Identifier: MIT
// Many users to try a datafile on: drawn from a seeded generator, or read from a list.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/flags/user.h"
#include "core/json/document.h"

namespace edge::flags {

/// An attribute whose value is drawn: `country=US:0.6,DE:0.4`. With weights below 1 in sum the rest
/// of the users do not have it.
struct Distribution {
  struct Choice {
    std::string value = {};
    double weight = 0;
  };
  std::string name = {};
  std::vector<Choice> choices = {};
};

/// Reads `NAME=VALUE:WEIGHT,…`. Failure: InvalidArgument when it is something else, a weight is not
/// 0 to 1, or the sum is above 1.
Result<Distribution> parse_distribution(std::string_view text);

/// What is drawn. The same crowd gives the same users everywhere.
struct Crowd {
  std::uint64_t users = 100'000;
  std::uint64_t seed = 1;
  std::string pattern = "user-{n}";  ///< `{n}` becomes a drawn number below 10^12
  std::string attributes = "{}";     ///< a JSON object that all of them have
  std::vector<Distribution> distributions = {};
};

/// Gives the users of a crowd, or of a list, one after the other. One thread only.
class CrowdReader {
 public:
  /// Failure: InvalidArgument when the attributes are no JSON object.
  static Result<CrowdReader> drawn(Crowd crowd);
  /// One user a line: an id, or a record `{"userId","attributes","qualifiedSegments"}`.
  static Result<CrowdReader> listed(std::vector<std::string> lines, std::string attributes);

  /// The next one; valid until the next call. Null at the end. Failure: InvalidArgument naming the
  /// line of a record that is no user.
  Result<const User*> next();
  void start_over();

 private:
  Result<const User*> draw();
  Result<const User*> read_line();
  double fraction();

  Crowd crowd_;
  std::vector<std::string> lines_;
  bool is_listed_ = false;
  std::unique_ptr<json::Document> attributes_;
  std::mt19937_64 generator_;
  std::uint64_t position_ = 0;
  std::string id_;
  std::unique_ptr<json::Document> record_;
  User user_;
};

}  // namespace edge::flags
