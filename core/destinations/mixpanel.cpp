// SPDX-License-Identifier: MIT
// Mixpanel: events by /import, profiles by /engage, groups by /groups (events spec 7.5).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/destinations/catalogue.h"
#include "core/destinations/endpoint.h"
#include "core/destinations/event_fields.h"
#include "core/destinations/judge.h"
#include "core/destinations/mixpanel_profile.h"
#include "core/destinations/vendor.h"
#include "core/encoding/percent.h"

namespace edge::destinations {
namespace {

using std::chrono::milliseconds;

enum Place : std::size_t { kProfiles, kGroups, kEvents, kPlaces };

constexpr std::size_t kMaxBatch = 2'000;
constexpr std::size_t kMaxGroups = 200;
constexpr std::size_t kMaxBytes = 2'000'000;
constexpr milliseconds kThrottledWait = std::chrono::seconds(2);

struct Options {
  std::array<std::string, kPlaces> urls = {};
  std::string authorization = {};
  std::vector<std::string> secrets = {};
  std::size_t batch = kMaxBatch;
  bool gzip = true;
  MixpanelRules rules = {};
};

/// Reads `failed_records` of an answer; nothing when it names none of the request's records.
std::optional<Judgement> judge_failed(const Request& request, json::Value answer) {
  const Field failed = field(answer, "failed_records");
  Judgement judgement = all_records(request.records.size(), Action::Delivered, "");
  bool found = false;
  for (const json::Value record : failed ? failed->elements() : json::Elements{}) {
    const Field index = field(record, "index");
    const auto number = index ? index->as_uint64() : std::nullopt;
    if (!number || *number >= judgement.records.size()) {
      continue;
    }
    const std::string_view what = text_of(field(record, "field"));
    const std::string_view why = text_of(field(record, "message"));
    judgement.records[*number] = {Action::Dead,
                                  what.empty() ? std::string(why.empty() ? "rejected" : why)
                                               : fmt::format("{}: {}", what, why)};
    found = true;
  }
  return found ? std::optional(std::move(judgement)) : std::nullopt;
}

/// 200 of /engage and /groups may still say no.
std::optional<std::string> refusal_in(std::string_view body, Field answer) {
  const Field error = field(answer, "error");
  if (!text_of(error).empty()) {
    return fmt::format("rejected: {}", text_of(error));
  }
  const Field status = answer && answer->is_object() ? field(answer, "status") : answer;
  const bool is_zero = status && status->as_int64() == 0;
  return is_zero || body == "0" ? std::optional<std::string>("rejected: 0") : std::nullopt;
}

class Mixpanel final : public Destination {
 public:
  explicit Mixpanel(Options options)
      : options_(std::move(options)),
        channels_{{{.max_records = kMaxBatch, .max_bytes = kMaxBytes},
                   {.max_records = kMaxGroups, .max_bytes = kMaxBytes},
                   {.max_records = kMaxBatch, .max_bytes = kMaxBytes, .gzip = options_.gzip}}} {}

  [[nodiscard]] BatchSize batch_size() const override { return {options_.batch, options_.batch}; }
  [[nodiscard]] std::span<const Channel> channels() const override { return channels_; }

  [[nodiscard]] Mapped map(const events::Event& event) const override {
    using events::Type;
    switch (event.type()) {
      case Type::Identify:
        return map_identify(event);
      case Type::Group:
        return map_group(event);
      case Type::Alias:
        return map_alias(event);
      default: {
        Mapped mapped;
        add(mapped, kEvents, {mixpanel_event(event, options_.rules)}, event);
        return checked(std::move(mapped));
      }
    }
  }

  [[nodiscard]] Request request(std::size_t channel, std::vector<Record> records) const override {
    Request made{.url = options_.urls[channel],
                 .headers = {{"content-type", "application/json"}},
                 .body = "[",
                 .channel = channel,
                 .records = std::move(records)};
    if (channel == kEvents) {
      made.headers.emplace_back("authorization", options_.authorization);
    }
    for (const Record& record : made.records) {
      made.body += made.body.size() == 1 ? "" : ",";
      made.body += record.text;
    }
    made.body += "]";
    return made;
  }

  void sign(Request& /*request*/, Time /*now*/) const override {}

  [[nodiscard]] Judgement judge(const Request& request,
                                const Answer& answer,
                                Time now) const override {
    const int status = answer ? answer->status : 0;
    const bool is_import = request.channel == kEvents;
    if (status == 200 || (status == 400 && is_import)) {
      const auto body = json::Document::parse(answer->body, json::kEvent);
      const Field root = body ? Field(body->root()) : std::nullopt;
      if (auto failed = root ? judge_failed(request, *root) : std::nullopt) {
        return std::move(*failed);
      }
      if (auto why = status == 200 && !is_import ? refusal_in(answer->body, root) : std::nullopt) {
        return refused(request, std::move(*why));
      }
    }
    return judge_vendor(request, answer, now, {.throttled_wait = kThrottledWait});
  }

  [[nodiscard]] std::vector<std::string> secrets() const override { return options_.secrets; }

 private:
  static void add(Mapped& mapped,
                  std::size_t channel,
                  std::vector<std::string> texts,
                  const events::Event& event) {
    Piece piece{.channel = channel};
    for (std::string& text : texts) {
      if (!text.empty()) {
        piece.records.push_back(
            {.text = std::move(text), .id = mixpanel_insert_id(event.message_id())});
      }
    }
    if (!piece.records.empty()) {
      mapped.pieces.push_back(std::move(piece));
    }
  }

  static Mapped checked(Mapped mapped) {
    for (const Piece& piece : mapped.pieces) {
      for (const Record& record : piece.records) {
        if (!fits_mixpanel(record.text)) {
          return Mapped::rejected("mixpanel_limits");
        }
      }
    }
    return mapped.pieces.empty() ? Mapped::filtered("nothing_to_send") : std::move(mapped);
  }

  [[nodiscard]] Mapped map_identify(const events::Event& event) const {
    if (mixpanel_distinct_id(event, options_.rules).empty()) {
      return Mapped::rejected("no_valid_id");
    }
    Mapped mapped;
    add(mapped, kProfiles, mixpanel_profile(event, options_.rules), event);
    if (options_.rules.link_event) {
      add(mapped, kEvents, {mixpanel_link(event, options_.rules)}, event);
    }
    return checked(std::move(mapped));
  }

  [[nodiscard]] Mapped map_group(const events::Event& event) const {
    Mapped mapped;
    add(mapped, kProfiles, mixpanel_profile(event, options_.rules), event);
    add(mapped, kGroups, mixpanel_group(event, options_.rules), event);
    return mapped.pieces.empty() ? Mapped::rejected("no_valid_id") : checked(std::move(mapped));
  }

  [[nodiscard]] Mapped map_alias(const events::Event& event) const {
    if (!options_.rules.original_ids) {
      return Mapped::filtered("unsupported_in_id_mode");
    }
    if (usable_id(event.previous_id()).empty() || usable_id(event.user_id()).empty()) {
      return Mapped::rejected("no_valid_id");
    }
    if (event.previous_id() == event.user_id()) {
      return Mapped::filtered("alias_to_self");
    }
    Mapped mapped;
    add(mapped, kEvents, {mixpanel_alias(event, options_.rules)}, event);
    return checked(std::move(mapped));
  }

  Options options_;
  std::array<Channel, kPlaces> channels_;
};

MixpanelRules read_rules(const Settings& settings, std::string token) {
  MixpanelRules rules;
  rules.token = std::move(token);
  rules.original_ids = settings.text("idMode").value_or("") == "original";
  rules.link_event = !settings.value("linkEvent") || settings.is_on("linkEvent");
  rules.group_key = *settings.text("groupKey", rules.group_key);
  rules.page_event = *settings.text("pageEvent", rules.page_event);
  rules.screen_event = *settings.text("screenEvent", rules.screen_event);
  rules.set_once = settings.texts("setOnce");
  rules.add = settings.texts("add");
  rules.unite = settings.texts("union");
  rules.append = settings.texts("append");
  return rules;
}

/// Authorisation of /import: the token, or a service account.
Result<void> read_authorization(const Settings& settings,
                                const std::string& token,
                                Options& options) {
  options.secrets = {token};
  options.authorization = basic_authorization(token, "");
  const auto account = settings.value("serviceAccount");
  if (!account) {
    return {};
  }
  const Field user = field(account, "username");
  const Field secret = field(account, "secret");
  const auto password = secret ? settings.resolve(*secret) : Result<std::string>("");
  if (!password) {
    return Failure(password.error());
  }
  if (text_of(user).empty() || password->empty() || !settings.value("projectId")) {
    return Failure({ErrorCode::InvalidArgument,
                    "a serviceAccount needs username and secret, and the setting projectId",
                    "/config/serviceAccount"});
  }
  options.authorization = basic_authorization(text_of(user), *password);
  options.secrets.push_back(*password);
  return {};
}

const VendorForm& form() {
  static const VendorForm kForm{.key = "token",
                                .key_help = "token of the project",
                                .key_also = {"writeKey", "apiKey"},
                                .region_help = "where the project is",
                                .bases = {{"us", "https://api.mixpanel.com"},
                                          {"eu", "https://api-eu.mixpanel.com"},
                                          {"in", "https://api-in.mixpanel.com"}},
                                .batch = kMaxBatch,
                                .max_batch = kMaxBatch};
  return kForm;
}

Result<std::unique_ptr<Destination>> make_mixpanel(const Settings& settings) {
  auto vendor = read_vendor(settings, form());
  if (!vendor) {
    return Failure(vendor.error());
  }
  Options options;
  if (auto read = read_authorization(settings, vendor->key, options); !read) {
    return Failure(read.error());
  }
  const std::string project = settings.text("projectId").value_or("");
  options.urls = {vendor->base + "/engage?strict=1&verbose=1&ip=0",
                  vendor->base + "/groups?strict=1&verbose=1",
                  vendor->base + "/import?strict=1" +
                      (project.empty() ? "" : "&project_id=" + encoding::percent_encode(project))};
  options.batch = vendor->batch;
  options.gzip = !settings.value("gzip") || settings.is_on("gzip");
  options.rules = read_rules(settings, std::move(vendor->key));
  return std::make_unique<Mixpanel>(std::move(options));
}

}  // namespace

void mixpanel(Catalogue& catalogue) {
  using Kind = Setting::Kind;
  std::vector<Setting> own = naming_settings({{"setOnce", "traits that keep their first value"},
                                              {"add", "traits that are added up"},
                                              {"union", "traits that are sets"},
                                              {"append", "traits that are appended"}});
  own.push_back({.name = "projectId", .help = "number of the project, for a service account"});
  own.push_back({.name = "serviceAccount",
                 .kind = Kind::Object,
                 .help = "username and secret, instead of the token, for events",
                 .secret = true});
  own.push_back(
      {.name = "idMode", .help = "how ids are merged", .choices = {"simplified", "original"}});
  own.push_back({.name = "linkEvent",
                 .kind = Kind::Boolean,
                 .help = "identify also sends $identify (default true)"});
  own.push_back({.name = "groupKey", .help = "name of the group key (default $group_id)"});
  own.push_back({.name = "gzip", .kind = Kind::Boolean, .help = "pack events (default true)"});
  catalogue.add({.name = "mixpanel",
                 .integrations = {"Mixpanel", "Mixpanel (Actions)"},
                 .key = form().key,
                 .linger = milliseconds(500),
                 .settings = vendor_settings(form(), std::move(own)),
                 .make = make_mixpanel});
}

}  // namespace edge::destinations
