// SPDX-License-Identifier: MIT
#include "core/flags/view.h"

#include <algorithm>
#include <cmath>

#include "core/flags/configuration.h"
#include "core/json/javascript.h"
#include "core/json/writer.h"

namespace edge::flags {
namespace {

std::string text_of(json::Value object, std::string_view name) {
  const auto member = object.find(name);
  return member && (member->is_string() || member->is_number()) ? json::javascript::text_of(*member)
                                                                : std::string{};
}

void write_copy(json::Writer& out, json::Value object, std::string_view name) {
  if (const auto member = object.find(name)) {
    std::string text;
    json::javascript::append_json(text, *member);
    out.key(name).raw(text);
  }
}

/// `ab` when the datafile does not say; delivery rules have no type worth a word.
std::string type_of(const Rule& rule) {
  if (rule.is_rollout_rule) {
    return "delivery";
  }
  const std::string type = text_of(*rule.source, "type");
  return type.empty() ? "ab" : type;
}

std::vector<const Rule*> rules_of(const Flag& flag) {
  std::vector<const Rule*> rules = flag.experiments;
  if (flag.rollout != nullptr) {
    rules.insert(rules.end(), flag.rollout->rules.begin(), flag.rollout->rules.end());
  }
  return rules;
}

void write_percent(json::Writer& out, std::uint32_t buckets) {
  out.number(buckets / 100.0);
}

void write_traffic(json::Writer& out, const Rule& rule) {
  out.key("traffic").begin_array();
  for (const Share& share : shares_of(rule.allocation)) {
    out.begin_object().key("variationKey");
    if (share.variation == nullptr) {
      out.null();
    } else {
      out.string(share.variation->key);
    }
    write_percent(out.key("percent"), share.buckets());
    out.end_object();
  }
  out.end_array();
}

void write_rule(json::Writer& out, const Datafile& datafile, const Rule& rule) {
  out.begin_object().member("kind", rule.is_rollout_rule ? "delivery" : "experiment");
  out.member("key", rule.key).member("id", rule.id);
  out.member("status", rule.status).member("type", type_of(rule));
  out.member("audience",
             rule.matches_everybody ? "" : readable_conditions(datafile, rule.audiences));
  if (rule.group != nullptr && rule.group->is_random) {
    out.member("group", rule.group->id);
  }
  write_traffic(out, rule);
  out.key("whitelist").begin_object();
  for (const auto& [user, variation] : rule.whitelist) {
    out.member(user, variation);
  }
  out.end_object().key("holdouts").begin_array();
  for (const Rule* holdout : rule.local_holdouts) {
    out.string(holdout->key);
  }
  out.end_array().end_object();
}

void write_variables(json::Writer& out, json::Value source) {
  out.key("variables").begin_array();
  const auto list = source.find("variables");
  for (const json::Value variable : list ? list->elements() : json::Elements{}) {
    std::string type = text_of(variable, "type");
    if (type == "string" && text_of(variable, "subType") == "json") {
      type = "json";
    }
    out.begin_object().member("key", text_of(variable, "key")).member("type", type);
    write_copy(out, variable, "defaultValue");
    out.end_object();
  }
  out.end_array();
}

}  // namespace

std::vector<Share> shares_of(const std::vector<Range>& allocation) {
  std::vector<Share> shares;
  std::uint32_t from = 0;
  for (const Range& range : allocation) {
    // Buckets are whole numbers: a range that ends at a fraction holds the one below it.
    const double end = std::min(std::ceil(range.end), static_cast<double>(kBuckets));
    if (end > from) {
      shares.push_back(
          {.from = from, .to = static_cast<std::uint32_t>(end), .variation = range.variation});
      from = shares.back().to;
    }
  }
  if (from < kBuckets) {
    shares.push_back({.from = from, .to = kBuckets});
  }
  return shares;
}

std::uint32_t allocated_buckets(const std::vector<Range>& allocation) {
  std::uint32_t buckets = 0;
  for (const Share& share : shares_of(allocation)) {
    buckets += share.variation == nullptr ? 0 : share.buckets();
  }
  return buckets;
}

std::string flag_record(const Flag& flag) {
  const auto rules = rules_of(flag);
  std::vector<std::string> types;
  for (const Rule* rule : rules) {
    const std::string type = type_of(*rule);
    if (std::find(types.begin(), types.end(), type) == types.end()) {
      types.push_back(type);
    }
  }
  std::string joined;
  for (const std::string& type : types) {
    joined += (joined.empty() ? "" : "+") + type;
  }
  const auto variables = flag.source->find("variables");
  json::Writer out;
  out.begin_object().member("key", flag.key).member("id", text_of(*flag.source, "id"));
  out.member("type", joined.empty() ? "none" : joined);
  out.member("rules", std::uint64_t{rules.size()});
  out.member("variations", std::uint64_t{flag.variations.size()});
  out.member("variables", std::uint64_t{variables ? variables->size() : 0});
  write_percent(out.key("trafficPercent"),
                rules.empty() ? 0 : allocated_buckets(rules.front()->allocation));
  return out.end_object().take();
}

std::string flag_list_document(const Datafile& datafile) {
  json::Writer out;
  out.begin_object().member("schema", "edge.flags/1").key("flags").begin_array();
  for (const Flag& flag : datafile.flags) {
    if (datafile.find_flag(flag.key) == &flag) {
      out.raw(flag_record(flag));
    }
  }
  return out.end_array().end_object().take();
}

std::optional<std::string> flag_document(const Datafile& datafile, std::string_view key) {
  const Flag* flag = datafile.find_flag(key);
  if (flag == nullptr) {
    return std::nullopt;
  }
  json::Writer out;
  out.begin_object().member("schema", "edge.flag/1").member("key", flag->key);
  out.member("id", text_of(*flag->source, "id")).member("revision", datafile.revision);
  write_variables(out, *flag->source);
  out.key("variations").begin_array();
  for (const Variation* variation : flag->variations) {
    out.begin_object().member("key", variation->key).member("id", variation->id);
    out.member("enabled", variation->is_enabled);
    out.key("variables").raw(flag->variables_under(variation->is_enabled ? variation : nullptr));
    out.end_object();
  }
  out.end_array().key("rules").begin_array();
  for (const Rule* rule : rules_of(*flag)) {
    write_rule(out, datafile, *rule);
  }
  out.end_array().key("holdouts").begin_array();
  for (const Rule* holdout : datafile.holdouts) {
    out.string(holdout->key);
  }
  return out.end_array().end_object().take();
}

}  // namespace edge::flags
