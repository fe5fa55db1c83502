// SPDX-License-Identifier: MIT
// Signed webhooks by hand: sign a body, check one, send one, and be the receiver of some.
#include <fmt/format.h>
#include <strings.h>

#include <algorithm>

#include "cli/commands/webhook_listen.h"
#include "cli/commands/webhook_signing.h"
#include "cli/exit_code.h"
#include "cli/problem.h"
#include "core/base/id.h"
#include "core/encoding/utf8.h"
#include "core/json/writer.h"
#include "core/transport/guard.h"
#include "core/transport/open.h"

namespace edge::cli::commands {
namespace {

using std::chrono::milliseconds;

/// The fields that sign a body. Failure: as `signing_of`, or an id that no field can carry.
Result<transport::Headers> signed_fields(Call& call, const std::string& body) {
  const auto signing = signing_of(call, "signature");
  if (!signing) {
    return Failure(signing.error());
  }
  const std::string id = call.has("id") ? call["id"] : "msg_" + uuid_v4(call.random());
  if (id.empty() || !std::ranges::all_of(id, [](char c) { return c > ' ' && c < '\x7f'; })) {
    return Failure(
        usage_error(fmt::format("--id \"{}\" must be visible ASCII without blanks", id), "id"));
  }
  return webhooks::sign(*signing, body, id, call.time("timestamp"));
}

Result<int> sign(Call& call) {
  const auto body = call.input();
  const auto fields =
      body ? signed_fields(call, *body) : Result<transport::Headers>(Failure(body.error()));
  if (!fields) {
    return Failure(fields.error());
  }
  for (const auto& [name, value] : *fields) {
    call.out().line(fmt::format("{}: {}", name, value));
  }
  return exit_code::kDone;
}

/// 1 with the reason when the signature is not valid.
Result<int> verify(Call& call) {
  const auto headers = headers_of(call);
  if (!headers) {
    return Failure(headers.error());
  }
  auto signing = signing_of(call, "signature");
  const auto body = signing ? call.input() : Result<std::string>(Failure(signing.error()));
  if (!body) {
    return Failure(body.error());
  }
  signing->tolerance = std::chrono::duration_cast<std::chrono::seconds>(call.duration("tolerance"));
  const auto find = [&](std::string_view name) -> std::optional<std::string_view> {
    const auto found = std::ranges::find_if(*headers, [&](const auto& field) {
      return field.first.size() == name.size() &&
             strncasecmp(field.first.data(), name.data(), name.size()) == 0;
    });
    return found == headers->end() ? std::nullopt : std::optional<std::string_view>(found->second);
  };
  const auto checked = webhooks::verify(*signing, find, *body, call.time("now"));
  json::Writer out;
  out.begin_object().member("schema", "edge.webhook-verify/1").member("valid", checked.has_value());
  if (!checked) {
    out.member("reason", checked.error().reason);
  } else if (!checked->empty()) {
    out.member("id", *checked);
  }
  auto printed =
      call.print(Document{.json = out.end_object().take(),
                          .human = (checked ? "ok" : std::string(checked.error().reason)) + "\n"});
  return printed && !checked ? Result<int>(exit_code::kNo) : printed;
}

/// Status, time, fields and body of an answer.
Document shown(const transport::IncomingResponse& answer, milliseconds took) {
  json::Writer out;
  out.begin_object().member("schema", "edge.webhook-send/1").member("status", answer.status);
  out.member("durationMs", std::int64_t{took.count()}).key("headers").begin_object();
  std::string human = fmt::format("HTTP {}   {} ms\n", answer.status, took.count());
  for (const auto& [name, value] : answer.headers) {
    const bool is_text = encoding::is_utf8(value);
    out.member(name, is_text ? value : "(not text)");
    human += fmt::format("{}: {}\n", name, is_text ? value : "(not text)");
  }
  const std::string body = encoding::is_utf8(answer.body) ? answer.body : "(not text)";
  human += body.empty() ? "" : fmt::format("\n{}{}", body, body.ends_with('\n') ? "" : "\n");
  return {.json = out.end_object().member("body", body).end_object().take(),
          .human = std::move(human)};
}

/// 7 when the other side refuses.
Result<int> send(Call& call) {
  auto headers = headers_of(call);
  auto body = headers ? call.input() : Result<std::string>(Failure(headers.error()));
  if (!body) {
    return Failure(body.error());
  }
  const auto rules = transport::GuardRules::trusted();
  if (const auto target = transport::parse_target(call["URL"], rules); !target) {
    return Failure(
        usage_error(fmt::format("\"{}\": {}", call["URL"], target.error().message), "URL"));
  }
  if (call.has("secret")) {
    const auto fields = signed_fields(call, *body);
    if (!fields) {
      return Failure(fields.error());
    }
    headers->insert(headers->end(), fields->begin(), fields->end());
  }
  if (call.dry_run()) {
    call.note(fmt::format("would post {} octets to {}", body->size(), call["URL"]));
    for (const auto& [name, value] : *headers) {
      call.note(fmt::format("  {}: {}", name, value));
    }
    return exit_code::kDone;
  }
  if (std::ranges::none_of(*headers, [](const auto& field) {
        return strcasecmp(field.first.c_str(), "content-type") == 0;
      })) {
    headers->emplace_back("content-type", "application/json");
  }
  const auto client = transport::open_client(rules, call.clock());
  const SteadyTime begun = call.clock().steady();
  const auto answer = client->send({.method = "POST",
                                    .url = call["URL"],
                                    .headers = std::move(*headers),
                                    .body = std::move(*body),
                                    .timeout = call.duration("timeout"),
                                    .cut_response = true});
  if (!answer) {
    return Failure(answer.error());
  }
  const auto took = std::chrono::duration_cast<milliseconds>(call.clock().steady() - begun);
  auto printed = call.print(shown(*answer, took));
  return printed && answer->status / 100 != 2 ? Result<int>(exit_code::kRefused) : printed;
}

Command& with_moment(Command& command) {
  return command
      .option({.name = "id",
               .value = "ID",
               .help = "id of the message, for the scheme standard; a new one when not given"})
      .option({.name = "timestamp",
               .value = "TIME",
               .help = "when it is signed",
               .type = Type::Time,
               .fallback = "now"});
}

}  // namespace

void webhook(Tree& tree) {
  tree.noun("webhook", Section::Build, "Signed webhooks");
  with_moment(
      with_signing(tree.command("webhook sign", "Print the fields that sign a body"), "signature"))
      .reads_input()
      .about(
          "The octets of the body count: change nothing in it afterwards, not even its last line "
          "end.")
      .example("webhook sign -i body.json --secret SHOP", "as Standard Webhooks describes it")
      .exits(exit_code::kBadInput, "no such secret, or not one for this scheme")
      .runs(sign);
  with_signing(tree.command("webhook verify", "Check the signature of a body"), "signature")
      .reads_input()
      .option(header_option())
      .option({.name = "now",
               .value = "TIME",
               .help = "the time that counts",
               .type = Type::Time,
               .fallback = "now"})
      .option({.name = "tolerance",
               .value = "DUR",
               .help = "how old or new it may be, for the scheme standard",
               .type = Type::Duration,
               .fallback = "5m"})
      .about(
          "Says why it is not valid: missing_header, bad_format, bad_timestamp, too_old, too_new "
          "or "
          "mismatch.")
      .example(
          "webhook verify -i body.json --secret SHOP --signature hub-sha256 --header "
          "'X-Hub-Signature-256: sha256=9f3c…'",
          "exit 1 with the reason when it is not valid")
      .output("webhook-verify",
              R"({"type":"object","required":["schema","valid"],"properties":{"schema":)"
              R"({"const":"edge.webhook-verify/1"},"valid":{"type":"boolean"},"reason":{"enum":)"
              R"(["missing_header","bad_format","bad_timestamp","too_old","too_new","mismatch"]},)"
              R"("id":{"type":"string"}}})")
      .exits(exit_code::kNo, "the signature is not valid")
      .exits(exit_code::kBadInput, "no such secret, or not one for this scheme")
      .runs(verify);
  with_moment(
      with_signing(tree.command("webhook send", "Post a body, signed when a secret is named")
                       .positional({.name = "URL", .help = "where to", .required = true})
                       .reads_input(),
                   "signature"))
      .option(header_option())
      .changes()
      .example("webhook send http://127.0.0.1:9100/webhook/shop -i body.json --secret SHOP",
               "status, fields and time of the answer")
      .output(
          "webhook-send",
          R"({"type":"object","required":["schema","status","durationMs","headers","body"],)"
          R"("properties":{"schema":{"const":"edge.webhook-send/1"},"status":{"type":"integer"},)"
          R"("durationMs":{"type":"integer"},"headers":{"type":"object"},)"
          R"("body":{"type":"string"}}})")
      .exits(exit_code::kUnreachable, "nobody answers")
      .exits(exit_code::kRefused, "the answer is not 2xx")
      .runs(send);
  declare_webhook_listen(tree);
}

}  // namespace edge::cli::commands
