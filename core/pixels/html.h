// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/pixels/claims.h"

namespace edge::pixels {

/// How a pixel is written into a mail (identity spec 1.9).
enum class Snippet : std::uint8_t { Html, Url, Token, Amp, AmpEmail, Markdown, Mjml };

inline constexpr std::string_view kDefaultStyle = "display:none;border:0;";

/// The text of a pixel whose image is at `url`. `style` is the style attribute of the HTML forms.
/// `Snippet::Token` gives `url` as it is: the caller passes the token. `merge_tag`, when `url` ends
/// with it, is not escaped: the mail service looks for it letter by letter.
std::string snippet(Snippet form,
                    std::string_view url,
                    std::string_view style = kDefaultStyle,
                    std::string_view merge_tag = {});

/// `&` `<` `>` `"` `'` as entities.
std::string escape_html(std::string_view text);

/// The address of a token's image: `base_url` without a trailing slash, `/pixel/track/`, the token.
/// A template token gets
/// `?r=` and `merge_tag`, the mail service's placeholder, unescaped.
std::string pixel_url(std::string_view base_url,
                      std::string_view token,
                      std::string_view merge_tag = {});
/// The same for a click link, `/pixel/click/`.
std::string click_url(std::string_view base_url,
                      std::string_view token,
                      std::string_view merge_tag = {});
/// The same for an unsubscribe link, `/pixel/unsubscribe/`.
std::string unsubscribe_url(std::string_view base_url, std::string_view token);

}  // namespace edge::pixels
