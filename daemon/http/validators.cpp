// SPDX-License-Identifier: MIT
#include "daemon/http/validators.h"

#include <chrono>
#include <optional>
#include <utility>

#include "core/crypto/digest.h"
#include "core/encoding/hex.h"
#include "core/encoding/http_date.h"

namespace edge::http {
namespace {

constexpr std::size_t kTagOctets = 16;

/// Whether a field is there at all, and whether one of its values names the tag.
struct Named {
  bool is_there = false;
  bool holds = false;
};

Named look_up(const Request& request, std::string_view name, std::string_view etag) {
  Named named;
  for (const Field& field : request.headers()) {
    if (equals_ignoring_case(field.name, name)) {
      named.is_there = true;
      // A tag of ours holds no comma and no escape, so that looking for it is enough.
      named.holds |= field.value == "*" || field.value.find(etag) != std::string_view::npos;
    }
  }
  return named;
}

bool is_known(const Request& request, std::string_view etag, Time modified) {
  if (const Named known = look_up(request, "If-None-Match", etag); known.is_there) {
    return known.holds;
  }
  const auto field = request.header("If-Modified-Since");
  const auto since = field ? encoding::parse_http_date(*field) : std::nullopt;
  return since && modified != Time{} &&
         std::chrono::floor<std::chrono::seconds>(modified) <= *since;
}

}  // namespace

std::string etag_of(std::string_view body) {
  const std::string digest = crypto::sha256(body);
  return "\"" + encoding::hex_encode(std::string_view(digest).substr(0, kTagOctets)) + "\"";
}

Response validated(const Request& request, Response response, const Version& version) {
  const std::string etag = etag_of(response.body());
  const Named wanted = look_up(request, "If-Match", etag);
  if (wanted.is_there && !wanted.holds) {
    return Response(Problem{.status = 412,
                            .code = "precondition_failed",
                            .detail = "what is there now has another ETag"});
  }
  if (version.modified != Time{}) {
    response.set("Last-Modified", encoding::http_date(version.modified));
  }
  if (!version.vary.empty()) {
    response.set("Vary", version.vary);
  }
  if (is_known(request, etag, version.modified)) {
    Response same(304);
    same.append_checked(response.fields());
    response = std::move(same);
  }
  response.set("ETag", etag);
  return response;
}

}  // namespace edge::http
