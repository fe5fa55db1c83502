// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "core/json/document.h"
#include "core/json/writer.h"
#include "core/pixels/codec.h"
#include "core/pixels/html.h"

namespace edge::pixels {

/// Claims from a record `{"kind"?,"issuedAt"?,"campaignId",…,"metadata"?,"ttl"?,"url"?}` (identity
/// spec 1.7), checked. What is absent or null takes the default kind and time. Failures are
/// InvalidArgument with the reasons of `check` and `invalid_kind`, `invalid_ttl`,
/// `invalid_timestamp`.
Result<Claims> claims_of(json::Value record,
                         TokenKind default_kind,
                         std::uint32_t default_issued_at);

/// Appends the members of the result object of identity spec 1.5 (`status`, `version`, `kind`, …)
/// to an open object. Contents stand there when the reading has them.
void write_reading(json::Writer& out, const Reading& reading);
/// The same without `status`: what the token says, whether it was checked or not.
void write_contents(json::Writer& out, const Reading& reading);

/// A pixel as `POST /pixel/generate` and `edgectl pixel generate --json` show it.
struct Generated {
  Claims claims = {};
  std::string token = {};
  std::string url = {};
  std::string style = std::string(kDefaultStyle);
  unsigned key_number = 0;
  std::string merge_tag = {};  ///< what `url` ends with for a template token
};
/// `{"pixelId","pixelUrl","pixelHTML","htmlTag","ampHTML","data":{…},"keyId","expiresAt"}`, with
/// `schema` in front when it is not empty.
std::string generated_json(const Generated& pixel, std::string_view schema = {});
/// A click link: `{"token","linkUrl","data":{…},"keyId","expiresAt"}`, with `schema` in front.
std::string generated_link_json(const Generated& link, std::string_view schema);

}  // namespace edge::pixels
