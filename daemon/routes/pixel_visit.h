// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "core/pixels/mail_event.h"
#include "daemon/http/request.h"

namespace edge::routes {

/// What a request for an image or a link tells; `token` without a final `.gif` or `.png`.
pixels::Visit visit_of(const http::Request& request,
                       pixels::TokenKind kind,
                       std::string_view token);

/// The token of a path's last part without a final `.gif` or `.png`.
std::string_view without_extension(std::string_view token);

}  // namespace edge::routes
