// SPDX-License-Identifier: MIT
// Links in mails that go through us, and the headers of one-click unsubscribe.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <regex>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/commands/pixel_inject.h"
#include "cli/commands/pixel_options.h"
#include "cli/commands/pixel_records.h"
#include "cli/exit_code.h"
#include "cli/problem.h"
#include "core/pixels/mail.h"

namespace edge::cli::commands {
namespace {

/// What every link of a call has in common.
struct Sealing {
  pixels::Claims claims;
  pixels::SealOptions options;
  std::string base_url;
  pixels::KeyRing ring;
};

Result<Sealing> sealing_of(Call& call) {
  auto claims = link_claims_of(call);
  auto recipient = recipient_of(call, "");
  const auto options = seal_options_of(call);
  auto base_url = base_url_of(call);
  if (!claims || !recipient) {
    return Failure(claims ? recipient.error() : claims.error());
  }
  if (!options || !base_url) {
    return Failure(options ? base_url.error() : options.error());
  }
  auto ring = ring_of(call);
  if (!ring) {
    return Failure(ring.error());
  }
  claims->kind = pixels::TokenKind::Click;
  claims->recipient_id = std::move(*recipient);
  claims->link_id = call["link-id"];
  return Sealing{std::move(*claims), *options, std::move(*base_url), std::move(*ring)};
}

Result<int> generate(Call& call) {
  if (call.has("batch")) {
    return generate_batch(call, pixels::TokenKind::Click);
  }
  if (!call.has("URL")) {
    return Failure(usage_error("URL or --batch FILE is missing", "URL"));
  }
  auto sealing = sealing_of(call);
  if (!sealing) {
    return Failure(sealing.error());
  }
  sealing->claims.url = call["URL"];
  auto token = pixels::seal(sealing->claims, sealing->ring, sealing->options);
  if (!token) {
    return Failure(token.error());
  }
  pixels::Generated link{
      .claims = std::move(sealing->claims),
      .token = std::move(*token),
      .key_number = sealing->options.key_number.value_or(sealing->ring.active())};
  link.url = pixels::click_url(sealing->base_url, link.token, call["merge-tag"]);
  if (call.format() == Format::Json || call.format() == Format::JsonLines || call.has("select")) {
    return call.print(Document{.json = pixels::generated_link_json(link, "edge.link/1")});
  }
  call.out().line(link.url);
  return exit_code::kDone;
}

/// Whether an address fits one of the patterns of `--skip`. Failure: a pattern that is none.
Result<std::function<bool(std::string_view)>> skip_of(const Call& call) {
  auto patterns = std::make_shared<std::vector<std::regex>>();
  for (const std::string& text : call.all("skip")) {
    try {
      patterns->emplace_back(text, std::regex::ECMAScript);
    } catch (const std::regex_error&) {
      return Failure(
          usage_error(fmt::format("--skip \"{}\" is no regular expression", text), "skip"));
    }
  }
  return std::function<bool(std::string_view)>([patterns](std::string_view url) {
    // Longer addresses fit no token anyway, and matching them could exhaust the stack.
    constexpr std::size_t kLongest = 2048;
    return url.size() <= kLongest &&
           std::ranges::any_of(*patterns, [url](const std::regex& pattern) {
             return std::regex_search(url.begin(), url.end(), pattern);
           });
  });
}

Result<int> rewrite(Call& call) {
  auto sealing = sealing_of(call);
  auto skip = skip_of(call);
  if (!sealing || !skip) {
    return Failure(sealing ? skip.error() : sealing.error());
  }
  const pixels::LinkPlan plan{.constants = std::move(sealing->claims),
                              .seal = sealing->options,
                              .base_url = std::move(sealing->base_url),
                              .merge_tag = call["merge-tag"],
                              .domains = call.all("domain"),
                              .track_unsubscribe = call.flag("track-unsubscribe"),
                              .skip = std::move(*skip)};
  std::size_t rewritten = 0;
  std::size_t left = 0;
  const auto done = edit_files(
      call,
      [&](const std::string& name, const std::string& text) -> Result<std::optional<std::string>> {
        auto result = pixels::rewrite_links(text, plan, sealing->ring);
        if (!result) {
          return Failure(result.error());
        }
        rewritten += result->rewritten;
        left += result->left.size();
        for (const pixels::LeftLink& link : result->left) {
          call.detail(fmt::format("{}:{}: left \"{}\": {}", name, link.line, link.url, link.why));
        }
        return result->rewritten == 0 ? std::nullopt : std::optional(std::move(result->html));
      });
  if (done) {
    call.note(fmt::format("{} links rewritten, {} skipped", rewritten, left));
  }
  return done;
}

Result<int> unsubscribe(Call& call) {
  const auto base_url = base_url_of(call);
  const auto options = seal_options_of(call);
  const auto issued_at = issued_at_of(call);
  if (!base_url || !options) {
    return Failure(base_url ? options.error() : base_url.error());
  }
  if (!issued_at) {
    return Failure(issued_at.error());
  }
  if (!base_url->starts_with("https://")) {
    return Failure({ErrorCode::InvalidArgument,
                    fmt::format("one-click unsubscribe needs https (RFC 8058), not \"{}\"; give "
                                "--base-url https://…",
                                *base_url),
                    "base-url",
                    "invalid_url"});
  }
  const auto ring = ring_of(call);
  if (!ring) {
    return Failure(ring.error());
  }
  const auto token = pixels::seal({.kind = pixels::TokenKind::Unsubscribe,
                                   .issued_at = *issued_at,
                                   .recipient_id = call["recipient"],
                                   .list_id = call["list"]},
                                  *ring,
                                  *options);
  if (!token) {
    return Failure(token.error());
  }
  call.out().write(
      fmt::format("List-Unsubscribe: <{}>\n", pixels::unsubscribe_url(*base_url, *token)));
  call.out().line("List-Unsubscribe-Post: List-Unsubscribe=One-Click");
  return exit_code::kDone;
}

Command& with_link_options(Command& command) {
  return with_recipient_options(with_claim_options(command))
      .option({.name = "link-id", .value = "ID", .help = "what reports call the link"});
}

void declare_rewrite(Tree& tree) {
  auto& command = tree.command("link rewrite", "Let the links of mails go through the daemon");
  with_link_options(with_files(command))
      .option({.name = "skip",
               .value = "REGEX",
               .help = "leave addresses alone in which this is found",
               .repeatable = true})
      .option({.name = "domain",
               .value = "D",
               .help = "only links to this host and those below it",
               .repeatable = true})
      .flag("track-unsubscribe", "also links that look like an unsubscribe")
      .changes()
      .about(
          "Only http and https href of a and area change; every other octet stays. Left alone are "
          "mailto:, tel:, sms:, fragments, tags with data-edge-skip, addresses with a placeholder "
          "of a mail service, links that are rewritten already and those that hold or are called "
          "unsubscribe. With -v each link that was left is named with its line.")
      .example("link rewrite mail.html --campaign summer --merge-tag '{{contact.id}}' -o out.html",
               "a template for the mail service")
      .example("link rewrite -w build/*.html --campaign summer --domain shop.example.com",
               "only links to the shop")
      .exits(exit_code::kBadInput, "an id or the key ring cannot be used")
      .see("pixel inject")
      .runs(rewrite);
}

constexpr std::string_view kLinkSchema =
    R"({"type":"object","required":["schema","token","linkUrl","data","keyId","expiresAt"],)"
    R"("properties":{"schema":{"const":"edge.link/1"},"token":{"type":"string"},)"
    R"("linkUrl":{"type":"string"},"data":{"type":"object","required":["url","timestamp"]},)"
    R"("keyId":{"type":"integer"},"expiresAt":{"type":["integer","null"]}}})";

}  // namespace

void link(Tree& tree) {
  tree.noun("link", Section::Build, "Links in mails");
  with_batch(with_link_options(tree.command("link generate", "Make a link that counts clicks"))
                 .positional({.name = "URL", .help = "where it leads"}))
      .about(
          "The target is inside the signed token, so that nobody can make the daemon lead "
          "elsewhere. Letters beyond ASCII must be percent-encoded.")
      .example("link generate https://shop.example.com/sale --campaign summer --recipient u-42",
               "one link for one mail")
      .example("link generate --batch links.jsonl", "many at once")
      .exits(exit_code::kBadInput, "the target, an id or the key ring cannot be used")
      .output("link", kLinkSchema)
      .runs(generate);
  declare_rewrite(tree);
  with_sealing_options(tree.command("link unsubscribe", "Header lines of one-click unsubscribe"))
      .option({.name = "recipient", .value = "ID", .help = "who gets the mail", .required = true})
      .option({.name = "list", .value = "ID", .help = "the list to leave", .required = true})
      .about(
          "Both lines belong into the mail and must be covered by its DKIM signature (RFC 8058).")
      .example("link unsubscribe --recipient u-42 --list news --base-url https://t.example.com",
               "two lines for the head of the mail")
      .exits(exit_code::kBadInput, "the address is not https, or the key ring cannot be used")
      .runs(unsubscribe);
  declare_decode(
      tree.command("link decode", "Show what a link says, without checking it")
          .example("link decode https://t.example.com/pixel/click/IgFn…", "from an address"));
  declare_verify(tree.command("link verify", "Check a link's signature and age")
                     .example("link verify IgFn…", "exit 0 when it is ours")
                     .example("link verify --batch links.jsonl", "many at once"));
}

}  // namespace edge::cli::commands
