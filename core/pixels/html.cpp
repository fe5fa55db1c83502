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

std::string address(std::string_view base_url,
                    std::string_view path,
                    std::string_view token,
                    std::string_view merge_tag) {
  while (base_url.ends_with('/')) {
    base_url.remove_suffix(1);
  }
  std::string url;
  url.reserve(base_url.size() + path.size() + token.size() + merge_tag.size() + 3);
  url.append(base_url).append(path).append(token);
  if (!merge_tag.empty()) {
    url.append("?r=").append(merge_tag);
  }
  return url;
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

namespace {

/// An address as the value of an attribute, a placeholder at its end as it stands.
std::string attribute(std::string_view url, std::string_view merge_tag) {
  const bool has_tag = !merge_tag.empty() && url.ends_with(merge_tag);
  return escape_html(url.substr(0, url.size() - (has_tag ? merge_tag.size() : 0))) +
         std::string(has_tag ? merge_tag : std::string_view{});
}

}  // namespace

std::string snippet(Snippet form,
                    std::string_view url,
                    std::string_view style,
                    std::string_view merge_tag) {
  switch (form) {
    case Snippet::Html:
      return fmt::format(R"(<img src="{}" width="1" height="1" alt="" style="{}" />)",
                         attribute(url, merge_tag),
                         escape_html(style));
    case Snippet::Amp:
      return fmt::format(R"(<amp-pixel src="{}" layout="nodisplay"></amp-pixel>)",
                         attribute(url, merge_tag));
    case Snippet::AmpEmail:
      return fmt::format(
          R"(<amp-img src="{}" width="1" height="1" layout="fixed" alt=""></amp-img>)",
          attribute(url, merge_tag));
    case Snippet::Markdown:
      return fmt::format("![]({})", url);
    case Snippet::Mjml:
      return "<mj-raw>" + snippet(Snippet::Html, url, style, merge_tag) + "</mj-raw>";
    case Snippet::Url:
    case Snippet::Token:
      break;
  }
  return std::string(url);
}

std::string pixel_url(std::string_view base_url,
                      std::string_view token,
                      std::string_view merge_tag) {
  return address(base_url, "/pixel/track/", token, merge_tag);
}

std::string click_url(std::string_view base_url,
                      std::string_view token,
                      std::string_view merge_tag) {
  return address(base_url, "/pixel/click/", token, merge_tag);
}

std::string unsubscribe_url(std::string_view base_url, std::string_view token) {
  return address(base_url, "/pixel/unsubscribe/", token, {});
}

}  // namespace edge::pixels
