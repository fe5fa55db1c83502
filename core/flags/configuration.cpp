// SPDX-License-Identifier: MIT
#include "core/flags/configuration.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/json/javascript.h"
#include "core/json/writer.h"

namespace edge::flags {
namespace {

/// Added to old datafiles so that they have an audience at all.
constexpr std::string_view kDummyAudience = "$opt_dummy_audience";

json::Elements list(json::Value object, std::string_view name) {
  const auto member = object.find(name);
  return member ? member->elements() : json::Elements{};
}

/// An id or key as text; numbers are converted.
std::string text_of(json::Value object, std::string_view name) {
  const auto member = object.find(name);
  return member && (member->is_string() || member->is_number()) ? json::javascript::text_of(*member)
                                                                : std::string{};
}

bool is_false(std::optional<json::Value> value) {
  return !value || !json::javascript::is_truthy(*value);
}

/// A map that is written with one member per key, the last one put; order of the first mention.
template <typename T>
class LastByKey {
 public:
  void put(std::string_view key, T value) {
    const auto [entry, is_new] = position_.try_emplace(std::string(key), entries_.size());
    if (is_new) {
      entries_.emplace_back(key, std::move(value));
    } else {
      entries_[entry->second].second = std::move(value);
    }
  }
  [[nodiscard]] const auto& entries() const { return entries_; }

 private:
  std::vector<std::pair<std::string, T>> entries_;
  std::unordered_map<std::string, std::size_t> position_;
};

class ConfigurationWriter {
 public:
  explicit ConfigurationWriter(const Datafile& datafile) : datafile_(datafile) {
    for (const Flag& flag : datafile_.flags) {
      for (const json::Value variable : list(*flag.source, "variables")) {
        variable_by_id_.insert_or_assign(text_of(variable, "id"), variable);
      }
      for (const Rule* rule : flag.experiments) {
        flag_of_.try_emplace(rule->id, &flag);
      }
    }
    collect_experiments();
  }

  std::string write() {
    out_.begin_object();
    for (const char* name : {"environmentKey", "sdkKey"}) {
      out_.member(name, text_of(datafile_.root(), name));
    }
    out_.member("revision", datafile_.revision).key("experimentsMap").begin_object();
    LastByKey<const Rule*> by_key;
    for (const Rule* rule : experiments_) {
      by_key.put(rule->key, rule);
    }
    write_experiments(by_key);
    out_.end_object().key("featuresMap").begin_object();
    for (const Flag& flag : datafile_.flags) {
      if (datafile_.find_flag(flag.key) == &flag) {
        write_flag(flag);
      }
    }
    out_.end_object();
    write_entries("attributes", {"id", "key"});
    write_audiences();
    write_entries("events", {"id", "key", "experimentIds"});
    return out_.end_object().take();
  }

 private:
  /// Rules that are no delivery rules, the last of each id, in the order of JavaScript properties.
  void collect_experiments() {
    LastByKey<const Rule*> by_id;
    for (const Rule& rule : datafile_.rules) {
      const Rule* winner = rule.by_id;
      if (!rule.is_holdout && winner != nullptr && !winner->is_rollout_rule) {
        by_id.put(rule.id, winner);
      }
    }
    for (const auto& [id, rule] : by_id.entries()) {
      experiments_.push_back(rule);
    }
    std::stable_sort(
        experiments_.begin(), experiments_.end(), [](const auto* left, const auto* right) {
          return json::javascript::property_rank(left->id) <
                 json::javascript::property_rank(right->id);
        });
  }

  void write_experiments(const LastByKey<const Rule*>& by_key) {
    for (const auto& [key, rule] : by_key.entries()) {
      const auto flag = flag_of_.find(rule->id);
      out_.key(key);
      write_rule(*rule, flag == flag_of_.end() ? nullptr : flag->second);
    }
  }

  void write_rule(const Rule& rule, const Flag* flag) {
    out_.begin_object().member("id", rule.id).member("key", rule.key);
    out_.member("audiences",
                readable_conditions(datafile_, rule.source->find("audienceConditions")));
    out_.key("variationsMap").begin_object();
    LastByKey<const Variation*> by_key;
    for (const Variation* variation : rule.variations) {
      by_key.put(variation->key, variation);
    }
    for (const auto& [key, variation] : by_key.entries()) {
      out_.key(key)
          .begin_object()
          .member("id", variation->id)
          .member("key", key)
          .member("featureEnabled", variation->is_enabled)
          .key("variablesMap");
      write_variables(flag, variation);
      out_.end_object();
    }
    out_.end_object().end_object();
  }

  struct VariableValue {
    json::Value variable;
    std::optional<json::Value> value;
  };

  /// The variables of a flag with their defaults, overlaid with the values of an enabled variation.
  void write_variables(const Flag* flag, const Variation* variation) {
    LastByKey<VariableValue> by_key;
    if (flag != nullptr) {
      for (const json::Value variable : list(*flag->source, "variables")) {
        by_key.put(text_of(variable, "key"), {variable, variable.find("defaultValue")});
      }
    }
    if (variation != nullptr) {
      for (const json::Value entry : list(*variation->source, "variables")) {
        const auto known = variable_by_id_.find(text_of(entry, "id"));
        if (known != variable_by_id_.end()) {
          const json::Value variable = known->second;
          by_key.put(text_of(variable, "key"),
                     {variable,
                      variation->is_enabled ? entry.find("value") : variable.find("defaultValue")});
        }
      }
    }
    out_.begin_object();
    for (const auto& [key, entry] : by_key.entries()) {
      out_.key(key);
      write_variable(key, entry);
    }
    out_.end_object();
  }

  void write_variable(const std::string& key, const VariableValue& entry) {
    std::string type = text_of(entry.variable, "type");
    if (type == "string" && text_of(entry.variable, "subType") == "json") {
      type = "json";
    }
    out_.begin_object().member("id", text_of(entry.variable, "id")).member("key", key);
    out_.member("type", type);
    if (entry.value) {
      out_.member("value", json::javascript::text_of(*entry.value));
    }
    out_.end_object();
  }

  void write_flag(const Flag& flag) {
    out_.key(flag.key).begin_object().member("id", text_of(*flag.source, "id"));
    out_.member("key", flag.key).key("experimentRules").begin_array();
    LastByKey<const Rule*> by_key;
    for (const Rule* rule : flag.experiments) {
      if (!rule->is_rollout_rule) {
        write_rule(*rule, flag_of_.at(rule->id));
        by_key.put(rule->key, rule);
      }
    }
    out_.end_array().key("deliveryRules").begin_array();
    if (flag.rollout != nullptr) {
      for (const Rule* rule : flag.rollout->rules) {
        write_rule(*rule, &flag);
      }
    }
    out_.end_array().key("variablesMap");
    write_variables(&flag, nullptr);
    out_.key("experimentsMap").begin_object();
    write_experiments(by_key);
    out_.end_object().end_object();
  }

  /// A list of the datafile, cut down to some members.
  void write_entries(std::string_view name, std::initializer_list<std::string_view> members) {
    out_.key(name).begin_array();
    for (const json::Value entry : list(datafile_.root(), name)) {
      out_.begin_object();
      for (const std::string_view member : members) {
        write_copy(entry, member);
      }
      out_.end_object();
    }
    out_.end_array();
  }

  void write_copy(json::Value object, std::string_view name) {
    if (const auto member = object.find(name)) {
      std::string text;
      json::javascript::append_json(text, *member);
      out_.key(name).raw(text);
    }
  }

  void write_audiences() {
    out_.key("audiences").begin_array();
    std::vector<std::string> typed;
    for (const json::Value entry : list(datafile_.root(), "typedAudiences")) {
      typed.push_back(text_of(entry, "id"));
      write_audience(entry, entry.find("conditions"));
    }
    std::size_t position = 0;
    for (const json::Value entry : list(datafile_.root(), "audiences")) {
      const json::Value conditions = datafile_.condition_texts[position++]->root();
      const std::string id = text_of(entry, "id");
      if (id != kDummyAudience && std::find(typed.begin(), typed.end(), id) == typed.end()) {
        write_audience(entry, conditions);
      }
    }
    out_.end_array();
  }

  void write_audience(json::Value entry, std::optional<json::Value> conditions) {
    out_.begin_object();
    write_copy(entry, "id");
    write_copy(entry, "name");
    if (conditions) {
      std::string text;
      json::javascript::append_json(text, *conditions);
      out_.member("conditions", text);
    }
    out_.end_object();
  }

  const Datafile& datafile_;
  json::Writer out_;
  std::vector<const Rule*> experiments_;
  std::unordered_map<std::string, json::Value> variable_by_id_;
  Index<const Flag*> flag_of_;  // by experiment id: the first flag that names it
};

/// Appends one element of a list of conditions.
void append_element(std::string& text, std::string_view& word, std::string_view element) {
  if (text.empty() && word != "NOT") {
    text = element;
    return;
  }
  word = word.empty() ? "OR" : word;
  text += text.empty() ? "" : " ";
  text += word;
  text += ' ';
  text += element;
}

}  // namespace

std::string configuration_object(const Datafile& datafile) {
  return ConfigurationWriter(datafile).write();
}

std::string readable_conditions(const Datafile& datafile, std::optional<json::Value> conditions) {
  if (is_false(conditions)) {
    return {};
  }
  const auto quoted = [&datafile](json::Value id) {
    const std::string text = json::javascript::text_of(id);
    const auto named = datafile.audience_names.find(text);
    return '"' + (named == datafile.audience_names.end() ? text : std::string(named->second)) + '"';
  };
  if (!conditions->is_array()) {
    return quoted(*conditions);
  }
  std::string text;
  std::string_view word;
  for (const json::Value item : conditions->elements()) {
    const auto name = item.as_string();
    if (item.is_array()) {
      append_element(text, word, '(' + readable_conditions(datafile, item) + ')');
    } else if (name == "and" || name == "or" || name == "not") {
      word = name == "and" ? "AND" : name == "or" ? "OR" : "NOT";
    } else {
      append_element(text, word, quoted(item));
    }
  }
  return text;
}

}  // namespace edge::flags
