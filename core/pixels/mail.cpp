// SPDX-License-Identifier: MIT
#include "core/pixels/mail.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/encoding/utf8.h"
#include "core/pixels/html.h"
#include "core/pixels/markup.h"
#include "core/pixels/placeholder.h"

namespace edge::pixels {
namespace {

using Kind = MarkupToken::Kind;

/// How far behind a link its text is looked at.
constexpr std::size_t kMaxLinkText = 2048;
constexpr std::array<std::string_view, 5> kUnsubscribeWords{
    "unsubscribe", "opt-out", "opt_out", "optout", "list-manage"};

std::string_view without_slash(std::string_view base_url) {
  while (base_url.ends_with('/')) {
    base_url.remove_suffix(1);
  }
  return base_url;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n\f";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  return begin == std::string_view::npos
             ? std::string_view{}
             : text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

bool is_web_address(std::string_view url) {
  const std::string start = lower(url.substr(0, 8));
  return start.starts_with("http://") || start.starts_with("https://");
}

/// The host of an http or https address, in lower case.
std::string host_of(std::string_view url) {
  std::string_view rest = url.substr(url.find("//") + 2);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  return lower(rest.substr(0, rest.rfind(':')));
}

/// The address as a browser would ask for it: blanks and letters beyond ASCII behind the host are
/// percent-encoded.
std::string encoded(std::string_view url) {
  const std::size_t path = std::min(url.find_first_of("/?#", url.find("//") + 2), url.size());
  std::string out(url.substr(0, path));
  for (const char c : url.substr(path)) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet == ' ' || octet >= 0x80) {
      out += fmt::format("%{:02X}", octet);
    } else {
      out += c;
    }
  }
  return out;
}

bool says_unsubscribe(std::string_view text) {
  const std::string small = lower(text);
  return std::ranges::any_of(kUnsubscribeWords, [&small](std::string_view word) {
    return small.find(word) != std::string::npos;
  });
}

/// The text that a reader sees of a link whose tag ends at `at`: without markup, up to the end of
/// the link, the next link or `kMaxLinkText` octets. Addresses are no part of it, so that replacing
/// some changes nothing for the others.
std::string text_behind(std::string_view html, std::size_t at) {
  const std::string_view rest = html.substr(at);
  Markup markup(rest);
  MarkupToken token;
  std::string text;
  std::size_t from = 0;
  while (text.size() < kMaxLinkText && markup.next(token)) {
    text.append(rest.substr(from, token.begin - from));
    from = token.end;
    if (token.kind != MarkupToken::Kind::Comment && equals_lower(token.name, "a")) {
      break;
    }
  }
  return text.substr(0, kMaxLinkText);
}

bool is_below(std::string_view host, std::string_view domain) {
  return host == domain || (host.size() > domain.size() && host.ends_with(domain) &&
                            host[host.size() - domain.size() - 1] == '.');
}

/// Why a link is left alone; empty when it is to be replaced.
std::string_view reason_to_leave(std::string_view html,
                                 const MarkupToken& tag,
                                 const std::string& url,
                                 const LinkPlan& plan) {
  if (!is_web_address(url)) {
    return "no http or https address";
  }
  if (tag.find("data-edge-skip") != nullptr) {
    return "data-edge-skip";
  }
  if (holds_placeholder(url)) {
    return "a placeholder in the address";
  }
  const std::string ours = std::string(without_slash(plan.base_url)) + "/pixel/";
  if (url.starts_with(ours)) {
    return "ours already";
  }
  if (!plan.track_unsubscribe &&
      (says_unsubscribe(url) || says_unsubscribe(text_behind(html, tag.end)))) {
    return "an unsubscribe link";
  }
  const std::string host = host_of(url);
  const auto holds = [&host](const std::string& domain) { return is_below(host, lower(domain)); };
  if (!plan.domains.empty() && std::ranges::none_of(plan.domains, holds)) {
    return "another domain";
  }
  if (plan.skip && plan.skip(url)) {
    return "--skip";
  }
  return encoding::is_utf8(url) && is_target_url(encoded(url)) ? std::string_view{}
                                                               : "no address a token can hold";
}

/// Appends the new value; quotes are added where it could not stand without.
void append_value(std::string& out, const Attribute& href, std::string_view link) {
  const bool bare = href.quote == 0 && link.find_first_of(" \t\n\"'=<>`") != std::string_view::npos;
  const std::string_view quote = !bare ? "" : link.find('"') == std::string_view::npos ? "\"" : "'";
  out += quote;
  out += link;
  out += quote;
}

}  // namespace

std::optional<std::string> with_pixel(std::string_view html,
                                      std::string_view snippet,
                                      std::string_view base_url) {
  const std::string ours = std::string(without_slash(base_url)) + "/pixel/track/";
  std::optional<std::size_t> mark;
  std::optional<std::size_t> body_end;
  MarkupToken token;
  Markup markup(html);
  while (markup.next(token)) {
    const std::string_view text = html.substr(token.begin, token.end - token.begin);
    if (token.kind == Kind::Comment && text == kPixelMark && !mark) {
      mark = token.begin;
    } else if (token.is(Kind::EndTag, "body")) {
      body_end = token.begin;
    } else if (token.kind == Kind::StartTag) {
      const Attribute* source = token.find("src");
      if (source != nullptr && attribute_text(trim(source->value)).starts_with(ours)) {
        return std::string(html);
      }
    }
  }
  if (!mark && !body_end) {
    return std::nullopt;
  }
  const std::size_t at = mark ? *mark : *body_end;
  std::string out(html.substr(0, at));
  out += snippet;
  out += html.substr(mark ? at + kPixelMark.size() : at);
  return out;
}

Result<RewrittenLinks> rewrite_links(std::string_view html,
                                     const LinkPlan& plan,
                                     const KeyRing& ring) {
  RewrittenLinks result;
  std::size_t copied = 0;
  std::size_t line = 1;
  std::size_t counted = 0;
  MarkupToken tag;
  Markup markup(html);
  while (markup.next(tag)) {
    const bool link = tag.is(Kind::StartTag, "a") || tag.is(Kind::StartTag, "area");
    const Attribute* href = link ? tag.find("href") : nullptr;
    if (href == nullptr) {
      continue;
    }
    std::string url = attribute_text(trim(href->value));
    const std::string_view why = reason_to_leave(html, tag, url, plan);
    if (!why.empty()) {
      const std::string_view between = html.substr(counted, tag.begin - counted);
      line += static_cast<std::size_t>(std::ranges::count(between, '\n'));
      counted = tag.begin;
      result.left.push_back({line, std::move(url), why});
      continue;
    }
    Claims claims = plan.constants;
    claims.url = encoded(url);
    const auto token = seal(claims, ring, plan.seal);
    if (!token) {
      return Failure(token.error());
    }
    result.html += html.substr(copied, href->at - copied);
    append_value(result.html, *href, click_url(plan.base_url, *token, plan.merge_tag));
    copied = href->at + href->value.size();
    ++result.rewritten;
  }
  result.html += html.substr(copied);
  return result;
}

}  // namespace edge::pixels
