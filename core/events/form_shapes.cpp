// SPDX-License-Identifier: MIT
// Submitted forms as events (events spec 2.6).
#include <algorithm>
#include <array>
#include <utility>

#include "core/events/overlay.h"
#include "core/events/shapes.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::events {
namespace {

/// Parts of field names whose values are never stored; names are compared in lower case without
/// `-`, `_` and blanks.
constexpr std::array<std::string_view, 13> kSecretParts = {"password",
                                                           "passwd",
                                                           "pwd",
                                                           "secret",
                                                           "token",
                                                           "card",
                                                           "cvv",
                                                           "cvc",
                                                           "ccnumber",
                                                           "ccnum",
                                                           "ccexp",
                                                           "ssn",
                                                           "iban"};

constexpr std::string_view kRedacted = "[redacted]";
/// The field that names the source (events spec 2.2); never stored.
constexpr std::string_view kWriteKey = "writeKey";

bool is_secret(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    if (c != '-' && c != '_' && c != ' ' && c != '.') {
      plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    }
  }
  return std::any_of(kSecretParts.begin(), kSecretParts.end(), [&](std::string_view part) {
    return plain.find(part) != std::string::npos;
  });
}

bool is_email(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos || at == 0 || text.size() > 254 || text.rfind('@') != at) {
    return false;
  }
  const std::string_view domain = text.substr(at + 1);
  const std::size_t dot = domain.find('.');
  return dot != std::string_view::npos && dot > 0 && domain.back() != '.' &&
         text.find_first_of(" \t\r\n<>,;\"") == std::string_view::npos;
}

/// JSON text of a number; members of a JSON form may be some.
bool is_number(std::string_view json) {
  return !json.empty() && (json.front() == '-' || (json.front() >= '0' && json.front() <= '9'));
}

/// What the fields with a leading `_` say; empty when absent.
struct Steering {
  std::string_view form_id = {};
  std::string_view form_type = {};
  std::string_view event = {};
  std::string_view redirect = {};
  std::string_view gotcha = {};

  /// False when the field is an ordinary one.
  bool take(const FormField& field) {
    if (!field.name.starts_with('_')) {
      return false;
    }
    const std::array<std::pair<std::string_view, std::string_view*>, 5> known = {
        {{"_formId", &form_id},
         {"_formType", &form_type},
         {"_event", &event},
         {"_redirect", &redirect},
         {"_gotcha", &gotcha}}};
    for (const auto& [name, place] : known) {
      const bool is_text = !field.is_json || is_number(field.value);
      if (field.name == name && is_text) {
        *place = field.value;
      }
    }
    return true;
  }
};

/// A JSON value with `[redacted]` in the place of what must not be stored, however deep.
void write_redacted(json::Writer& out, json::Value value) {
  if (value.is_object()) {
    out.begin_object();
    for (const auto& [name, member] : value.members()) {
      out.key(name);
      is_secret(name) ? static_cast<void>(out.string(kRedacted)) : write_redacted(out, member);
    }
    out.end_object();
  } else if (value.is_array()) {
    out.begin_array();
    for (const json::Value element : value.elements()) {
      write_redacted(out, element);
    }
    out.end_array();
  } else {
    out.value(value);
  }
}

void write_json(json::Writer& out, std::string_view json) {
  const auto document = json::Document::parse(json, json::kEvent);
  document ? write_redacted(out, document->root()) : static_cast<void>(out.null());
}

void write_fields(json::Writer& out, const std::vector<FormField>& fields) {
  out.key("fields").begin_object();
  for (const FormField& field : fields) {
    if (field.name.starts_with('_') || field.name == kWriteKey) {
      continue;
    }
    out.key(field.name);
    if (is_secret(field.name)) {
      out.string(kRedacted);
    } else if (field.is_json) {
      write_json(out, field.value);
    } else {
      out.string(field.value);
    }
  }
  out.end_object();
}

/// Ids that came as JSON are judged like those of any event: a safe integer becomes text.
void write_id(json::Writer& out, const FormField& field) {
  const bool is_user = field.name == "_userId";
  if ((is_user || field.name == "_anonymousId") && !field.value.empty()) {
    out.key(is_user ? "userId" : "anonymousId");
    field.is_json ? out.raw(field.value) : out.string(field.value);
  }
}

void write_context(json::Writer& out,
                   const std::vector<FormField>& fields,
                   std::string_view referer) {
  json::Writer traits;
  traits.begin_object();
  for (const FormField& field : fields) {
    const bool usable = !field.is_json && !field.value.empty() &&
                        ((field.name == "email" && is_email(field.value)) || field.name == "name" ||
                         field.name == "phone");
    if (usable) {
      traits.member(field.name, field.value);
    }
  }
  const std::string text = traits.end_object().take();
  if (text == "{}" && referer.empty()) {
    return;
  }
  out.key("context").begin_object();
  if (text != "{}") {
    out.key("traits").raw(text);
  }
  if (!referer.empty()) {
    out.key("page").begin_object().member("url", referer).end_object();
  }
  out.end_object();
}

}  // namespace

FormEvent from_form(const std::vector<FormField>& fields,
                    std::string_view referer,
                    std::string_view form_id) {
  const std::string form = clean_text(form_id);
  Steering steering{.form_id = form};
  std::string write_key;
  for (const FormField& field : fields) {
    steering.take(field);
    if (field.name == kWriteKey && !field.is_json) {
      write_key = field.value;
    }
  }
  json::Writer out;
  out.begin_object();
  out.member("type", "track")
      .member("event", steering.event.empty() ? "Form Submitted" : steering.event);
  out.key("properties").begin_object();
  write_fields(out, fields);
  if (!steering.form_id.empty()) {
    out.member("formId", steering.form_id);
  }
  if (!steering.form_type.empty()) {
    out.member("formType", steering.form_type);
  }
  out.end_object();
  for (const FormField& field : fields) {
    write_id(out, field);
  }
  write_context(out, fields, clean_text(referer));
  return {.raw = out.end_object().take(),
          .drop = !steering.gotcha.empty(),
          .redirect = std::string(steering.redirect),
          .write_key = std::move(write_key)};
}

}  // namespace edge::events
