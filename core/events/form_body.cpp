// SPDX-License-Identifier: MIT
#include "core/events/form_body.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/encoding/percent.h"
#include "core/encoding/utf8.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::events {
namespace {

tl::unexpected<Error> bad_form(std::string_view what) {
  return Failure({ErrorCode::InvalidArgument, std::string(what), {}, "bad_form"});
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool starts_ignoring_case(std::string_view text, std::string_view lower_start) {
  return text.size() >= lower_start.size() &&
         std::equal(lower_start.begin(), lower_start.end(), text.begin(), [](char a, char b) {
           return a == lower(b);
         });
}

std::string_view trimmed_blanks(std::string_view text) {
  const std::size_t from = text.find_first_not_of(" \t");
  return from == std::string_view::npos
             ? std::string_view{}
             : text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

/// The value of a parameter of a header field: `boundary` in `multipart/form-data; boundary="x"`.
std::string parameter(std::string_view field, std::string_view name) {
  for (std::size_t at = field.find(';'); at != std::string_view::npos; at = field.find(';')) {
    field.remove_prefix(at + 1);
    const std::string_view rest = trimmed_blanks(field);
    if (!starts_ignoring_case(rest, name) || rest.size() <= name.size() ||
        rest[name.size()] != '=') {
      continue;
    }
    const std::string_view value = rest.substr(name.size() + 1);
    if (!value.starts_with('"')) {
      return std::string(trimmed_blanks(value.substr(0, value.find(';'))));
    }
    std::string text;
    for (std::size_t i = 1; i < value.size() && value[i] != '"'; ++i) {
      if (value[i] == '\\' && i + 1 < value.size()) {
        ++i;
      }
      text += value[i];
    }
    return text;
  }
  return {};
}

class Fields {
 public:
  /// False when there are too many.
  bool put(FormField field) {
    if (field.name.empty()) {
      return true;
    }
    const auto known = std::find_if(
        fields_.begin(), fields_.end(), [&](const FormField& f) { return f.name == field.name; });
    if (known != fields_.end()) {
      *known = std::move(field);
      return true;
    }
    fields_.push_back(std::move(field));
    return fields_.size() <= kMaxFormFields;
  }
  std::vector<FormField> take() { return std::move(fields_); }

 private:
  std::vector<FormField> fields_;
};

Result<std::vector<FormField>> read_urlencoded(std::string_view body) {
  if (static_cast<std::size_t>(std::count(body.begin(), body.end(), '&')) >= kMaxFormFields) {
    return bad_form("form has too many fields");
  }
  Fields fields;
  for (auto& [name, value] : encoding::parse_form(body)) {
    fields.put({.name = encoding::repaired_utf8(name), .value = encoding::repaired_utf8(value)});
  }
  return fields.take();
}

Result<std::vector<FormField>> read_json(std::string_view body) {
  const auto document = json::Document::parse(body, json::kEvent);
  if (!document) {
    Error error = document.error();
    error.reason = "bad_json";
    return Failure(std::move(error));
  }
  if (!document->root().is_object()) {
    return Failure(
        {ErrorCode::InvalidArgument, "body must be a JSON object", {}, "body_not_object"});
  }
  if (document->root().size() > kMaxFormFields) {
    return bad_form("form has too many fields");
  }
  Fields fields;
  for (const auto& [name, value] : document->root().members()) {
    const auto text = value.as_string();
    fields.put({.name = std::string(name),
                .value = std::string(text ? *text : value.raw()),
                .is_json = !text});
  }
  return fields.take();
}

/// One part of a multipart body: header lines, an empty line, content.
std::optional<FormField> read_part(std::string_view part) {
  std::string name;
  std::string file_name;
  std::string type;
  bool is_file = false;
  for (;;) {
    const std::size_t end = part.find("\r\n");
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    const std::string_view line = part.substr(0, end);
    part.remove_prefix(end + 2);
    if (line.empty()) {
      break;
    }
    if (starts_ignoring_case(line, "content-disposition:")) {
      name = parameter(line, "name");
      file_name = parameter(line, "filename");
      is_file = line.find("filename") != std::string_view::npos;
    } else if (starts_ignoring_case(line, "content-type:")) {
      type = trimmed_blanks(line.substr(line.find(':') + 1));
    }
  }
  if (!is_file) {
    return FormField{.name = encoding::repaired_utf8(name), .value = encoding::repaired_utf8(part)};
  }
  json::Writer out;
  out.begin_object()
      .member("name", encoding::repaired_utf8(file_name))
      .member("size", std::uint64_t{part.size()})
      .member("type", encoding::repaired_utf8(type))
      .end_object();
  return FormField{.name = encoding::repaired_utf8(name), .value = out.take(), .is_json = true};
}

Result<std::vector<FormField>> read_multipart(std::string_view body, const std::string& boundary) {
  if (boundary.empty() || boundary.size() > 70) {
    return bad_form("multipart body without a boundary");
  }
  const std::string mark = "\r\n--" + boundary;
  Fields fields;
  if (!body.starts_with(std::string_view(mark).substr(2))) {
    return bad_form("multipart body does not begin with its boundary");
  }
  body.remove_prefix(mark.size() - 2);
  while (!body.starts_with("--")) {
    const std::size_t end = body.find(mark);
    if (!body.starts_with("\r\n") || end == std::string_view::npos) {
      return bad_form("multipart body without an end");
    }
    auto field = read_part(body.substr(2, end < 2 ? 0 : end - 2));
    if (!field) {
      return bad_form("part without an end of its fields");
    }
    if (!fields.put(std::move(*field))) {
      return bad_form("form has too many fields");
    }
    body.remove_prefix(end + mark.size());
  }
  return fields.take();
}

}  // namespace

FormEncoding form_encoding(std::string_view content_type, std::string_view body) {
  const std::string_view type = trimmed_blanks(content_type);
  if (starts_ignoring_case(type, "multipart/form-data")) {
    return FormEncoding::Multipart;
  }
  if (starts_ignoring_case(type, "application/json")) {
    return FormEncoding::Json;
  }
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  const bool is_object = first != std::string_view::npos && body[first] == '{';
  return is_object ? FormEncoding::Json : FormEncoding::Urlencoded;
}

Result<std::vector<FormField>> read_form(std::string_view content_type, std::string_view body) {
  switch (form_encoding(content_type, body)) {
    case FormEncoding::Multipart:
      return read_multipart(body, parameter(content_type, "boundary"));
    case FormEncoding::Json:
      return read_json(body);
    case FormEncoding::Urlencoded:
      break;
  }
  return read_urlencoded(body);
}

}  // namespace edge::events
