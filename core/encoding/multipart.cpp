// SPDX-License-Identifier: MIT
// Poco's readers of forms are not used: they copy octet by octet through streams, decode RFC 2047
// words in part names, and take a body whose last boundary is missing.
#include "core/encoding/multipart.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/encoding/ascii.h"

namespace edge::encoding {
namespace {

constexpr std::string_view kType = "multipart/form-data";
constexpr std::size_t kMaxBoundary = 70;
constexpr std::string_view kLineEnd = "\r\n";

Error bad(std::string message) {
  return {ErrorCode::InvalidArgument, std::move(message), {}, "bad_form"};
}

/// Takes a quoted text, whose first quote is there, off the front.
std::optional<std::string> take_quoted(std::string_view& text) {
  std::string out;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return out;
    }
    const bool is_escape =
        text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\');
    i += is_escape ? 1 : 0;
    out += text[i];
  }
  return std::nullopt;
}

/// The parameter of that name behind the first `;` of a field's value; nothing also when a
/// parameter is broken.
std::optional<std::string> parameter(std::string_view value, std::string_view name) {
  std::optional<std::string> found;
  value.remove_prefix(std::min(value.find(';'), value.size()));
  while (!value.empty()) {
    if (value.front() != ';') {
      return std::nullopt;
    }
    value.remove_prefix(1);
    const std::size_t equals = value.find_first_of("=;");
    const std::string_view key = trimmed_blanks(value.substr(0, equals));
    if (equals == std::string_view::npos || value[equals] == ';') {
      value.remove_prefix(std::min(equals, value.size()));
      continue;  // a word without a value, or a `;` at the end
    }
    value = value.substr(equals + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    std::optional<std::string> text;
    if (value.starts_with('"')) {
      text = take_quoted(value);
    } else {
      const std::size_t end = std::min(value.find(';'), value.size());
      text = std::string(trimmed_blanks(value.substr(0, end)));
      value.remove_prefix(end);
    }
    if (!text) {
      return std::nullopt;
    }
    if (equal_ignoring_case(key, name)) {
      found = std::move(text);
    }
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  }
  return found;
}

/// What stands behind a boundary.
enum class After { Part, End, Other };

/// Looks at what follows `--BOUNDARY` and takes the rest of the line off the front.
After take_line_end(std::string_view& text) {
  if (text.starts_with("--")) {
    return After::End;
  }
  const std::size_t end = std::min(text.find_first_not_of(" \t"), text.size());
  if (!text.substr(end).starts_with(kLineEnd)) {
    return After::Other;
  }
  text.remove_prefix(end + kLineEnd.size());
  return After::Part;
}

/// What the fields of a part say.
Result<Part> read_head(std::string_view head) {
  Part part;
  while (!head.empty()) {
    const std::size_t end = std::min(head.find(kLineEnd), head.size());
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(std::min(end + kLineEnd.size(), head.size()));
    const std::size_t colon = std::min(line.find(':'), line.size());
    const std::string_view field = line.substr(0, colon);
    const std::string_view value = trimmed_blanks(line.substr(std::min(colon + 1, line.size())));
    if (equal_ignoring_case(field, "content-disposition")) {
      part.name = parameter(value, "name").value_or("");
      part.file_name = parameter(value, "filename");
      part.file_name = part.file_name ? part.file_name : parameter(value, "filename*");
    } else if (equal_ignoring_case(field, "content-type")) {
      part.type = value;
    } else if (equal_ignoring_case(field, "content-transfer-encoding") &&
               !equal_ignoring_case(value, "binary") && !equal_ignoring_case(value, "8bit") &&
               !equal_ignoring_case(value, "7bit")) {
      return Failure(bad("parts of a form must not have a transfer encoding"));
    }
  }
  return part;
}

/// Takes one part off the front, up to the line end before the next boundary.
Result<Part> take_part(std::string_view& text, std::string_view delimiter) {
  // A part without fields begins with the empty line itself.
  const bool is_bare = text.starts_with(kLineEnd);
  const std::size_t blank = is_bare ? 0 : text.substr(0, kMaxPartHead).find("\r\n\r\n");
  if (blank == std::string_view::npos) {
    return Failure(bad(fmt::format("the fields of a part of the form have no end within {} octets",
                                   kMaxPartHead)));
  }
  auto part = read_head(text.substr(0, blank));
  if (!part) {
    return part;
  }
  text.remove_prefix(blank + (is_bare ? 1 : 2) * kLineEnd.size());
  for (std::size_t from = 0;;) {
    const std::size_t end = text.find(delimiter, from);
    if (end == std::string_view::npos) {
      return Failure(bad("the form is cut off: its last boundary is missing"));
    }
    std::string_view after = text.substr(end + delimiter.size());
    if (take_line_end(after) != After::Other) {
      part->content = text.substr(0, end);
      text.remove_prefix(end);
      return part;
    }
    from = end + 1;
  }
}

}  // namespace

bool is_form_data(std::string_view content_type) {
  return equal_ignoring_case(trimmed_blanks(content_type.substr(0, content_type.find(';'))), kType);
}

Result<std::vector<Part>> read_form_data(std::string_view content_type,
                                         std::string_view body,
                                         std::size_t most) {
  const auto boundary = parameter(content_type, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > kMaxBoundary ||
      boundary->find_first_of("\r\n") != std::string::npos) {
    return Failure(bad("the Content-Type of a form names a boundary of 1 to 70 octets"));
  }
  const std::string delimiter = "\r\n--" + *boundary;
  std::string_view text = body;
  if (!text.starts_with(std::string_view(delimiter).substr(kLineEnd.size()))) {
    const std::size_t first = text.find(delimiter);
    if (first == std::string_view::npos) {
      return Failure(bad("the boundary of the form is not in its body"));
    }
    text.remove_prefix(first + kLineEnd.size());
  }
  std::vector<Part> parts;
  text.remove_prefix(delimiter.size() - kLineEnd.size());
  while (true) {
    const After after = take_line_end(text);
    if (after == After::End) {
      return parts;
    }
    if (after == After::Other) {
      return Failure(bad("a boundary of the form does not end its line"));
    }
    if (parts.size() == most) {
      return Failure(bad(fmt::format("a form has at most {} parts here", most)));
    }
    auto part = take_part(text, delimiter);
    if (!part) {
      return Failure(std::move(part.error()));
    }
    parts.push_back(std::move(*part));
    text.remove_prefix(delimiter.size());
  }
}

}  // namespace edge::encoding
