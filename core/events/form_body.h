// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/events/shapes.h"

namespace edge::events {

inline constexpr std::size_t kMaxFormFields = 1'000;

/// How a form was sent.
enum class FormEncoding { Urlencoded, Multipart, Json };

/// By the media type; anything else is read as JSON when it begins with `{`, else as urlencoded.
FormEncoding form_encoding(std::string_view content_type, std::string_view body);

/// The fields of a form body. Of a file in a multipart body (RFC 7578) only its name, size and type
/// are kept; of a JSON object each member is a field. Fields without a name are left out. Equal
/// names: the last one stands.
///
/// Failure: InvalidArgument `bad_form` (as of `encoding::read_form_data`, more than
/// `kMaxFormFields`), `bad_json`, `body_not_object`.
Result<std::vector<FormField>> read_form(std::string_view content_type, std::string_view body);

}  // namespace edge::events
