// SPDX-License-Identifier: MIT
#include "core/config/environment.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <utility>

#include "core/crypto/secret.h"

namespace edge::config {
namespace {

bool carries_secret(std::string_view name) {
  return std::ranges::find(kPlainSecretNames, name) != kPlainSecretNames.end() ||
         (name.starts_with(kSecretVariablePrefix) && !name.ends_with("_FILE"));
}

/// The name in `NAME=value`.
std::string_view name_in(const char* entry) {
  const char* equals = std::strchr(entry, '=');
  return {entry, equals == nullptr ? std::strlen(entry) : static_cast<std::size_t>(equals - entry)};
}

}  // namespace

std::vector<std::string> secret_variables() {
  std::vector<std::string> names;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    if (carries_secret(name_in(*entry))) {
      names.emplace_back(name_in(*entry));
    }
  }
  return names;
}

Environment take_secret_variables() {
  const auto taken = std::make_shared<std::map<std::string, crypto::Secret, std::less<>>>();
  for (const std::string& name : secret_variables()) {
    char* value = ::getenv(name.c_str());
    const std::size_t size = std::strlen(value);
    taken->emplace(name, crypto::Secret(std::string_view(value, size)));
    ::explicit_bzero(value, size);
    ::unsetenv(name.c_str());
  }
  return [taken,
          others = process_environment()](const std::string& name) -> std::optional<std::string> {
    const auto found = taken->find(name);
    return found == taken->end() ? others(name) : std::optional<std::string>(found->second.view());
  };
}

}  // namespace edge::config
