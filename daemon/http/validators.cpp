// SPDX-License-Identifier: MIT
#include "daemon/http/validators.h"

#include <utility>

#include "core/crypto/digest.h"
#include "core/encoding/hex.h"

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

}  // namespace

std::string etag_of(std::string_view body) {
  const std::string digest = crypto::sha256(body);
  return "\"" + encoding::hex_encode(std::string_view(digest).substr(0, kTagOctets)) + "\"";
}

Response validated(const Request& request, Response response) {
  const std::string etag = etag_of(response.body());
  const Named wanted = look_up(request, "If-Match", etag);
  if (wanted.is_there && !wanted.holds) {
    return Response(Problem{.status = 412,
                            .code = "precondition_failed",
                            .detail = "what is there now has another ETag"});
  }
  if (look_up(request, "If-None-Match", etag).holds) {
    Response same(304);
    same.append_checked(response.fields());
    response = std::move(same);
  }
  response.set("ETag", etag);
  return response;
}

}  // namespace edge::http
