// SPDX-License-Identifier: MIT
#include "core/destinations/definition.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "core/destinations/mask.h"
#include "core/encoding/utf8.h"
#include "core/events/event.h"

namespace edge::destinations {
namespace {

using std::chrono::milliseconds;

Error wrong(std::string_view field, std::string_view problem) {
  return {ErrorCode::InvalidArgument,
          fmt::format("\"{}\" {}", field, problem),
          fmt::format("/{}", field)};
}

/// Takes members of the JSON one by one; the first that is wrong is kept.
class Reader {
 public:
  explicit Reader(json::Value json, std::string path = {}) : json_(json), path_(std::move(path)) {}

  void text(const char* name, std::string& out) {
    if (const auto value = find(name)) {
      check(value->is_string(), name, "must be a text");
      out = value->as_string().value_or("");
    }
  }
  void boolean(const char* name, bool& out) {
    if (const auto value = find(name)) {
      check(value->is_bool(), name, "must be true or false");
      out = value->as_bool().value_or(false);
    }
  }
  void number(const char* name, std::uint32_t least, std::uint32_t most, std::uint32_t& out) {
    std::int64_t wide = out;
    whole(name, least, most, wide);
    out = static_cast<std::uint32_t>(wide);
  }
  void time(const char* name, std::int64_t least, std::int64_t most, milliseconds& out) {
    std::int64_t wide = out.count();
    whole(name, least, most, wide);
    out = milliseconds{wide};
  }
  void texts(const char* name, std::vector<std::string>& out) {
    if (const auto value = find(name)) {
      out = list_of(name, *value);
    }
  }
  void lists(const char* name, Lists& out) {
    const auto value = find(name);
    if (value && value->is_array()) {
      out = {.allow = list_of(name, *value)};
    } else if (value) {
      const auto allow = value->find("allow");
      const auto deny = value->find("deny");
      check(value->is_object() && value->size() == (allow ? 1U : 0U) + (deny ? 1U : 0U),
            name,
            "must be a list or hold the lists allow and deny");
      out = {.allow = allow ? list_of(name, *allow) : std::vector<std::string>{},
             .deny = deny ? list_of(name, *deny) : std::vector<std::string>{}};
    }
  }
  std::optional<json::Value> find(const char* name) {
    known_.emplace_back(name);
    const auto value = json_.find(name);
    return value && value->is_null() ? std::nullopt : value;
  }
  void check(bool good, std::string_view name, std::string_view problem) {
    if (!good && !error_) {
      error_ = wrong(path_ + std::string(name), problem);
    }
  }
  /// Takes over what another reader found wrong.
  void check(const Reader& other) { error_ = error_ ? error_ : other.error_; }
  [[nodiscard]] bool knows(std::string_view name) const {
    return std::ranges::find(known_, name) != known_.end();
  }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  void whole(const char* name, std::int64_t least, std::int64_t most, std::int64_t& out) {
    if (const auto value = find(name)) {
      const auto number = value->as_int64();
      check(number && *number >= least && *number <= most,
            name,
            fmt::format("must be a whole number from {} to {}", least, most));
      out = number.value_or(out);
    }
  }
  std::vector<std::string> list_of(const char* name, json::Value value) {
    std::vector<std::string> list;
    bool good = value.is_array();
    for (const json::Value item : value.elements()) {
      good = good && item.is_string();
      list.emplace_back(item.as_string().value_or(""));
    }
    check(good, name, "must be a list of texts");
    return list;
  }

  json::Value json_;
  const std::string path_;
  std::vector<std::string_view> known_;
  std::optional<Error> error_;
};

constexpr std::int64_t kDay = 86'400'000;

void read_retry(Reader& outer, RetryPolicy& retry) {
  const auto value = outer.find("retry");
  if (!value) {
    return;
  }
  outer.check(value->is_object(), "retry", "must be an object");
  Reader reader(*value, "retry/");
  reader.time("baseMs", 1, kDay, retry.base);
  reader.time("capMs", 1, kDay, retry.cap);
  reader.time("maxAgeMs", 1, 366 * kDay, retry.max_age);
  reader.number("maxAttempts", 0, 1'000'000, retry.max_attempts);
  reader.time("throttleMs", 1, kDay, retry.throttle);
  reader.time("probeMs", 1, kDay, retry.probe);
  for (const auto& [name, ignored] : value->members()) {
    reader.check(reader.knows(name), name, "is not known");
  }
  outer.check(reader);
}

void read_types(Reader& reader, Lists& types) {
  reader.lists("types", types);
  for (const auto* list : {&types.allow, &types.deny}) {
    for (const std::string& name : *list) {
      const auto type = events::type_of(name);
      reader.check(type && events::name_of(*type) == name,
                   "types",
                   fmt::format("holds \"{}\", which is no type of event", name));
    }
  }
}

/// Members that are null are as in a new definition.
void reset_nulls(json::Value json, Definition& made) {
  const Definition fresh;
  const auto reset = [&](const char* name, auto Definition::*member) {
    const auto value = json.find(name);
    if (value && value->is_null()) {
      made.*member = fresh.*member;
    }
  };
  reset("enabled", &Definition::enabled);
  reset("consent", &Definition::consent);
  reset("filter", &Definition::filter);
  reset("ip", &Definition::ip);
  reset("types", &Definition::types);
  reset("events", &Definition::events);
  reset("retry", &Definition::retry);
  reset("rate", &Definition::rate);
  reset("concurrency", &Definition::concurrency);
  reset("connectTimeoutMs", &Definition::connect_timeout);
  reset("timeoutMs", &Definition::timeout);
  reset("ordering", &Definition::ordering);
}

void read_rate(Reader& reader, double& rate) {
  if (const auto value = reader.find("rate")) {
    const auto given = rate_of(*value);
    reader.check(given.has_value(), "rate", "must be requests per second or like 30/m");
    rate = given.value_or(0);
  }
}

bool is_id(std::string_view id) {
  return !id.empty() && id.size() <= 64 && std::ranges::all_of(id, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

std::string id_from(std::string_view name) {
  std::string id;
  for (char c : name.substr(0, 64)) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    id += is_id({&c, 1}) ? c : '-';
  }
  return id;
}

constexpr std::array<std::pair<std::string_view, events::IpMode>, 3> kIpModes{
    {{"full", events::IpMode::Full},
     {"truncate", events::IpMode::Truncate},
     {"none", events::IpMode::None}}};

void read_ip(Reader& reader, std::optional<events::IpMode>& ip) {
  if (const auto value = reader.find("ip")) {
    const auto mode = std::ranges::find(
        kIpModes, value->as_string().value_or(""), &decltype(kIpModes)::value_type::first);
    reader.check(mode != kIpModes.end(), "ip", "must be full, truncate or none");
    ip = mode == kIpModes.end() ? std::nullopt : std::optional(mode->second);
  }
}

constexpr std::array<std::string_view, 18> kCommonSettings{"id",
                                                           "name",
                                                           "type",
                                                           "enabled",
                                                           "config",
                                                           "secret",
                                                           "ip",
                                                           "consent",
                                                           "filter",
                                                           "types",
                                                           "events",
                                                           "retry",
                                                           "rate",
                                                           "concurrency",
                                                           "ordering",
                                                           "connectTimeoutMs",
                                                           "timeoutMs",
                                                           "lingerMs"};

void read_ordering(Reader& reader, Ordering& ordering) {
  if (const auto value = reader.find("ordering")) {
    const auto text = value->as_string().value_or("");
    reader.check(text == "user" || text == "none", "ordering", "must be user or none");
    ordering = text == "none" ? Ordering::None : Ordering::User;
  }
}

constexpr std::string_view kMasked = "(set)";  // what an answer shows instead of a secret

/// Writes `given`, and in place of each masked member what `kept` has there.
void write_unmasked(json::Writer& out,
                    json::Value given,
                    std::optional<json::Value> kept,
                    Reader& reader,
                    const std::string& path) {
  constexpr auto kUnknown = "is the mask of a secret that is not known here";
  if (given.as_string() == kMasked) {
    reader.check(kept.has_value(), path, kUnknown);
    out.raw(kept ? kept->raw() : given.raw());
    return;
  }
  if (given.is_string() && (path == "url" || path == "config/url")) {
    const auto before = kept ? kept->as_string() : std::nullopt;
    const auto url = unmasked_url(*given.as_string(), before.value_or(""));
    reader.check(url.has_value(), path, kUnknown);
    out.string(url.value_or(""));
    return;
  }
  if (!given.is_object()) {
    out.raw(given.raw());
    return;
  }
  out.begin_object();
  for (const auto& [name, value] : given.members()) {
    const auto before = kept && kept->is_object() ? kept->find(name) : std::nullopt;
    write_unmasked(out.key(name), value, before, reader, fmt::format("{}/{}", path, name));
  }
  out.end_object();
}

/// `config` with the settings that stand beside it, over those of `base`; masks stand for what
/// `present` has.
std::string joined_config(json::Value json,
                          const Type& type,
                          Reader& reader,
                          const Definition& base,
                          const Definition& present) {
  const auto config = reader.find("config");
  reader.check(!config || config->is_object(), "config", "must be an object");
  const auto kept = json::Document::parse(base.config, json::kEvent);
  const auto known = json::Document::parse(present.config, json::kEvent);
  std::vector<std::pair<std::string, std::string>> settings;
  const auto own_name = [&](std::string_view given) {
    const Setting* declared = type.find_setting(given);
    return declared == nullptr ? given : std::string_view(declared->name);
  };
  const auto put = [&](std::string_view given, std::string text) {
    const std::string_view name = own_name(given);
    std::erase_if(settings, [&](const auto& pair) { return pair.first == name; });
    settings.emplace_back(name, std::move(text));
  };
  const auto take = [&](std::string_view given, json::Value value, const std::string& path) {
    const std::string_view name = own_name(given);
    if (value.is_null()) {
      std::erase_if(settings, [&](const auto& pair) { return pair.first == name; });
      return;
    }
    json::Writer out;
    write_unmasked(out, value, known ? known->root().find(name) : std::nullopt, reader, path);
    put(name, out.take());
  };
  if (kept) {
    for (const auto& [name, value] : kept->root().members()) {
      put(name, std::string(value.raw()));
    }
  }
  if (config) {
    for (const auto& [name, value] : config->members()) {
      take(name, value, fmt::format("config/{}", name));
    }
  }
  if (const auto secret = reader.find("secret"); secret && secret->is_string()) {
    put(type.key, fmt::format("{{\"secret\":{}}}", secret->raw()));
  }
  const auto take_beside = [&](const std::string& name) {
    static_cast<void>(reader.find(name.c_str()));  // it is known
    if (const auto value = json.find(name)) {
      take(name, *value, name);
    }
  };
  for (const Setting& setting : type.settings) {
    if (setting.name != "secret") {
      take_beside(setting.name);
    }
    std::ranges::for_each(setting.also, take_beside);
  }
  for (const auto& [name, ignored] : json.members()) {
    reader.check(reader.knows(name), name, "is not known");
  }
  json::Writer out;
  out.begin_object();
  for (const auto& [name, text] : settings) {
    out.key(name).raw(text);
  }
  return out.end_object().take();
}

}  // namespace

std::optional<double> rate_of(json::Value value) {
  double number = value.as_double().value_or(-1);
  if (const auto text = value.as_string()) {
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    const std::string_view unit = text->substr(static_cast<std::size_t>(end - text->data()));
    const bool good = error == std::errc{} && (unit == "/s" || unit == "/m" || unit == "/h");
    number = good ? number / (unit == "/s" ? 1 : unit == "/m" ? 60 : 3600) : -1;
  }
  return number >= 0 && number <= 1e6 ? std::optional(number) : std::nullopt;
}

bool Lists::admits(std::string_view name) const {
  return std::ranges::find(deny, name) == deny.end() &&
         (allow.empty() || std::ranges::find(allow, name) != allow.end());
}

Result<Definition> read_definition(json::Value json,
                                   const Catalogue& catalogue,
                                   Definition base,
                                   const Definition* present) {
  const Definition& before = present == nullptr ? base : *present;
  Reader reader(json);
  Definition made = base;
  reset_nulls(json, made);
  reader.text("id", made.id);
  reader.text("name", made.name);
  reader.text("type", made.type);
  if (!json.is_object() || (!reader.error() && (made.name.empty() || made.type.empty()))) {
    return Failure({ErrorCode::InvalidArgument,
                    "a destination needs name and type",
                    made.name.empty() ? "/name" : "/type",
                    "missing_fields"});
  }
  const Type* type = catalogue.find(made.type);
  reader.check(type != nullptr, "type", fmt::format("names no kind of destination: {}", made.type));
  reader.check(
      encoding::count_code_points(made.name) <= 100, "name", "must be at most 100 characters");
  const bool keeps_id = before.id.empty() || made.id.empty() || made.id == before.id;
  reader.check(keeps_id, "id", "cannot be changed");
  made.id = made.id.empty() ? id_from(made.name) : made.id;
  reader.check(is_id(made.id), "id", "must be 1 to 64 letters, digits, _, - or .");
  const auto linger = json.find("lingerMs");
  const bool lingers_as_type = base.type.empty() || (linger && linger->is_null());
  made.linger = lingers_as_type && type != nullptr ? type->linger : made.linger;
  reader.boolean("enabled", made.enabled);
  reader.texts("consent", made.consent);
  reader.text("filter", made.filter);
  read_ip(reader, made.ip);
  read_types(reader, made.types);
  reader.lists("events", made.events);
  read_retry(reader, made.retry);
  read_rate(reader, made.rate);
  reader.number("concurrency", 1, 64, made.concurrency);
  reader.time("connectTimeoutMs", 1, 600'000, made.connect_timeout);
  reader.time("timeoutMs", 1, 600'000, made.timeout);
  reader.time("lingerMs", 0, 60'000, made.linger);
  read_ordering(reader, made.ordering);
  if (type != nullptr) {
    made.type = type->name;
    made.config = joined_config(json, *type, reader, base, before);
  }
  if (reader.error()) {
    return Failure(*reader.error());
  }
  return made;
}

bool is_common_setting(std::string_view name) {
  return std::ranges::find(kCommonSettings, name) != kCommonSettings.end();
}

namespace {

void write_list(json::Writer& out, const char* name, const std::vector<std::string>& list) {
  out.key(name).begin_array();
  for (const std::string& text : list) {
    out.string(text);
  }
  out.end_array();
}

void write_lists(json::Writer& out, const char* name, const Lists& lists) {
  if (lists != Lists{}) {
    out.key(name).begin_object();
    write_list(out, "allow", lists.allow);
    write_list(out, "deny", lists.deny);
    out.end_object();
  }
}

void write_retry(json::Writer& out, const RetryPolicy& retry) {
  out.key("retry").begin_object();
  out.member("baseMs", retry.base.count()).member("capMs", retry.cap.count());
  out.member("maxAgeMs", retry.max_age.count());
  out.member("maxAttempts", std::uint64_t{retry.max_attempts});
  out.member("throttleMs", retry.throttle.count());
  out.member("probeMs", retry.probe.count()).end_object();
}

}  // namespace

void write_definition(json::Writer& out,
                      const Definition& definition,
                      const Catalogue& catalogue,
                      bool masked) {
  out.member("id", definition.id).member("name", definition.name).member("type", definition.type);
  out.member("enabled", definition.enabled).key("config");
  const Type* type = catalogue.find(definition.type);
  const auto config = json::Document::parse(definition.config, json::kEvent);
  if (masked && type != nullptr && config) {
    write_config(out, *type, config->root());
  } else {
    out.raw(definition.config);
  }
  write_list(out, "consent", definition.consent);
  if (!definition.filter.empty()) {
    out.member("filter", definition.filter);
  }
  if (definition.ip) {
    out.member("ip",
               std::ranges::find(kIpModes, *definition.ip, &decltype(kIpModes)::value_type::second)
                   ->first);
  }
  write_lists(out, "types", definition.types);
  write_lists(out, "events", definition.events);
  write_retry(out, definition.retry);
  out.key("rate").number(definition.rate);
  out.member("concurrency", std::uint64_t{definition.concurrency});
  out.member("connectTimeoutMs", definition.connect_timeout.count());
  out.member("timeoutMs", definition.timeout.count());
  out.member("lingerMs", definition.linger.count());
  out.member("ordering", definition.ordering == Ordering::User ? "user" : "none");
}

}  // namespace edge::destinations
