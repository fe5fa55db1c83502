// SPDX-License-Identifier: MIT
#include "core/events/form_body.h"

#include <algorithm>
#include <utility>

#include "core/encoding/ascii.h"
#include "core/encoding/multipart.h"
#include "core/encoding/percent.h"
#include "core/encoding/utf8.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::events {
namespace {

constexpr std::string_view kJson = "application/json";

tl::unexpected<Error> bad_form(std::string_view what) {
  return Failure({ErrorCode::InvalidArgument, std::string(what), {}, "bad_form"});
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

FormField field_of(const encoding::Part& part) {
  std::string name = encoding::repaired_utf8(part.name);
  if (!part.file_name) {
    return {.name = std::move(name), .value = encoding::repaired_utf8(part.content)};
  }
  json::Writer out;
  out.begin_object()
      .member("name", encoding::repaired_utf8(*part.file_name))
      .member("size", std::uint64_t{part.content.size()})
      .member("type", encoding::repaired_utf8(part.type))
      .end_object();
  return {.name = std::move(name), .value = out.take(), .is_json = true};
}

Result<std::vector<FormField>> read_multipart(std::string_view type, std::string_view body) {
  const auto parts = encoding::read_form_data(type, body, kMaxFormFields);
  if (!parts) {
    return Failure(parts.error());
  }
  Fields fields;
  for (const encoding::Part& part : *parts) {
    fields.put(field_of(part));
  }
  return fields.take();
}

}  // namespace

FormEncoding form_encoding(std::string_view content_type, std::string_view body) {
  const std::string_view type = encoding::trimmed_blanks(content_type);
  if (encoding::is_form_data(content_type)) {
    return FormEncoding::Multipart;
  }
  if (encoding::equal_ignoring_case(type.substr(0, kJson.size()), kJson)) {
    return FormEncoding::Json;
  }
  const std::size_t first = body.find_first_not_of(" \t\r\n");
  const bool is_object = first != std::string_view::npos && body[first] == '{';
  return is_object ? FormEncoding::Json : FormEncoding::Urlencoded;
}

Result<std::vector<FormField>> read_form(std::string_view content_type, std::string_view body) {
  switch (form_encoding(content_type, body)) {
    case FormEncoding::Multipart:
      return read_multipart(content_type, body);
    case FormEncoding::Json:
      return read_json(body);
    case FormEncoding::Urlencoded:
      break;
  }
  return read_urlencoded(body);
}

}  // namespace edge::events
