// SPDX-License-Identifier: MIT
#include "cli/commands/crowd_options.h"

#include "cli/problem.h"

namespace edge::cli::commands {
namespace {

/// A user id or a record a line.
Result<flags::CrowdReader> listed_users(Call& call, const std::string& attributes) {
  const auto lines = call.open_lines(call["users"]);
  if (!lines) {
    return Failure(lines.error());
  }
  std::vector<std::string> users;
  std::string line;
  while (true) {
    const auto more = (*lines)->next(line);
    if (!more) {
      return Failure(more.error());
    }
    if (!*more) {
      return flags::CrowdReader::listed(std::move(users), attributes);
    }
    if (line.ends_with('\r')) {
      line.pop_back();
    }
    users.push_back(line);
  }
}

}  // namespace

Command& with_crowd_options(Command& command) {
  return command
      .option({.name = "users",
               .value = "FILE",
               .help = "these users: an id or a record {userId, attributes} a line",
               .complete = Complete::Files})
      .option({.name = "attr",
               .value = "KV",
               .help = "an attribute of all users: k=text, k:=JSON, k=@FILE",
               .type = Type::KeyValue,
               .repeatable = true})
      .option({.name = "dist",
               .value = "DIST",
               .help = "an attribute that is drawn: country=US:0.6,DE:0.4",
               .repeatable = true});
}

Result<flags::CrowdReader> crowd_of(Call& call, flags::Crowd crowd) {
  auto attributes = call.object("attr");
  if (!attributes) {
    return Failure(attributes.error());
  }
  if (call.has("users")) {
    return listed_users(call, *attributes);
  }
  crowd.attributes = std::move(*attributes);
  for (const std::string& text : call.all("dist")) {
    auto distribution = flags::parse_distribution(text);
    if (!distribution) {
      return Failure(usage_error(distribution.error().message, "dist"));
    }
    crowd.distributions.push_back(std::move(*distribution));
  }
  return flags::CrowdReader::drawn(std::move(crowd));
}

}  // namespace edge::cli::commands
