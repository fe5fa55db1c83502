// SPDX-License-Identifier: MIT
// Amplitude: its HTTP V2 API, or its batch API, and the user map for alias (events spec 7.4).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/destinations/amplitude_event.h"
#include "core/destinations/catalogue.h"
#include "core/destinations/event_fields.h"
#include "core/destinations/judge.h"
#include "core/destinations/vendor.h"
#include "core/encoding/percent.h"
#include "core/json/writer.h"

namespace edge::destinations {
namespace {

using std::chrono::milliseconds;

enum Place : std::size_t { kEvents, kUserMap, kPlaces };

constexpr std::int64_t kMaxRecords = 2'000;
constexpr std::size_t kRecommendedBatch = 10;
constexpr std::size_t kBacklogBatch = 500;
constexpr std::size_t kMaxBytes = 1'000'000 - 1'000;        // the rest of the body and a reserve
constexpr std::size_t kMaxBatchBytes = 20'000'000 - 1'000;  // of the batch API
constexpr milliseconds kThrottledWait = std::chrono::seconds(30);
constexpr milliseconds kQuotaWait = std::chrono::hours(1);

const std::string kUserMapBase = "https://api.amplitude.com";  // unlike that of the events

struct Options {
  std::string events_url = {};
  std::string user_map_url = {};
  std::string api_key = {};
  std::size_t batch = kRecommendedBatch;
  bool is_batch_api = false;
  AmplitudeRules rules = {};
};

/// Reads the lists of an answer: which records it names, and why.
class Lists {
 public:
  Lists(const Request& request, json::Value answer)
      : answer_(answer),
        verdicts_(request.records.size(), Verdict{Action::Resend}),
        records_(request.records) {}

  /// Marks the records whose index stands in a list.
  void mark(Field list, const Verdict& verdict) {
    for (const json::Value index : list ? list->elements() : json::Elements{}) {
      const auto number = index.as_uint64();
      if (number && *number < verdicts_.size()) {
        set(*number, verdict);
      }
    }
  }
  /// The same for an object of lists, `{"time":[0,2]}`: the reason names the member.
  void mark_fields(const char* name, const char* why) {
    const Field lists = field(answer_, name);
    for (const auto& [member, list] : lists ? lists->members() : json::Members{}) {
      mark(list, {Action::Dead, fmt::format("{}:{}", why, member)});
    }
  }
  /// Marks the records of the users or devices that are members of an object or list.
  void mark_people(const char* name, const char* id, const Verdict& verdict) {
    const Field listed = field(answer_, name);
    std::set<std::string_view> people;
    for (const auto& [person, ignored] : listed ? listed->members() : json::Members{}) {
      people.insert(person);
    }
    for (const json::Value person : listed ? listed->elements() : json::Elements{}) {
      people.insert(person.as_string().value_or(""));
    }
    for (std::size_t i = 0; i < records_.size() && !people.empty(); ++i) {
      const auto document = json::Document::parse(records_[i].text, json::kEvent);
      if (document && people.contains(text_of(field(document->root(), id)))) {
        set(i, verdict);
      }
    }
  }
  [[nodiscard]] bool found() const { return found_; }
  std::vector<Verdict> take() { return std::move(verdicts_); }

 private:
  /// What was said first stays.
  void set(std::size_t index, const Verdict& verdict) {
    found_ = true;
    if (verdicts_[index].action == Action::Resend) {
      verdicts_[index] = verdict;
    }
  }

  json::Value answer_;
  std::vector<Verdict> verdicts_;
  const std::vector<Record>& records_;
  bool found_ = false;
};

/// 400: nothing was taken. What the lists name is dead or waits, the rest is sent again.
Judgement judge_refusal(const Request& request, json::Value answer) {
  const std::size_t count = request.records.size();
  if (text_of(field(answer, "error")).starts_with("Invalid API key") ||
      text_of(field(answer, "missing_field")) == "api_key") {
    return bad_credentials(count);
  }
  Lists lists(request, answer);
  lists.mark_fields("events_with_invalid_fields", "invalid_fields");
  lists.mark_fields("events_with_missing_fields", "missing_fields");
  lists.mark_fields("events_with_invalid_id_lengths", "invalid_id_lengths");
  lists.mark(field(answer, "silenced_events"), {Action::Dead, "silenced"});
  lists.mark(field(answer, "throttled_events"), {Action::Hold, "throttled"});
  return lists.found() ? Judgement{.records = lists.take()} : refused(request, "bad_request");
}

/// 429: those it names wait, the rest is sent again. Nothing when it names none.
std::optional<Judgement> judge_throttling(const Request& request, json::Value answer) {
  Lists lists(request, answer);
  const Verdict quota{Action::Hold, "daily_quota", kQuotaWait};
  const Verdict throttled{Action::Hold, "throttled"};
  lists.mark_people("exceeded_daily_quota_users", "user_id", quota);
  lists.mark_people("exceeded_daily_quota_devices", "device_id", quota);
  lists.mark(field(answer, "throttled_events"), throttled);
  lists.mark_people("throttled_users", "user_id", throttled);
  lists.mark_people("throttled_devices", "device_id", throttled);
  return lists.found() ? std::optional(Judgement{.records = lists.take()}) : std::nullopt;
}

class Amplitude final : public Destination {
 public:
  explicit Amplitude(Options options)
      : options_(std::move(options)),
        channels_{{{.max_records = kMaxRecords,
                    .max_bytes = options_.is_batch_api ? kMaxBatchBytes : kMaxBytes},
                   {.max_records = kMaxRecords, .max_bytes = kMaxBytes, .is_form = true}}} {}

  [[nodiscard]] BatchSize batch_size() const override {
    return {options_.batch, std::max(options_.batch, kBacklogBatch)};
  }
  [[nodiscard]] std::span<const Channel> channels() const override { return channels_; }

  [[nodiscard]] Mapped map(const events::Event& event) const override {
    if (event.type() == events::Type::Alias) {
      return map_alias(event);
    }
    std::vector<std::string> texts = amplitude_events(event, options_.rules);
    if (texts.empty()) {
      return Mapped::rejected("no_valid_id");
    }
    Piece piece{.channel = kEvents};
    for (std::string& text : texts) {
      piece.records.push_back({.text = std::move(text), .id = std::string(event.message_id())});
    }
    return {.pieces = {std::move(piece)}};
  }

  [[nodiscard]] Request request(std::size_t channel, std::vector<Record> records) const override {
    std::string list = "[";
    for (const Record& record : records) {
      list += (list.size() == 1 ? "" : ",") + record.text;
    }
    list += "]";
    Request made{.channel = channel, .records = std::move(records)};
    if (channel == kUserMap) {
      made.url = options_.user_map_url;
      made.headers = {{"content-type", "application/x-www-form-urlencoded"}};
      made.body = fmt::format("api_key={}&mapping={}",
                              encoding::percent_encode(options_.api_key),
                              encoding::percent_encode(list));
      return made;
    }
    made.url = options_.events_url;
    made.headers = {{"content-type", "application/json"}};
    json::Writer out;
    out.begin_object().member("api_key", options_.api_key).key("events").raw(list);
    out.key("options").begin_object().member("min_id_length", 1).end_object();
    made.body = out.end_object().take();
    return made;
  }

  void sign(Request& /*request*/, Time /*now*/) const override {}

  [[nodiscard]] Judgement judge(const Request& request,
                                const Answer& answer,
                                Time now) const override {
    const int status = answer ? answer->status : 0;
    if (status == 400 || status == 429) {
      const auto body = json::Document::parse(answer->body, json::kEvent);
      if (body && status == 400) {
        return judge_refusal(request, body->root());
      }
      if (auto judged = body ? judge_throttling(request, body->root()) : std::nullopt) {
        return std::move(*judged);
      }
    }
    return judge_vendor(
        request, answer, now, {.forbidden_is_auth = false, .throttled_wait = kThrottledWait});
  }

  [[nodiscard]] std::vector<std::string> secrets() const override { return {options_.api_key}; }

 private:
  [[nodiscard]] Mapped map_alias(const events::Event& event) const {
    const std::string_view old_id = usable_id(event.previous_id());
    const std::string_view user = usable_id(event.user_id());
    const Field unmap = field(options_of(event, options_.rules.names), "unmap");
    const bool unmaps = unmap && unmap->as_bool().value_or(false);
    if (old_id.empty() || user.empty()) {
      return Mapped::rejected("no_valid_id");
    }
    if (old_id == user) {
      return Mapped::filtered("alias_to_self");
    }
    json::Writer out;
    out.begin_object().member("user_id", old_id);
    if (unmaps) {
      out.member("unmap", true);
    } else {
      out.member("global_user_id", user);
    }
    return {.pieces = {{.channel = kUserMap,
                        .records = {{.text = out.end_object().take(),
                                     .id = std::string(event.message_id())}}}}};
  }

  Options options_;
  std::array<Channel, kPlaces> channels_;
};

AmplitudeRules read_rules(const Settings& settings) {
  const auto is_on = [&](const char* name, bool fallback) {
    return settings.value(name) ? settings.is_on(name) : fallback;
  };
  AmplitudeRules rules;
  rules.names = settings.names();
  rules.device_is_anonymous_id = settings.text("deviceIdSource").value_or("") == "anonymousId";
  rules.context_traits = is_on("sendContextTraits", rules.context_traits);
  rules.expand_products = is_on("expandProducts", rules.expand_products);
  rules.group_type = *settings.text("groupType", rules.group_type);
  rules.page_event = *settings.text("pageEvent", rules.page_event);
  rules.screen_event = *settings.text("screenEvent", rules.screen_event);
  rules.increment = settings.texts("increment");
  rules.set_once = settings.texts("setOnce");
  rules.append = settings.texts("append");
  rules.prepend = settings.texts("prepend");
  return rules;
}

const VendorForm& form() {
  static const VendorForm kForm{
      .key = "apiKey",
      .key_help = "API key of the project",
      .key_also = {"writeKey", "token"},
      .region_help = "where the project is",
      .bases = {{"us", "https://api2.amplitude.com"}, {"eu", "https://api.eu.amplitude.com"}},
      .batch = kRecommendedBatch,
      .max_batch = kMaxRecords};
  return kForm;
}

Result<std::unique_ptr<Destination>> make_amplitude(const Settings& settings) {
  auto vendor = read_vendor(settings, form());
  if (!vendor) {
    return Failure(vendor.error());
  }
  const bool is_batch_api = settings.text("endpoint").value_or("") == "batch";
  return std::make_unique<Amplitude>(
      Options{.events_url = vendor->base + (is_batch_api ? "/batch" : "/2/httpapi"),
              .user_map_url = (vendor->has_default_base ? kUserMapBase : vendor->base) + "/usermap",
              .api_key = std::move(vendor->key),
              .batch = vendor->batch,
              .is_batch_api = is_batch_api,
              .rules = read_rules(settings)});
}

}  // namespace

void amplitude(Catalogue& catalogue) {
  using Kind = Setting::Kind;
  std::vector<Setting> own = naming_settings({{"increment", "traits that are added up"},
                                              {"setOnce", "traits that keep their first value"},
                                              {"append", "traits that are appended"},
                                              {"prepend", "traits that are prepended"}});
  own.push_back({.name = "endpoint", .help = "which API", .choices = {"httpapi", "batch"}});
  own.push_back({.name = "deviceIdSource",
                 .help = "what names the device",
                 .choices = {"device", "anonymousId"}});
  own.push_back({.name = "sendContextTraits",
                 .kind = Kind::Boolean,
                 .help = "context.traits as user properties (default true)"});
  own.push_back({.name = "expandProducts",
                 .kind = Kind::Boolean,
                 .help = "one more event per product of an order"});
  own.push_back({.name = "groupType", .help = "name of the group type (default group)"});
  catalogue.add({.name = "amplitude",
                 .integrations = {"Amplitude", "Actions Amplitude"},
                 .key = form().key,
                 .linger = milliseconds(500),
                 .settings = vendor_settings(form(), std::move(own)),
                 .make = make_amplitude});
}

}  // namespace edge::destinations
