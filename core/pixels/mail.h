// SPDX-License-Identifier: MIT
// Changes to the HTML of a mail: the pixel goes in, links go through us. Every octet that is not
// meant stays as it is, so that templates, conditional comments and odd markup survive.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/pixels/codec.h"

namespace edge::pixels {

/// The mark that `with_pixel` replaces.
inline constexpr std::string_view kPixelMark = "<!-- edge:pixel -->";

/// `html` with `snippet` in place of the first `<!-- edge:pixel -->`, else before the last
/// `</body>` that is markup. A mail that shows an image of ours (`base_url`, `/pixel/track/`)
/// already is given back as it is, so that a second run changes nothing. Nothing: there is no place
/// for it.
std::optional<std::string> with_pixel(std::string_view html,
                                      std::string_view snippet,
                                      std::string_view base_url);

/// Which links are replaced, and by what.
struct LinkPlan {
  Claims constants = {};  ///< of kind click, without the target
  SealOptions seal = {};
  std::string base_url = {};
  std::string merge_tag = {};             ///< for a template token
  std::vector<std::string> domains = {};  ///< only these hosts and those below them; empty = all
  bool track_unsubscribe = false;         ///< also links that look like an unsubscribe
  std::function<bool(std::string_view url)> skip = {};  ///< further ones to leave alone
};

/// A link that stayed as it was.
struct LeftLink {
  std::size_t line = 0;
  std::string url = {};
  std::string_view why = {};
};

struct RewrittenLinks {
  std::string html = {};
  std::size_t rewritten = 0;
  std::vector<LeftLink> left = {};
};

/// Replaces the http and https targets of `href` in `a` and `area` by click links. Left alone:
/// other schemes and fragments, tags with `data-edge-skip`, links that are ours already, addresses
/// with a mail service's placeholder, what looks like an unsubscribe (in the address or the text of
/// the link), targets that no token can hold. Failures: those of `seal`.
Result<RewrittenLinks> rewrite_links(std::string_view html,
                                     const LinkPlan& plan,
                                     const KeyRing& ring);

}  // namespace edge::pixels
