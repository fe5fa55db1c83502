// SPDX-License-Identifier: MIT
#include "core/config/secrets.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "core/encoding/base64.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::config {
namespace {

constexpr std::size_t kMaxSecretBytes = 64 * 1024;
constexpr std::size_t kMinJwtSecretBytes = 32;

/// Values from examples, tutorials and the original's templates; a long one may also be such a word
/// with digits.
constexpr std::array<std::string_view, 14> kSampleSecrets = {
    "development-secret-key-change-in-production",
    "secret",
    "changeme",
    "change-me",
    "password",
    "your-secret-key",
    "your-jwt-secret",
    "your-super-secret-jwt-key",
    "your-secret-key-change-in-production",
    "your-super-secret-jwt-key-change-in-production",
    "your-256-bit-secret",
    "a-string-secret-at-least-256-bits-long",
    "test-secret-key-at-least-32-characters",
    "development-secret"};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_name(std::string_view name) {
  const auto letter = [](char c) { return lower(c) >= 'a' && lower(c) <= 'z'; };
  const auto inner = [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= 64 && letter(name.front()) &&
         std::all_of(name.begin(), name.end(), inner);
}

Error bad_name(std::string_view name) {
  return {ErrorCode::InvalidArgument,
          fmt::format("\"{}\" is no secret name: a letter, then letters, digits, _ and -", name),
          "name"};
}

std::string_view without_line_end(std::string_view text) {
  if (text.ends_with('\n')) {
    text.remove_suffix(1);
    if (text.ends_with('\r')) {
      text.remove_suffix(1);
    }
  }
  return text;
}

Error bad_store(const std::filesystem::path& path) {
  return {ErrorCode::InvalidArgument,
          fmt::format("\"{}\" is no secret store", path.string()),
          {},
          "secret_store_invalid"};
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

const char* name_of(SecretOrigin origin) {
  switch (origin) {
    case SecretOrigin::Variable:
    case SecretOrigin::EnvFile:
      return "env";
    case SecretOrigin::Store:
      return "store";
    case SecretOrigin::Flag:
    case SecretOrigin::VariableFile:
    case SecretOrigin::Credentials:
      return "file";
  }
  return "file";
}

std::string environment_name(std::string_view name) {
  if (std::ranges::find(kPlainSecretNames, name) != kPlainSecretNames.end()) {
    return std::string(name);
  }
  std::string variable(kSecretVariablePrefix);
  for (const char c : name) {
    const bool small = c >= 'a' && c <= 'z';
    variable += c == '-' ? '_' : small ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return variable;
}

Secrets::Secrets(SecretSources sources) : sources_(std::move(sources)) {}

Result<std::optional<FoundSecret>> Secrets::from_file(const std::filesystem::path& path,
                                                      SecretOrigin origin) const {
  PrivateFileRules rules = sources_.files;
  rules.max_bytes = kMaxSecretBytes;
  rules.group_may_read = origin == SecretOrigin::Credentials;
  const auto content = read_private_file(path, rules);
  if (!content) {
    return Failure(content.error());
  }
  return FoundSecret{crypto::Secret(without_line_end(content->view())), origin};
}

Result<std::optional<FoundSecret>> Secrets::find(std::string_view name,
                                                 const std::filesystem::path& flag_file) const {
  if (!is_name(name)) {
    return Failure(bad_name(name));
  }
  const auto named_file = [&](const std::filesystem::path& path, SecretOrigin origin) {
    auto found = from_file(path, origin);
    if (!found && found.error().code == ErrorCode::NotFound) {
      found.error().code = ErrorCode::InvalidArgument;  // it was named, so it has to be there
    }
    return found;
  };
  if (!flag_file.empty()) {
    return named_file(flag_file, SecretOrigin::Flag);
  }
  const std::string variable = environment_name(name);
  if (const auto path = sources_.environment(variable + "_FILE"); path && !path->empty()) {
    return named_file(*path, SecretOrigin::VariableFile);
  }
  if (const auto folder = sources_.environment("CREDENTIALS_DIRECTORY");
      folder && !folder->empty()) {
    auto found = from_file(std::filesystem::path(*folder) / name, SecretOrigin::Credentials);
    if (found || found.error().code != ErrorCode::NotFound) {
      return found;
    }
  }
  if (auto value = sources_.environment(variable); value && !value->empty()) {
    return FoundSecret{crypto::Secret::take(std::move(*value)), SecretOrigin::Variable};
  }
  for (const auto& [key, value] : sources_.env_file) {
    if (key == variable && !value.empty()) {
      return FoundSecret{crypto::Secret(value), SecretOrigin::EnvFile};
    }
  }
  auto entries = read_store();
  if (!entries) {
    return Failure(std::move(entries.error()));
  }
  std::optional<FoundSecret> found;
  for (auto& [key, value] : *entries) {
    if (key == name) {
      found = FoundSecret{crypto::Secret(value), SecretOrigin::Store};
    }
    crypto::wipe(value);
  }
  return found;
}

Result<FoundSecret> Secrets::require(std::string_view name,
                                     const std::filesystem::path& flag_file) const {
  auto found = find(name, flag_file);
  if (!found) {
    return Failure(std::move(found.error()));
  }
  if (!*found) {
    const std::string variable = environment_name(name);
    return Failure({ErrorCode::InvalidArgument,
                    fmt::format("no secret \"{0}\": set it with \"edgectl secret set {0}\", put a "
                                "file's path into {1}_FILE, or the value into {1}",
                                name,
                                variable),
                    {},
                    "secret_missing"});
  }
  return std::move(**found);
}

Result<void> Secrets::set(std::string_view name, std::string_view value) {
  if (!is_name(name)) {
    return Failure(bad_name(name));
  }
  if (value.empty() || value.size() > kMaxSecretBytes) {
    return Failure(
        {ErrorCode::InvalidArgument,
         fmt::format("a secret has 1 to {} octets, got {}", kMaxSecretBytes, value.size()),
         "value"});
  }
  auto entries = read_store();
  if (!entries) {
    return Failure(std::move(entries.error()));
  }
  std::erase_if(*entries, [&](const auto& entry) { return entry.first == name; });
  entries->emplace_back(name, value);
  return write_store(std::move(*entries));
}

Result<bool> Secrets::erase(std::string_view name) {
  if (!is_name(name)) {
    return Failure(bad_name(name));
  }
  auto entries = read_store();
  if (!entries) {
    return Failure(std::move(entries.error()));
  }
  if (std::erase_if(*entries, [&](const auto& entry) { return entry.first == name; }) == 0) {
    return false;
  }
  if (auto written = write_store(std::move(*entries)); !written) {
    return Failure(std::move(written.error()));
  }
  return true;
}

Result<std::vector<std::string>> Secrets::names() const {
  auto entries = read_store();
  if (!entries) {
    return Failure(std::move(entries.error()));
  }
  std::vector<std::string> found;
  for (auto& [name, value] : *entries) {
    found.push_back(name);
    crypto::wipe(value);
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// `{"secrets":{"NAME":"<base64url of the octets>"}}`; unknown members are ignored.
Result<Secrets::Entries> Secrets::read_store() const {
  Entries entries;
  if (sources_.store.empty()) {
    return entries;
  }
  const auto content = read_private_file(sources_.store, sources_.files);
  if (!content) {
    if (content.error().code == ErrorCode::NotFound) {
      return entries;
    }
    return Failure(content.error());
  }
  const auto document = json::Document::parse(content->view(), json::kStrict);
  const auto secrets = document ? document->root().find("secrets") : std::nullopt;
  if (!secrets || !secrets->is_object()) {
    return Failure(bad_store(sources_.store));
  }
  for (const auto& [name, value] : secrets->members()) {
    auto octets = encoding::base64url_decode(value.as_string().value_or("="));
    if (!octets) {
      return Failure(bad_store(sources_.store));
    }
    entries.emplace_back(name, std::move(*octets));
  }
  return entries;
}

Result<void> Secrets::write_store(Entries entries) const {
  if (sources_.store.empty()) {
    return Failure({ErrorCode::Unavailable, "no data directory for the secret store"});
  }
  json::Writer out(json::Writer::Layout::Pretty);
  out.begin_object().key("secrets").begin_object();
  for (auto& [name, value] : entries) {
    out.member(name, encoding::base64url_encode(value));
    crypto::wipe(value);
  }
  out.end_object().end_object();
  std::string text = out.take() + "\n";
  auto written = write_private_file(sources_.store, text);
  crypto::wipe(text);
  return written;
}

Result<void> check_jwt_secret(std::string_view secret) {
  std::string small(secret);
  std::transform(small.begin(), small.end(), small.begin(), lower);
  const bool sample =
      std::find(kSampleSecrets.begin(), kSampleSecrets.end(), small) != kSampleSecrets.end();
  crypto::wipe(small);
  if (sample) {
    return Failure({ErrorCode::InvalidArgument,
                    "JWT_SECRET is a sample value that everybody knows",
                    {},
                    "weak_secret"});
  }
  if (secret.size() < kMinJwtSecretBytes) {
    return Failure(
        {ErrorCode::InvalidArgument,
         fmt::format(
             "JWT_SECRET has {} octets, at least {} are needed", secret.size(), kMinJwtSecretBytes),
         {},
         "weak_secret"});
  }
  return {};
}

}  // namespace edge::config
