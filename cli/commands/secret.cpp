// SPDX-License-Identifier: MIT
// The secret store of the data directory. Values go in, and never come out here.
#include "core/crypto/secret.h"

#include <fmt/format.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/prompt.h"
#include "cli/secret_sources.h"
#include "cli/terminal.h"
#include "core/json/writer.h"

namespace edge::cli::commands {
namespace {

Result<std::string> read_value(Call& call) {
  const bool asks = call["input"] == "-" && is_terminal(STDIN_FILENO);
  if (!asks) {
    return call.input();
  }
  return ask_secret(call, fmt::format("value of {}", call["NAME"]));
}

Result<int> set(Call& call) {
  if (call.dry_run()) {
    call.note(fmt::format("would set {}", call["NAME"]));
    return exit_code::kDone;
  }
  auto value = read_value(call);
  if (!value) {
    return Failure(value.error());
  }
  if (value->ends_with('\n')) {
    value->pop_back();
  }
  const auto stored = open_secrets(call).set(call["NAME"], *value);
  crypto::wipe(*value);
  if (!stored) {
    return Failure(stored.error());
  }
  call.note(fmt::format("set {}", call["NAME"]));
  return exit_code::kDone;
}

Result<int> list(Call& call) {
  Listing listing{.schema = "edge.secrets/1",
                  .name = "secrets",
                  .columns = {{"NAME", "/name"}, {"STATE", "/state"}}};
  for (const SecretState& secret : secret_states(call)) {
    json::Writer out;
    out.begin_object().member("name", secret.name).member("state", secret.shown).end_object();
    listing.records.push_back(out.take());
  }
  return call.print(listing);
}

Result<int> erase(Call& call) {
  if (call.dry_run()) {
    call.note(fmt::format("would delete {}", call["NAME"]));
    return exit_code::kDone;
  }
  const auto erased = open_secrets(call).erase(call["NAME"]);
  if (!erased) {
    return Failure(erased.error());
  }
  if (!*erased) {
    return call.fail({.error = {ErrorCode::NotFound,
                                fmt::format("no secret '{}' in the store", call["NAME"]),
                                "NAME"},
                      .hint = "edgectl secret list"});
  }
  call.note(fmt::format("deleted {}", call["NAME"]));
  return exit_code::kDone;
}

}  // namespace

void secret(Tree& tree) {
  tree.noun("secret", Section::Setup, "The secret store of the data directory");
  tree.command("secret list", "Names of secrets and where each comes from, never values")
      .example("secret list", "what is set")
      .output(
          "secrets",
          R"({"type":"object","required":["schema","secrets"],"properties":{)"
          R"("schema":{"const":"edge.secrets/1"},"secrets":{"type":"array","items":{"type":"object",)"
          R"("required":["name","state"],"properties":{"name":{"type":"string"},"state":{"type":"string"}}}}}})")
      .runs(list);
  tree.command("secret set", "Put a secret into the store")
      .positional({.name = "NAME", .help = "letters, digits, _ and -", .required = true})
      .reads_input()
      .changes()
      .about(
          "The value is read from standard input or --input FILE (one final line end is left out), "
          "or asked "
          "for without echo. It is never an argument.")
      .example("secret set SEGMENT_WRITE_KEY -i key.txt", "from a file")
      .example("secret set crm", "asked for")
      .exits(exit_code::kBadInput, "a bad name, or no value")
      .runs(set);
  tree.command("secret delete", "Take a secret out of the store")
      .positional({.name = "NAME", .help = "of the secret", .required = true})
      .changes()
      .example("secret delete crm", "only from the store; files and variables stay")
      .exits(exit_code::kNotFound, "it is not in the store")
      .runs(erase);
}

}  // namespace edge::cli::commands
