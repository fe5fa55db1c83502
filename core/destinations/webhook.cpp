// SPDX-License-Identifier: MIT
// Webhooks: the event as JSON to a URL of one's own (events spec 7.6), signed as Standard Webhooks
// describe it. One request per event, or a list of events with `batch`.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>

#include "core/crypto/digest.h"
#include "core/crypto/webhook_signature.h"
#include "core/destinations/catalogue.h"
#include "core/destinations/endpoint.h"
#include "core/destinations/judge.h"
#include "core/encoding/hex.h"
#include "core/json/writer.h"

namespace edge::destinations {
namespace {

constexpr std::int64_t kMaxBatch = 100;

enum class Format : std::uint8_t { Event, Standard, Action, Mapping };

/// A body that a mapping describes: where a value stands, and where it comes from.
struct MappedField {
  std::vector<std::string> target = {};
  std::string pointer = {};   ///< RFC 6901 into the event; empty for a constant
  std::string constant = {};  ///< JSON text
};

struct Options {
  std::string url = {};
  std::string method = "POST";
  Format format = Format::Event;
  std::string type_prefix = "event";
  transport::Headers headers = {};
  std::vector<MappedField> mapping = {};
  std::size_t batch = 0;  ///< 0 = one event per request, not in a list
  std::vector<std::string> keys = {};
  std::string legacy_key = {};
  std::vector<std::string> secrets = {};  ///< header values that came from secrets
};

/// The original's shape of an event.
std::string action_body(const events::Event& event) {
  static constexpr std::array kMembers{"userId",
                                       "anonymousId",
                                       "event",
                                       "name",
                                       "groupId",
                                       "previousId",
                                       "properties",
                                       "traits",
                                       "context",
                                       "messageId"};
  json::Writer out;
  out.begin_object().member("action", events::name_of(event.type()));
  for (const char* name : kMembers) {
    if (const auto value = event.root().find(name)) {
      out.key(name).value(*value);
    }
  }
  out.member("timestamp", to_ms(event.timestamp())).end_object();
  return out.take();
}

std::string standard_body(const events::Event& event, const std::string& prefix) {
  json::Writer out;
  out.begin_object();
  out.member("type", fmt::format("{}.{}", prefix, events::name_of(event.type())));
  out.member("timestamp", events::format_time(event.timestamp()));
  out.key("data").raw(events::without_internals(event)).end_object();
  return out.take();
}

/// Members of a mapped body in the order of the mapping.
struct Branch {
  std::vector<std::pair<std::string, Branch>> members = {};
  std::string leaf = {};

  void put(std::span<const std::string> path, std::string value) {
    if (path.empty()) {
      leaf = std::move(value);
      return;
    }
    auto found = std::ranges::find(members, path.front(), &std::pair<std::string, Branch>::first);
    if (found == members.end()) {
      found = members.insert(found, {path.front(), Branch{}});
    }
    found->second.put(path.subspan(1), std::move(value));
  }
  void write(json::Writer& out) const {
    if (members.empty() && !leaf.empty()) {
      out.raw(leaf);
      return;
    }
    out.begin_object();
    for (const auto& [name, branch] : members) {
      out.key(name);
      branch.write(out);
    }
    out.end_object();
  }
};

std::string mapped_body(const events::Event& event, const std::vector<MappedField>& fields) {
  Branch body;
  for (const MappedField& field : fields) {
    if (field.pointer.empty()) {
      body.put(field.target, field.constant);
    } else if (const auto value = event.root().at_pointer(field.pointer);
               value && !field.pointer.starts_with("/_edge")) {
      body.put(field.target, std::string(value->raw()));
    }
  }
  json::Writer out;
  body.write(out);
  return out.take();
}

class Webhook final : public Destination {
 public:
  explicit Webhook(Options options)
      : options_(std::move(options)),
        channels_{{{.max_records = std::max<std::size_t>(options_.batch, 1)}}} {}

  [[nodiscard]] bool takes_deletions() const override { return true; }

  [[nodiscard]] BatchSize batch_size() const override {
    const std::size_t batch = std::max<std::size_t>(options_.batch, 1);
    return {batch, batch};
  }
  [[nodiscard]] std::span<const Channel> channels() const override { return channels_; }

  [[nodiscard]] Mapped map(const events::Event& event) const override {
    return {.pieces = {{.records = {{.text = body_of(event),
                                     .id = crypto::webhook_id(event.message_id())}}}}};
  }

  [[nodiscard]] Request request(std::size_t channel, std::vector<Record> records) const override {
    Request made{.method = options_.method,
                 .url = options_.url,
                 .headers = options_.headers,
                 .body = options_.batch > 0 ? list_of(records) : records[0].text,
                 .channel = channel,
                 .records = std::move(records)};
    made.headers.emplace_back("content-type", "application/json");
    made.headers.emplace_back("webhook-id", id_of(made.records));
    return made;
  }

  void sign(Request& request, Time now) const override {
    const auto id = std::ranges::find(
        request.headers, "webhook-id", &std::pair<std::string, std::string>::first);
    const std::int64_t seconds = to_ms(now) / 1000;
    if (!options_.keys.empty() && id != request.headers.end()) {
      const std::string signature =
          crypto::webhook_signature(options_.keys, id->second, seconds, request.body);
      request.headers.emplace_back("webhook-timestamp", std::to_string(seconds));
      request.headers.emplace_back("webhook-signature", signature);
    }
    if (!options_.legacy_key.empty()) {
      request.headers.emplace_back("x-signature",
                                   encoding::hex_encode(crypto::hmac(
                                       crypto::Hash::Sha1, options_.legacy_key, request.body)));
    }
  }

  [[nodiscard]] Judgement judge(const Request& request,
                                const Answer& answer,
                                Time now) const override {
    return judge_webhook(request, answer, now);
  }

  [[nodiscard]] std::vector<std::string> secrets() const override { return options_.secrets; }

 private:
  [[nodiscard]] std::string body_of(const events::Event& event) const {
    if (const auto deletion = event.root().at_pointer("/_edge/deletion")) {
      return R"({"type":"delete",)" + std::string(deletion->raw().substr(1));
    }
    switch (options_.format) {
      case Format::Standard:
        return standard_body(event, options_.type_prefix);
      case Format::Action:
        return action_body(event);
      case Format::Mapping:
        return mapped_body(event, options_.mapping);
      case Format::Event:
        break;
    }
    return events::without_internals(event);
  }

  static std::string list_of(const std::vector<Record>& records) {
    std::string body = "[";
    for (const Record& record : records) {
      body += (body.size() == 1 ? "" : ",") + record.text;
    }
    return body + "]";
  }

  /// The id of a list of several events covers them all: a receiver that drops a repeated id must
  /// not drop another list that begins with the same event.
  static std::string id_of(const std::vector<Record>& records) {
    if (records.size() == 1) {
      return records[0].id;
    }
    std::string ids;
    for (const Record& record : records) {
      ids += record.id + " ";
    }
    return "msg_" + encoding::hex_encode(crypto::sha256(ids)).substr(0, 32);
  }

  Options options_;
  std::array<Channel, 1> channels_;
};

/// Failure: one target lies within another, which is a value and cannot have members.
Result<void> check_targets(const std::vector<MappedField>& fields) {
  std::vector<std::vector<std::string>> targets;
  for (const MappedField& field : fields) {
    targets.push_back(field.target);
  }
  std::ranges::sort(targets);  // a target comes right before those within it
  for (std::size_t i = 1; i < targets.size(); ++i) {
    const auto& outer = targets[i - 1];
    const auto& inner = targets[i];
    if (outer.size() <= inner.size() && std::equal(outer.begin(), outer.end(), inner.begin())) {
      return Failure({ErrorCode::InvalidArgument,
                      fmt::format("the mapping target \"{}\" lies within \"{}\"",
                                  fmt::join(inner, "."),
                                  fmt::join(outer, ".")),
                      "/config/mapping"});
    }
  }
  return {};
}

Result<std::vector<MappedField>> read_mapping(json::Value mapping) {
  std::vector<MappedField> fields;
  for (const auto& [target, source] : mapping.members()) {
    MappedField field;
    for (std::string_view rest = target;;) {
      const std::size_t dot = rest.find('.');
      field.target.emplace_back(rest.substr(0, dot));
      if (field.target.back().empty()) {
        return Failure({ErrorCode::InvalidArgument,
                        fmt::format("the mapping target \"{}\" has an empty part", target),
                        "/config/mapping"});
      }
      if (dot == std::string_view::npos) {
        break;
      }
      rest.remove_prefix(dot + 1);
    }
    const std::string_view text = source.as_string().value_or("");
    if (text.starts_with("$.")) {
      for (const char c : text.substr(1)) {
        field.pointer += c == '.' ? "/" : c == '/' ? "~1" : c == '~' ? "~0" : std::string(1, c);
      }
    } else {
      field.constant = source.raw();
    }
    fields.push_back(std::move(field));
  }
  if (auto apart = check_targets(fields); !apart) {
    return Failure(apart.error());
  }
  return fields;
}

Result<void> read_headers(const Settings& settings, Options& options) {
  const auto given = settings.value("headers");
  if (!given) {
    return {};
  }
  for (const auto& [name, value] : given->members()) {
    if (!value.is_string() && !names_secret(value)) {
      return Failure({ErrorCode::InvalidArgument,
                      fmt::format("the header \"{}\" must be a text or {{\"secret\":NAME}}", name),
                      "/config/headers"});
    }
    auto text = settings.resolve(value);
    if (!text) {
      return Failure(text.error());
    }
    std::string lower(name);
    std::ranges::transform(lower, lower.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    constexpr std::array kOurs{
        "content-type", "webhook-id", "host", "content-length", "transfer-encoding", "connection"};
    const bool odd = lower.empty() || lower.find_first_of(": \t\r\n") != std::string::npos ||
                     text->find_first_of("\r\n") != std::string::npos;
    if (odd || std::ranges::find(kOurs, lower) != kOurs.end()) {
      return Failure({ErrorCode::InvalidArgument,
                      fmt::format("the header \"{}\" cannot be set", odd ? "" : lower),
                      "/config/headers"});
    }
    if (value.is_object()) {
      options.secrets.push_back(*text);
    }
    options.headers.emplace_back(std::move(lower), std::move(*text));
  }
  return {};
}

Result<void> read_keys(const Settings& settings, Options& options) {
  const auto given = settings.value("secret");
  std::vector<json::Value> values;
  if (given && given->is_array()) {
    for (const json::Value item : given->elements()) {
      values.push_back(item);
    }
  } else if (given) {
    values.push_back(*given);
  }
  for (const json::Value value : values) {
    const auto secret = settings.resolve(value);
    auto key = secret.and_then([](const std::string& text) { return crypto::webhook_key(text); });
    if (!key) {
      Error error = key.error();
      error.field = error.field.empty() ? "/config/secret" : error.field;
      return Failure(std::move(error));
    }
    if (options.legacy_key.empty() && settings.is_on("legacySignature")) {
      options.legacy_key = *secret;
    }
    options.keys.push_back(std::move(*key));
  }
  if (values.empty() && settings.is_on("legacySignature")) {
    return Failure(
        {ErrorCode::InvalidArgument, "legacySignature needs a secret", "/config/legacySignature"});
  }
  return {};
}

Result<void> read_format(const Settings& settings, Options& options) {
  static const std::map<std::string, Format, std::less<>> kFormats{{"event", Format::Event},
                                                                   {"standard", Format::Standard},
                                                                   {"action", Format::Action},
                                                                   {"mapping", Format::Mapping}};
  const auto mapping = settings.value("mapping");
  const std::string name = *settings.text("format", mapping ? "mapping" : "event");
  options.format = kFormats.at(name);
  if ((options.format == Format::Mapping) != mapping.has_value()) {
    return Failure({ErrorCode::InvalidArgument,
                    "the format \"mapping\" and the setting \"mapping\" belong together",
                    "/config/format"});
  }
  if (mapping) {
    auto fields = read_mapping(*mapping);
    if (!fields) {
      return Failure(fields.error());
    }
    options.mapping = std::move(*fields);
  }
  return {};
}

Result<std::unique_ptr<Destination>> make_webhook(const Settings& settings) {
  Options options;
  options.method = *settings.text("method", "POST");
  options.type_prefix = *settings.text("typePrefix", "event");
  const std::int64_t batch = settings.number("batch", 0);
  if (batch > kMaxBatch) {
    return Failure({ErrorCode::InvalidArgument,
                    fmt::format("the setting \"batch\" must be at most {}", kMaxBatch),
                    "/config/batch"});
  }
  options.batch = static_cast<std::size_t>(batch);
  auto url = settings.text("url");
  if (!url) {
    return Failure(url.error());
  }
  if (auto checked = check_url(*url); !checked) {
    return Failure(checked.error());
  }
  options.url = std::move(*url);
  for (const auto& read : {read_headers(settings, options),
                           read_format(settings, options),
                           read_keys(settings, options)}) {
    if (!read) {
      return Failure(read.error());
    }
  }
  return std::make_unique<Webhook>(std::move(options));
}

}  // namespace

void webhook(Catalogue& catalogue) {
  using Kind = Setting::Kind;
  catalogue.add(
      {.name = "webhook",
       .also = "custom",
       .integrations = {"Webhook", "Webhooks"},
       .key = "secret",
       .settings =
           {{.name = "url", .help = "where to send", .required = true},
            {.name = "method", .help = "HTTP method", .choices = {"POST", "PUT", "PATCH"}},
            {.name = "format",
             .help = "shape of the body",
             .choices = {"event", "standard", "action", "mapping"}},
            {.name = "typePrefix", .help = "first part of `type` in the format standard"},
            {.name = "mapping",
             .kind = Kind::Object,
             .help = "target path to $.source or constant"},
            {.name = "headers", .kind = Kind::Object, .help = "further header fields"},
            {.name = "batch", .kind = Kind::Number, .help = "events per request as a list, to 100"},
            {.name = "secret",
             .kind = Kind::Texts,
             .help = "whsec_… secrets that sign",
             .secret = true},
            {.name = "legacySignature", .kind = Kind::Boolean, .help = "X-Signature with SHA-1"}},
       .make = make_webhook});
}

}  // namespace edge::destinations
