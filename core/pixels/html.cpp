// SPDX-License-Identifier: MIT
#include "core/pixels/html.h"

#include <fmt/format.h>

namespace edge::pixels {

namespace {

std::string_view entity_of(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return {};
  }
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 16);
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (const std::string_view entity = entity_of(text[i]); !entity.empty()) {
      out += text.substr(from, i - from);
      out += entity;
      from = i + 1;
    }
  }
  out += text.substr(from);
  return out;
}

std::string snippet(Snippet form, std::string_view url, std::string_view style) {
  switch (form) {
    case Snippet::Html:
      return fmt::format(R"(<img src="{}" width="1" height="1" alt="" style="{}" />)",
                         escape_html(url),
                         escape_html(style));
    case Snippet::Amp:
      return fmt::format(R"(<amp-pixel src="{}" layout="nodisplay"></amp-pixel>)",
                         escape_html(url));
    case Snippet::AmpEmail:
      return fmt::format(
          R"(<amp-img src="{}" width="1" height="1" layout="fixed" alt=""></amp-img>)",
          escape_html(url));
    case Snippet::Markdown:
      return fmt::format("![]({})", url);
    case Snippet::Mjml:
      return "<mj-raw>" + snippet(Snippet::Html, url, style) + "</mj-raw>";
    case Snippet::Url:
    case Snippet::Token:
      break;
  }
  return std::string(url);
}

std::string pixel_url(std::string_view base_url,
                      std::string_view token,
                      std::string_view merge_tag) {
  while (base_url.ends_with('/')) {
    base_url.remove_suffix(1);
  }
  std::string url = fmt::format("{}/pixel/track/{}", base_url, token);
  if (!merge_tag.empty()) {
    url += "?r=";
    url += merge_tag;
  }
  return url;
}

}  // namespace edge::pixels
