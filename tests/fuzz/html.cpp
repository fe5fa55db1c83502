// SPDX-License-Identifier: MIT
// Mails in HTML: whatever comes in, rewriting replaces addresses of links and nothing else, and
// doing it again changes nothing.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/pixels/mail.h"

namespace pixels = edge::pixels;

namespace {

constexpr std::string_view kLink = "https://t.example/pixel/click/";
constexpr std::string_view kImage = "<img src=\"https://t.example/pixel/track/I\" />";

/// Whether `changed` is `html` with nothing but values of attributes replaced by links of ours:
/// all between two links stands in the original, in order.
bool is_faithful(std::string_view html, std::string_view changed, std::size_t links) {
  std::size_t at = 0;
  for (std::size_t i = 0; i <= links; ++i) {
    const std::size_t link = i < links ? changed.find(kLink) : changed.size();
    if (link == std::string_view::npos) {
      return false;
    }
    std::string_view piece = changed.substr(0, link);
    if (i < links && piece.ends_with('"') && html.find(piece, at) == std::string_view::npos) {
      piece.remove_suffix(1);  // a quote that had to be added
    }
    const std::size_t found =
        i == 0 ? (html.starts_with(piece) ? 0 : std::string_view::npos) : html.find(piece, at);
    if (found == std::string_view::npos) {
      return false;
    }
    at = found + piece.size();
    if (i < links) {
      changed.remove_prefix(link + kLink.size());
      changed.remove_prefix(
          std::min(changed.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                             "0123456789-_"),
                   changed.size()));
    }
  }
  return html.substr(at).empty();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const pixels::KeyRing kRing =
      *pixels::KeyRing::parse(R"({"keys":{"1":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}})");
  const std::string_view html(reinterpret_cast<const char*>(data), size);
  const pixels::LinkPlan plan{.constants = {.kind = pixels::TokenKind::Click},
                              .base_url = "https://t.example"};
  const auto once = pixels::rewrite_links(html, plan, kRing);
  if (!once) {
    std::abort();
  }
  if (html.find("/pixel/click/") == std::string_view::npos &&
      !is_faithful(html, once->html, once->rewritten)) {
    std::abort();
  }
  const auto twice = pixels::rewrite_links(once->html, plan, kRing);
  if (!twice || twice->rewritten != 0 || twice->html != once->html) {
    std::abort();
  }
  const auto shown = pixels::with_pixel(html, kImage, "https://t.example");
  if (shown && pixels::with_pixel(*shown, kImage, "https://t.example") != shown) {
    std::abort();
  }
  return 0;
}
