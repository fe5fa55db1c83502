// SPDX-License-Identifier: MIT
// Where secrets come from (identity spec 5.1). The first source that has a value wins:
//
//     file flag > <ENV>_FILE > $CREDENTIALS_DIRECTORY/<NAME> > <ENV> > --env-file > secret store of
//     the data directory
//
// <ENV> is the name itself for the names that the original used and for the two fixed ones, else
// EDGE_SECRET_<NAME>. A source that exists but cannot be used (wrong mode, unreadable) is an error
// and never falls through to the next.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/config/private_file.h"
#include "core/crypto/secret.h"

namespace edge::config {

/// Looks a variable of the process environment up; nothing when it is unset.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
/// The environment of this process (`getenv`).
Environment process_environment();

enum class SecretOrigin { Flag, VariableFile, Credentials, Variable, EnvFile, Store };
/// `file`, `env` or `store`: what `config show` prints about a secret that is set.
const char* name_of(SecretOrigin origin);

struct FoundSecret {
  crypto::Secret value;
  SecretOrigin origin = SecretOrigin::Store;
};

struct SecretSources {
  Environment environment = process_environment();
  std::filesystem::path store = {};  ///< the file `secrets` of the data directory
  std::vector<std::pair<std::string, std::string>> env_file = {};  ///< lines of `--env-file`
  PrivateFileRules files = {};
};

/// Finds secrets by name and keeps the secret store. Names: a letter, then letters, digits, `_` and
/// `-`, at most 64. Immutable but for the store file, which each call reads anew. Thread-safe,
/// except that two writers of the store at the same time may lose one change (never the file).
class Secrets {
 public:
  explicit Secrets(SecretSources sources);

  /// The value of secret `name`, nothing when no source has it. `flag_file` is the path given by a
  /// file flag, empty for none. One final line end of a file is no part of the value.
  ///
  /// Failure: InvalidArgument for a bad name or a source that cannot be used (reasons of
  /// `read_private_file`, `secret_store_invalid`).
  [[nodiscard]] Result<std::optional<FoundSecret>> find(
      std::string_view name, const std::filesystem::path& flag_file = {}) const;
  /// As `find`; a missing secret is InvalidArgument, reason `secret_missing`, whose message names
  /// every way to set it.
  [[nodiscard]] Result<FoundSecret> require(std::string_view name,
                                            const std::filesystem::path& flag_file = {}) const;

  /// Puts a value into the secret store; at most 64 KiB, not empty.
  Result<void> set(std::string_view name, std::string_view value);
  /// Takes it out; false when it was not there.
  Result<bool> erase(std::string_view name);
  /// What files with secrets must be like.
  [[nodiscard]] const PrivateFileRules& file_rules() const { return sources_.files; }

  /// The names in the store, sorted. Never values.
  [[nodiscard]] Result<std::vector<std::string>> names() const;

 private:
  using Entries = std::vector<std::pair<std::string, std::string>>;
  [[nodiscard]] Result<Entries> read_store() const;
  [[nodiscard]] Result<void> write_store(Entries entries) const;
  [[nodiscard]] Result<std::optional<FoundSecret>> from_file(const std::filesystem::path& path,
                                                             SecretOrigin origin) const;

  SecretSources sources_;
};

/// Names that stand in the environment as they are; all others behind EDGE_SECRET_.
inline constexpr std::array<std::string_view, 7> kPlainSecretNames = {"JWT_SECRET",
                                                                      "API_KEYS",
                                                                      "OPTIMIZELY_SDK_KEY",
                                                                      "WEBHOOK_ENDPOINTS",
                                                                      "CDP_ENDPOINTS",
                                                                      "EDGE_PIXEL_KEYS",
                                                                      "EDGE_KEY_PASSPHRASE"};
inline constexpr std::string_view kSecretVariablePrefix = "EDGE_SECRET_";

/// The environment variable that carries secret `name`.
std::string environment_name(std::string_view name);

/// Whether `JWT_SECRET` is fit for signing: at least 32 octets and none of the known sample values
/// (matched without regard to case). Failure: InvalidArgument, reason `weak_secret`.
Result<void> check_jwt_secret(std::string_view secret);

}  // namespace edge::config
