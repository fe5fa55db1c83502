// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace edge::encoding {

inline constexpr std::size_t kMaxPartHead = 8'192;  ///< octets of the fields of one part

/// One field or file of a form. `content` points into the body.
struct Part {
  std::string name = {};                      ///< empty when the part has none
  std::optional<std::string> file_name = {};  ///< of a file
  std::string_view type = {};                 ///< its Content-Type, or empty; into the body
  std::string_view content = {};
};

/// Whether a Content-Type says `multipart/form-data`.
bool is_form_data(std::string_view content_type);
/// The parts of a whole body (RFC 7578), in order. Every line ends with CR LF. What stands before
/// the first and behind the last boundary is ignored.
///
/// Failure: InvalidArgument, reason `bad_form`: no boundary, one that is not there or does not end
/// its line, a part without an end or with a transfer encoding, more than `most` parts.
Result<std::vector<Part>> read_form_data(std::string_view content_type,
                                         std::string_view body,
                                         std::size_t most);

}  // namespace edge::encoding
