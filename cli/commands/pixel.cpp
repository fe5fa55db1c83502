// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <array>
#include <utility>

#include "cli/command.h"
#include "cli/commands/pixel_bulk.h"
#include "cli/commands/pixel_inject.h"
#include "cli/commands/pixel_options.h"
#include "cli/commands/pixel_records.h"
#include "cli/exit_code.h"
#include "cli/problem.h"
#include "core/pixels/record.h"

namespace edge::cli::commands {
namespace {

constexpr std::array<std::pair<std::string_view, pixels::Snippet>, 7> kForms{
    {{"html", pixels::Snippet::Html},
     {"url", pixels::Snippet::Url},
     {"token", pixels::Snippet::Token},
     {"amp", pixels::Snippet::Amp},
     {"amp-email", pixels::Snippet::AmpEmail},
     {"markdown", pixels::Snippet::Markdown},
     {"mjml", pixels::Snippet::Mjml}}};

pixels::Snippet form_of(std::string_view name) {
  for (const auto& [known, form] : kForms) {
    if (known == name) {
      return form;
    }
  }
  return pixels::Snippet::Html;
}

Result<int> generate(Call& call) {
  if (call.has("batch")) {
    return generate_batch(call, pixels::TokenKind::Open);
  }
  const auto made = make_pixel(call);
  if (!made) {
    return Failure(made.error());
  }
  const pixels::Generated& pixel = *made;
  const auto form = form_of(call["as"]);
  if (form == pixels::Snippet::Amp && !pixel.url.starts_with("https://")) {
    return Failure(
        {ErrorCode::InvalidArgument,
         fmt::format("AMP pages take https addresses only, not \"{}\"; give --base-url https://…",
                     pixel.url),
         "base-url"});
  }
  if (call.format() == Format::Json || call.format() == Format::JsonLines || call.has("select")) {
    return call.print(Document{.json = pixels::generated_json(pixel, "edge.pixel/1")});
  }
  call.out().line(pixels::snippet(form,
                                  form == pixels::Snippet::Token ? pixel.token : pixel.url,
                                  pixel.style,
                                  pixel.merge_tag));
  return exit_code::kDone;
}

constexpr std::string_view kPixelSchema =
    R"({"type":"object","required":["schema","pixelId","pixelUrl","pixelHTML","htmlTag","ampHTML","data","keyId","expiresAt"],)"
    R"("properties":{"schema":{"const":"edge.pixel/1"},"pixelId":{"type":"string"},"pixelUrl":{"type":"string"},)"
    R"("pixelHTML":{"type":"string"},"htmlTag":{"type":"string"},"ampHTML":{"type":"string"},"data":{"type":"object"},)"
    R"("keyId":{"type":"integer"},"expiresAt":{"type":["integer","null"]}}})";
void declare_generate(Tree& tree) {
  auto& command = tree.command("pixel generate", "Make a pixel for one mail");
  with_recipient_options(with_claim_options(command))
      .option({.name = "as",
               .value = "FORM",
               .help = "what to print",
               .fallback = "html",
               .choices = {"html", "url", "token", "amp", "amp-email", "markdown", "mjml"}})
      .option({.name = "img-style",
               .value = "CSS",
               .help = "style of the image instead of the hidden one"});
  with_batch(command)
      .about(
          "Without --recipient and --merge-tag opens are counted per campaign only. Opens that "
          "name a person are personal "
          "data: ask for consent where the law wants it.")
      .example("pixel generate --campaign summer --recipient u-42",
               "the tag to paste before </body>")
      .example("pixel generate --campaign summer --merge-tag '{{contact.id}}' --as url",
               "the mail service fills the id in")
      .example("pixel generate --campaign c1 --json --select /pixelUrl", "one member for a script")
      .exits(exit_code::kBadInput, "an id, the metadata or the key ring cannot be used")
      .output("pixel", kPixelSchema)
      .runs(generate);
}

}  // namespace

void pixel(Tree& tree) {
  tree.noun("pixel", Section::Build, "Email pixels");
  declare_generate(tree);
  declare_pixel_bulk(tree);
  declare_pixel_inject(tree);
  declare_decode(
      tree.command("pixel decode", "Show what a pixel says, without checking it")
          .example("pixel decode https://t.example.com/pixel/track/IAFn…", "from an address"));
  declare_verify(tree.command("pixel verify", "Check a pixel's signature and age")
                     .example("pixel verify IAFn… --max-age 7d", "exit 0 when it is ours and young")
                     .example("pixel verify --batch tokens.jsonl", "many at once"));
}

}  // namespace edge::cli::commands
