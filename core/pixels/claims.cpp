// SPDX-License-Identifier: MIT
#include "core/pixels/claims.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "core/json/canonical.h"
#include "core/pixels/identifier.h"

namespace edge::pixels {
namespace {

constexpr std::size_t kMaxMetadataBytes = 1024;
constexpr std::uint32_t kMaxMetadataDepth = 4;
constexpr std::size_t kMaxUrlBytes = 2048;

tl::unexpected<Error> refuse(std::string_view field, std::string message, std::string_view reason) {
  return Failure(
      {ErrorCode::InvalidArgument, std::move(message), std::string(field), std::string(reason)});
}

struct NamedId {
  std::string_view name;
  const std::string& text;
  bool required;
};

std::size_t after_scheme(std::string_view url) {
  std::string start(url.substr(0, 8));
  std::ranges::transform(
      start, start.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (start.starts_with("https://")) {
    return 8;
  }
  return start.starts_with("http://") ? 7 : 0;
}

}  // namespace

bool is_target_url(std::string_view url) {
  const bool printable =
      std::ranges::all_of(url, [](char c) { return c >= 0x21 && c <= 0x7E && c != '\\'; });
  const std::size_t start = after_scheme(url);
  if (url.empty() || url.size() > kMaxUrlBytes || !printable || start == 0) {
    return false;
  }
  const std::string_view rest = url.substr(start);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  return !authority.empty() && authority.front() != ':' &&
         authority.find('@') == std::string_view::npos;
}

Result<std::string> canonical_metadata(std::string_view text) {
  const auto parsed = json::Document::parse(text, json::kStrict);
  if (!parsed) {
    return refuse(
        "metadata", "metadata is not JSON: " + parsed.error().message, "invalid_metadata");
  }
  const json::Value root = parsed->root();
  if (root.is_null() || (root.is_object() && root.size() == 0)) {
    return std::string();
  }
  if (!root.is_object()) {
    return refuse("metadata", "metadata must be a JSON object", "invalid_metadata");
  }
  if (json::depth_of(root) > kMaxMetadataDepth) {
    return refuse("metadata", "metadata is nested deeper than 4 levels", "invalid_metadata");
  }
  auto canonical = json::canonical(root);
  if (!canonical) {
    return refuse("metadata", canonical.error().message, "invalid_metadata");
  }
  if (canonical->size() > kMaxMetadataBytes) {
    return refuse("metadata", "metadata exceeds 1024 octets", "invalid_metadata");
  }
  return canonical;
}

Result<void> check(const Claims& claims) {
  const bool open = claims.kind == TokenKind::Open;
  const std::array<NamedId, 5> ids{{
      {"campaignId", claims.campaign_id, open},
      {"emailId", claims.email_id, open},
      {"recipientId", claims.recipient_id, open || claims.kind == TokenKind::Unsubscribe},
      {"linkId", claims.link_id, false},
      {"listId", claims.list_id, false},
  }};
  for (const auto& [name, text, required] : ids) {
    if (required && text.empty()) {
      return refuse(name, std::string(name) + " is missing", "missing_field");
    }
    if (!text.empty() && !is_identifier(text)) {
      return refuse(
          name,
          std::string(name) + " must be 1 to 255 octets of UTF-8 without control characters",
          "invalid_id");
    }
  }
  if (claims.kind == TokenKind::Unsubscribe && claims.recipient_id == "*") {
    return refuse(
        "recipientId", "an unsubscribe token needs a recipient of its own, not *", "invalid_id");
  }
  if (claims.kind == TokenKind::Click && claims.url.empty()) {
    return refuse("url", "url is missing", "missing_field");
  }
  if (!claims.url.empty() && !is_target_url(claims.url)) {
    return refuse(
        "url",
        "url must be http or https with a host and without user, blanks and non-ASCII characters",
        "invalid_url");
  }
  return {};
}

}  // namespace edge::pixels
