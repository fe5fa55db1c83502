// SPDX-License-Identifier: MIT
// Compiles a datafile. The order of the steps matters, because in every index a later entry with
// the same key replaces the earlier one: audiences, groups, rollouts, rules, flags, holdouts.
// Traffic ranges are tied to their variations last, when all variations of the project are known.
#include <fmt/format.h>

#include "core/flags/datafile.h"
#include "core/flags/flag_compiler.h"
#include "core/flags/rule_compiler.h"
#include "core/json/javascript.h"

namespace edge::flags {
namespace {

Error invalid(std::string message, std::string field) {
  return {.code = ErrorCode::InvalidArgument,
          .message = "datafile is not usable: " + std::move(message),
          .field = std::move(field),
          .reason = "invalid_datafile"};
}

/// A null as an element of the list or of a list inside it, which the reference cannot read.
bool holds_null(json::Value list) {
  for (const json::Value element : list.elements()) {
    if (element.is_null() || holds_null(element)) {
      return true;
    }
  }
  return false;
}

class Compiler {
 public:
  explicit Compiler(Datafile& datafile) : datafile_(datafile), rules_(datafile) {}

  /// Nothing when the datafile is usable, else what is wrong with it.
  std::optional<Error> compile() {
    for (const auto step : {&Compiler::check_top,
                            &Compiler::add_audiences,
                            &Compiler::add_typed_audiences,
                            &Compiler::add_experiments,
                            &Compiler::add_flags,
                            &Compiler::add_holdouts}) {
      if (auto error = (this->*step)()) {
        return error;
      }
    }
    list_audiences();
    if (!rules_.tie()) {
      return invalid("its holdouts apply to more than a million rules together", "/localHoldouts");
    }
    compile_reporting(datafile_, rules_);
    return std::nullopt;
  }

 private:
  [[nodiscard]] std::optional<json::Value> top(std::string_view name) const {
    return datafile_.root().find(name);
  }

  std::optional<Error> check_top() {
    if (!datafile_.root().is_object()) {
      return invalid("it is not an object", "");
    }
    const auto version = top("version");
    const auto text = version ? version->as_string() : std::nullopt;
    if (text != "2" && text != "3" && text != "4") {
      return invalid("version must be \"2\", \"3\" or \"4\"", "/version");
    }
    for (const std::string_view name : {"featureFlags", "holdouts", "localHoldouts"}) {
      const auto list = top(name);
      if (list && !list->is_array() && json::javascript::is_truthy(*list)) {
        return invalid(fmt::format("{} is not a list", name), fmt::format("/{}", name));
      }
    }
    std::size_t position = 0;
    for (const json::Value entry : rules_.list(datafile_.root(), "integrations")) {
      if (!entry.find("key")) {
        return invalid("an integration has no key", fmt::format("/integrations/{}/key", position));
      }
      ++position;
    }
    const auto revision = top("revision");
    datafile_.is_ready = revision.has_value();
    datafile_.revision = revision ? json::javascript::text_of(*revision) : "";
    return std::nullopt;
  }

  std::optional<Error> add_audiences() {
    std::size_t position = 0;
    for (const json::Value entry : rules_.list(datafile_.root(), "audiences")) {
      const std::string field = fmt::format("/audiences/{}/conditions", position++);
      const auto conditions = entry.find("conditions");
      const auto text = conditions ? conditions->as_string() : std::nullopt;
      if (!text) {
        return invalid("the conditions of an audience are not a JSON text", field);
      }
      auto parsed = json::Document::parse(*text, json::kDecision);
      if (!parsed) {
        return invalid("the conditions of an audience are not JSON: " + parsed.error().message,
                       field);
      }
      const auto& kept = datafile_.condition_texts.emplace_back(
          std::make_unique<json::Document>(std::move(*parsed)));
      if (holds_null(kept->root())) {
        return invalid("the conditions of an audience hold null", field);
      }
      remember(entry, datafile_.conditions.add_audience(kept->root()), older_);
    }
    return std::nullopt;
  }

  std::optional<Error> add_typed_audiences() {
    std::size_t position = 0;
    for (const json::Value entry : rules_.list(datafile_.root(), "typedAudiences")) {
      const auto conditions = entry.find("conditions");
      if (conditions && holds_null(*conditions)) {
        return invalid("the conditions of an audience hold null",
                       fmt::format("/typedAudiences/{}/conditions", position));
      }
      ++position;
      remember(entry,
               conditions ? datafile_.conditions.add_audience(*conditions)
                          : datafile_.conditions.add_unknown(),
               typed_);
    }
    return std::nullopt;
  }

  struct Listed {
    std::string_view id;
    Audience audience;
  };

  void remember(json::Value entry, Conditions::Root root, std::vector<Listed>& list) {
    const std::string_view id = rules_.id_of(entry, "id");
    const std::string_view name = rules_.id_of(entry, "name");
    rules_.audience_roots()[id] = root;
    datafile_.audience_names[id] = name.empty() ? id : name;
    list.push_back({id, {name.empty() ? id : name, root}});
  }

  /// Typed audiences first; an older one is listed unless a typed one has its id.
  void list_audiences() {
    for (const auto* list : {&typed_, &older_}) {
      for (const Listed& entry : *list) {
        if (rules_.audience_roots()[entry.id] == entry.audience.root) {
          datafile_.audiences.push_back(entry.audience);
        }
      }
    }
  }

  std::optional<Error> add_experiments() {
    const auto experiments = top("experiments");
    std::size_t position = 0;
    for (const json::Value entry : rules_.list(datafile_.root(), "experiments")) {
      if (entry.is_null()) {
        return invalid("an experiment is null", fmt::format("/experiments/{}", position));
      }
      ++position;
      datafile_.top_experiments.push_back(&rules_.add(entry));
    }
    rules_.add_groups();
    rules_.add_rollouts();
    if (!experiments && !datafile_.rules.empty()) {
      return invalid("experiments is absent though groups or rollouts hold rules", "/experiments");
    }
    rules_.index();
    return std::nullopt;
  }

  std::optional<Error> add_flags() {
    FlagCompiler flags(datafile_, rules_);
    std::size_t position = 0;
    for (const json::Value entry : rules_.list(datafile_.root(), "featureFlags")) {
      if (const auto message = flags.add(entry); !message.empty()) {
        return invalid(message, fmt::format("/featureFlags/{}", position));
      }
      ++position;
    }
    if (const auto message = flags.render(); !message.empty()) {
      return invalid(message, "/featureFlags");
    }
    return std::nullopt;
  }

  std::optional<Error> add_holdouts() {
    for (const json::Value entry : rules_.list(datafile_.root(), "holdouts")) {
      datafile_.holdouts.push_back(&rules_.add_holdout(entry));
    }
    for (const json::Value entry : rules_.list(datafile_.root(), "localHoldouts")) {
      rules_.add_local_holdout(entry);
    }
    return std::nullopt;
  }

  Datafile& datafile_;
  RuleCompiler rules_;
  std::vector<Listed> older_;
  std::vector<Listed> typed_;
};

}  // namespace

Result<std::shared_ptr<const Datafile>> load_datafile(std::string_view text) {
  auto parsed = json::Document::parse(text, json::kDecision);
  if (!parsed) {
    return Failure(invalid("it is not JSON: " + parsed.error().message, ""));
  }
  auto datafile = std::make_shared<Datafile>();
  datafile->document = std::make_unique<json::Document>(std::move(*parsed));
  if (auto error = Compiler(*datafile).compile()) {
    return Failure(std::move(*error));
  }
  return datafile;
}

}  // namespace edge::flags
