// SPDX-License-Identifier: MIT
#include "cli/commands/pixel_inject.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <utility>

#include "cli/commands/pixel_options.h"
#include "cli/exit_code.h"
#include "cli/problem.h"
#include "core/pixels/mail.h"

namespace edge::cli::commands {
namespace {

/// Puts a changed text in the place of its file and keeps the file's mode.
void write_back(const std::string& path, const std::string& text) {
  Output file(-1, path);
  struct stat before {};
  if (::stat(path.c_str(), &before) == 0) {
    file.set_mode(before.st_mode & 07777U);
  }
  file.write(text);
  file.commit();
}

Result<int> inject(Call& call) {
  const auto pixel = make_pixel(call);
  const auto base_url = base_url_of(call);
  if (!pixel || !base_url) {
    return Failure(pixel ? base_url.error() : pixel.error());
  }
  const std::string image =
      pixels::snippet(pixels::Snippet::Html, pixel->url, pixel->style, pixel->merge_tag);
  return edit_files(call, [&](const std::string& name, const std::string& text) {
    using Edited = Result<std::optional<std::string>>;
    auto changed = pixels::with_pixel(text, image, *base_url);
    if (!changed) {
      return Edited(
          Failure({ErrorCode::InvalidArgument,
                   fmt::format("{} holds neither </body> nor {}", name, pixels::kPixelMark),
                   name,
                   "no_place"}));
    }
    if (*changed == text) {
      call.note(fmt::format("{} has a pixel already", name));
      return Edited(std::nullopt);
    }
    return Edited(std::move(*changed));
  });
}

}  // namespace

Result<pixels::Generated> make_pixel(Call& call) {
  auto claims = claims_of(call);
  auto recipient = recipient_of(call, "*");
  const auto options = seal_options_of(call);
  const auto base_url = base_url_of(call);
  if (!claims || !recipient) {
    return Failure(claims ? recipient.error() : claims.error());
  }
  if (!options || !base_url) {
    return Failure(options ? base_url.error() : options.error());
  }
  claims->recipient_id = std::move(*recipient);
  const auto ring = ring_of(call);
  if (!ring) {
    return Failure(ring.error());
  }
  auto token = pixels::seal(*claims, *ring, *options);
  if (!token) {
    return Failure(token.error());
  }
  pixels::Generated pixel{.claims = std::move(*claims),
                          .token = std::move(*token),
                          .key_number = options->key_number.value_or(ring->active()),
                          .merge_tag = call["merge-tag"]};
  pixel.url = pixels::pixel_url(*base_url, pixel.token, pixel.merge_tag);
  if (call.has("img-style")) {
    pixel.style = call["img-style"];
  }
  return pixel;
}

Command& with_files(Command& command) {
  return command
      .positional({.name = "FILE",
                   .value = "FILE|-",
                   .help = "mails in HTML",
                   .required = true,
                   .repeatable = true,
                   .complete = Complete::Files})
      .flag({.name = "write", .letter = 'w', .help = "change the files themselves"});
}

Result<int> edit_files(Call& call, const Edit& edit) {
  const auto files = call.all("FILE");
  for (const std::string& path : files) {
    if (path == "-" && call.flag("write")) {
      return Failure(
          usage_error("-w needs files; standard input has no place to write to", "write"));
    }
  }
  for (const std::string& path : files) {
    const auto text = call.read(path);
    if (!text) {
      return Failure(text.error());
    }
    auto changed = edit(path == "-" ? "standard input" : path, *text);
    if (!changed) {
      return Failure(changed.error());
    }
    if (!call.flag("write")) {
      call.out().write(*changed ? **changed : *text);
    } else if (*changed && call.dry_run()) {
      call.note(fmt::format("would change {}", path));
    } else if (*changed) {
      write_back(path, **changed);
    }
  }
  return exit_code::kDone;
}

void declare_pixel_inject(Tree& tree) {
  auto& command = tree.command("pixel inject", "Put a pixel into mails");
  with_recipient_options(with_claim_options(with_files(command)))
      .option({.name = "img-style",
               .value = "CSS",
               .help = "style of the image instead of the hidden one"})
      .changes()
      .about(
          "The pixel takes the place of <!-- edge:pixel -->, else it stands before </body>. A mail "
          "that shows a pixel of the same base address stays as it is.")
      .example("pixel inject mail.html --campaign summer --merge-tag '{{contact.id}}' -o out.html",
               "a template for the mail service")
      .example("pixel inject -w build/*.html --campaign summer", "all files of a build")
      .exits(exit_code::kBadInput, "no place for it, or the key ring cannot be used")
      .see("link rewrite")
      .runs(inject);
}

}  // namespace edge::cli::commands
