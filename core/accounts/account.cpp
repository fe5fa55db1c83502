// SPDX-License-Identifier: MIT
#include "core/accounts/account.h"

#include <algorithm>

#include "core/accounts/guessable.h"
#include "core/encoding/utf8.h"
#include "core/json/writer.h"
#include "core/tokens/roles.h"

namespace edge::accounts {
namespace {

constexpr std::size_t kMaxAddressBytes = 254;
constexpr std::size_t kMinPasswordBytes = 8;

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}
bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// Beyond ASCII: the white space and control characters of Unicode that look like nothing.
bool is_invisible(std::uint32_t c) {
  return (c >= 0x80 && c <= 0xA0) || c == 0x1680 || (c >= 0x2000 && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202F) || c == 0x205F || c == 0x3000 || c == 0xFEFF;
}

bool has_invisible(std::string_view text) {
  for (std::size_t position = 0; position < text.size();) {
    if (is_invisible(encoding::next_code_point(text, position))) {
      return true;
    }
  }
  return false;
}

Error bad_address(const char* message) {
  return {ErrorCode::InvalidArgument, message, "/email", "invalid_email"};
}

Error weak(std::string message) {
  return {ErrorCode::InvalidArgument, std::move(message), "/password", "weak_password"};
}

}  // namespace

Result<std::string> normalise_address(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) {
    text.remove_prefix(1);
  }
  while (!text.empty() && is_blank(text.back())) {
    text.remove_suffix(1);
  }
  if (text.size() > kMaxAddressBytes) {
    return Failure(bad_address("the address has more than 254 octets"));
  }
  const bool odd =
      std::any_of(text.begin(), text.end(), [](char c) { return is_control(c) || is_blank(c); });
  if (odd || !encoding::is_utf8(text) || has_invisible(text)) {
    return Failure(bad_address("the address holds white space or control characters"));
  }
  const auto at = text.find('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == text.size() || text.rfind('@') != at) {
    return Failure(bad_address("the address is not of the form name@host"));
  }
  std::string address(text);
  std::transform(address.begin(), address.end(), address.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return address;
}

Result<void> check_new_password(std::string_view password, std::string_view email) {
  if (password.size() < kMinPasswordBytes || password.size() > kMaxPasswordBytes) {
    return Failure(weak("a password has 8 to 1024 octets"));
  }
  if (!encoding::is_utf8(password)) {
    return Failure(weak("the password is not valid UTF-8"));
  }
  std::string small(password);
  std::transform(small.begin(), small.end(), small.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (small == email || small == email.substr(0, email.find('@'))) {
    return Failure(weak("the password is the address or a part of it"));
  }
  std::size_t first = 0;
  encoding::next_code_point(password, first);
  bool repeated = password.size() % first == 0;
  for (std::size_t i = first; repeated && i < password.size(); i += first) {
    repeated = password.substr(i, first) == password.substr(0, first);
  }
  if (repeated) {
    return Failure(weak("the password is one character repeated"));
  }
  if (is_guessable(password)) {
    return Failure(weak("the password is one of those that are tried first"));
  }
  return {};
}

Result<void> check_name(std::string_view name) {
  const bool plain = encoding::is_utf8(name) && std::none_of(name.begin(), name.end(), is_control);
  if (!plain || name.size() < 2 || name.size() > 200) {
    return Failure({ErrorCode::InvalidArgument,
                    "a name has 2 to 200 octets without control characters",
                    "/name",
                    "invalid_name"});
  }
  return {};
}

Result<void> check_roles(std::span<const std::string> roles) {
  for (const std::string& role : roles) {
    if (!tokens::is_role(role)) {
      return Failure({ErrorCode::InvalidArgument,
                      "\"" + role + "\" is no role: admin, editor, viewer",
                      "/roles",
                      "unknown_role"});
    }
  }
  return {};
}

std::string user_json(const Account& account, bool with_permissions) {
  json::Writer out;
  const auto list = [&](const char* name, const std::vector<std::string>& texts) {
    out.key(name).begin_array();
    for (const std::string& text : texts) {
      out.string(text);
    }
    out.end_array();
  };
  out.begin_object()
      .member("id", account.id.text)
      .member("email", account.email)
      .member("name", account.name);
  list("roles", account.roles);
  if (with_permissions) {
    list("permissions", tokens::permissions_of(account.roles));
  }
  return out.end_object().take();
}

}  // namespace edge::accounts
