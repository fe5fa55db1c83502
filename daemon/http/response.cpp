// SPDX-License-Identifier: MIT
#include "daemon/http/response.h"

#include <stdexcept>

#include "daemon/http/request.h"

namespace edge::http {

Response& Response::set(std::string_view name, std::string_view value) {
  constexpr std::string_view kForbidden("\r\n\0", 3);
  if (name.empty() || name.find_first_of(kForbidden) != std::string_view::npos ||
      value.find_first_of(kForbidden) != std::string_view::npos) {
    throw std::invalid_argument("a response field holds a line end or NUL");
  }
  if (equals_ignoring_case(name, "Content-Security-Policy")) {
    own_policy_ = true;
  }
  fields_.append(name).append(": ").append(value).append("\r\n");
  return *this;
}

Response json(std::string text, int status) {
  Response response(status);
  response.type("application/json").body(std::move(text));
  return response;
}

Response json(json::Writer& writer, int status) {
  return json(writer.take(), status);
}

Response text(std::string text, int status) {
  Response response(status);
  response.type("text/plain; charset=utf-8").body(std::move(text));
  return response;
}

Response no_content() {
  return Response(204);
}

}  // namespace edge::http
