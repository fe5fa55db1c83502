// SPDX-License-Identifier: MIT
// The kinds of destinations. Each file of this folder without a header plugs one in:
//
//     void chat(Catalogue& catalogue) {
//       catalogue.add({.name = "chat",
//                      .settings = {{.name = "url", .help = "where to post", .required = true}},
//                      .make = make_chat});
//     }
//
// From the declared settings come the checks of a configuration, what is shown as "(set)", and the
// help of the command line.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/destinations/destination.h"
#include "core/json/document.h"
#include "core/json/writer.h"

namespace edge::destinations {

/// Finds a secret by name; nothing when there is none of that name.
using SecretFinder = std::function<std::optional<std::string>(const std::string& name)>;

/// One setting of a kind of destination, a member of `config`.
struct Setting {
  enum class Kind : std::uint8_t { Text, Number, Boolean, Object, Texts };
  std::string name = {};
  Kind kind = Kind::Text;
  std::string help = {};
  bool required = false;
  bool secret = false;  ///< never shown; may be `{"secret":NAME}`
  std::vector<std::string> choices = {};
  std::vector<std::string> also = {};  ///< other names it may be given by
};

/// The checked settings of one destination.
class Settings {
 public:
  Settings(json::Value config, const SecretFinder& secrets, std::vector<std::string> names)
      : config_(config), secrets_(secrets), names_(std::move(names)) {}

  /// Text of a setting, `fallback` when it is not set. `{"secret":NAME}` is looked up.
  /// Failure: InvalidArgument, reason `secret_missing`.
  [[nodiscard]] Result<std::string> text(std::string_view name, std::string fallback = {}) const;
  [[nodiscard]] std::optional<json::Value> value(std::string_view name) const {
    return config_.find(name);
  }
  [[nodiscard]] bool is_on(std::string_view name) const;
  [[nodiscard]] std::int64_t number(std::string_view name, std::int64_t fallback) const;
  /// The texts of a list, or the one text that stands for a list of one.
  [[nodiscard]] std::vector<std::string> texts(std::string_view name) const;
  /// The setting `batch`: events per request. Failure: InvalidArgument unless 1 to `most`.
  [[nodiscard]] Result<std::size_t> batch(std::size_t fallback, std::int64_t most) const;
  /// What the destination is called in `integrations` of an event.
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  /// One text of a value: itself, or the secret that it names.
  [[nodiscard]] Result<std::string> resolve(json::Value value) const;

 private:
  json::Value config_;
  const SecretFinder& secrets_;
  std::vector<std::string> names_;
};

/// Whether a value is `{"secret":NAME}`.
bool names_secret(json::Value value);

using MakeDestination = std::function<Result<std::unique_ptr<Destination>>(const Settings&)>;

/// One kind of destination.
struct Type {
  std::string name = {};
  std::string also = {};                       ///< another name it is configured by
  std::vector<std::string> integrations = {};  ///< its names in `integrations` of an event
  std::string key = {};                        ///< the setting that `secret = NAME` fills
  std::chrono::milliseconds linger{0};         ///< how long a batch waits for more, by default
  std::vector<Setting> settings = {};
  MakeDestination make = {};

  /// The setting of that name, or that may be given by it; null when there is none.
  [[nodiscard]] const Setting* find_setting(std::string_view name) const;
};

/// All kinds. Filled once by `register_types`, immutable afterwards.
class Catalogue {
 public:
  Catalogue();
  void add(Type type) { types_.push_back(std::move(type)); }
  [[nodiscard]] const std::vector<Type>& types() const { return types_; }
  /// The kind of that name; null when there is none.
  [[nodiscard]] const Type* find(std::string_view name) const;

  /// Checks `config` and makes the destination; `names`: its id and name, by which events may
  /// carry options for it. Failure: InvalidArgument with `field` below `/config`.
  [[nodiscard]] Result<std::unique_ptr<Destination>> make(
      const Type& type,
      json::Value config,
      const SecretFinder& secrets,
      std::vector<std::string> names = {}) const;

 private:
  std::vector<Type> types_;
};

/// `config` with secret settings and secret-looking header values as `(set)`, and the query of
/// `url` as `masked_url` shows it.
void write_config(json::Writer& out, const Type& type, json::Value config);

/// Declares every kind of this folder; written by the build.
void register_types(Catalogue& catalogue);

}  // namespace edge::destinations
