// SPDX-License-Identifier: MIT
#include "daemon/protocols/agent/activate.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/json/writer.h"
#include "daemon/deciding.h"

namespace edge::protocols::agent {
namespace {

struct Subject {
  enum class Kind : std::uint8_t { Feature, Experiment };
  Kind kind = Kind::Feature;
  std::string key = {};
  bool operator==(const Subject&) const = default;
};
using Subjects = std::vector<Subject>;

void add(Subjects& subjects, Subject subject) {
  if (std::ranges::find(subjects, subject) == subjects.end()) {
    subjects.push_back(std::move(subject));
  }
}

/// What is asked for: features first; a key asked as both is a feature.
Result<Subjects> subjects_of(const Call& call) {
  Subjects out;
  for (std::string& key : call.query("featureKey")) {
    add(out, {Subject::Kind::Feature, std::move(key)});
  }
  for (std::string& key : call.query("experimentKey")) {
    if (std::ranges::find(out, key, &Subject::key) == out.end()) {
      out.push_back({Subject::Kind::Experiment, std::move(key)});
    }
  }
  for (const std::string& type : call.query("type")) {
    if (type == "feature") {
      for (const flags::Flag& flag : call.datafile->flags) {
        add(out, {Subject::Kind::Feature, std::string(flag.key)});
      }
    } else if (type == "experiment") {
      for (const flags::Rule& rule : call.datafile->rules) {
        if (!rule.is_rollout_rule && !rule.is_holdout) {
          add(out, {Subject::Kind::Experiment, std::string(rule.key)});
        }
      }
    } else {
      return Failure({ErrorCode::InvalidArgument, fmt::format("type \"{}\" not supported", type)});
    }
  }
  return out;
}

/// One entry of the answer.
struct Entry {
  std::string_view experiment = {};
  std::string_view feature = {};
  std::string_view variation = {};
  std::string_view type = {};
  std::string_view variables = "{}";
  bool is_enabled = false;
  std::string_view error = {};
};

void write_entry(json::Writer& out, std::string_view user, const Entry& entry) {
  out.begin_object()
      .member("userId", user)
      .member("experimentKey", entry.experiment)
      .member("featureKey", entry.feature)
      .member("variationKey", entry.variation)
      .member("type", entry.type);
  if (entry.variables != "{}") {
    out.key("variables").raw(entry.variables);
  }
  out.member("enabled", entry.is_enabled);
  if (!entry.error.empty()) {
    out.member("error", entry.error);
  }
  out.end_object();
}

/// One call of `activate` with what it leaves behind.
class Activation {
 public:
  Activation(const Call& call, const flags::User& user, const Known& known)
      : call_(call),
        user_(user),
        overrides_(known.record->overrides_under(*call.datafile, user.id)),
        decider_(*call.datafile,
                 user,
                 {.overrides = &overrides_,
                  .profile = known.sticky(call.edge),
                  .exposures = &exposures_}) {}

  Entry entry_of(const Subject& subject) {
    return subject.kind == Subject::Kind::Feature ? feature(subject.key) : experiment(subject.key);
  }

  void finish() {
    remember(call_.edge, call_.project, user_, decider_);
    const auto disabled = call_.query("disableTracking");
    if (disabled.empty() || disabled.front() != "true") {
      report(call_.edge, *call_.datafile, user_, reported_);
    }
  }

 private:
  Entry feature(std::string_view key) {
    const flags::Decision decision = decider_.decide(key);
    const auto seen = std::exchange(exposures_, {});
    if (decision.is_error) {
      return {.feature = key, .error = "featureKey not found"};
    }
    if (!seen.empty()) {  // the second, for a passed holdout, belongs to decide alone
      reported_.push_back(seen.front());
    }
    const bool is_tested = decision.source != flags::Source::Rollout;
    const Entry entry{.experiment = is_tested ? decision.rule_key.value_or("") : "",
                      .feature = key,
                      .variation = is_tested ? decision.variation_key.value_or("") : "",
                      .type = "feature",
                      .variables = decision.variables,
                      .is_enabled = decision.is_enabled};
    announce_feature(entry, decision);
    return entry;
  }

  Entry experiment(std::string_view key) {
    const flags::Rule* rule = call_.datafile->find_rule(key);
    if (rule == nullptr || rule->is_rollout_rule) {
      return {.experiment = key, .error = "experimentKey not found"};
    }
    const flags::Variation* variation = decider_.variation_of(key);
    if (variation != nullptr) {
      reported_.push_back({.rule = rule,
                           .variation = variation,
                           .is_enabled = true,
                           .source = flags::Source::Experiment});
    }
    const Entry entry{.experiment = key,
                      .variation = variation != nullptr ? variation->key : "",
                      .type = "experiment",
                      .is_enabled = variation != nullptr};
    announce_experiment(entry);
    return entry;
  }

  /// Opens a notification up to its `DecisionInfo`; false when nobody listens.
  bool begin_message(json::Writer& out, std::string_view type) {
    if (!call_.project.notifications.is_heard(flags::Topic::Decision)) {
      return false;
    }
    out.begin_object().member("Type", type).key("UserContext").begin_object();
    const auto attributes = call_.member("userAttributes");
    out.member("ID", user_.id).key("Attributes");
    attributes && attributes->is_object() ? out.value(*attributes) : out.raw("{}");
    out.key("QualifiedSegments").raw("[]").end_object().key("DecisionInfo").begin_object();
    return true;
  }

  void announce_feature(const Entry& entry, const flags::Decision& decision) {
    json::Writer out;
    if (begin_message(out, "feature")) {
      out.key("feature").begin_object();
      out.member("featureKey", entry.feature)
          .member("featureEnabled", entry.is_enabled)
          .member("source", flags::name_of(decision.source))
          .key("sourceInfo")
          .begin_object();
      if (!entry.experiment.empty()) {
        out.member("experimentKey", entry.experiment).member("variationKey", entry.variation);
      }
      out.end_object().end_object().end_object().end_object();
      call_.project.notifications.publish(flags::Topic::Decision, out.take());
    }
  }

  void announce_experiment(const Entry& entry) {
    json::Writer out;
    if (begin_message(out, "ab-test")) {
      out.member("experimentKey", entry.experiment)
          .member("variationKey", entry.variation)
          .end_object()
          .end_object();
      call_.project.notifications.publish(flags::Topic::Decision, out.take());
    }
  }

  const Call& call_;
  const flags::User& user_;
  const flags::Overrides overrides_;
  std::vector<flags::Exposure> exposures_;
  flags::Decider decider_;
  std::vector<flags::Exposure> reported_;
};

void answer(const Call& call, const Subjects& subjects, const Known& known) {
  if (known.problem) {
    return call.exchange.fail(*known.problem);
  }
  const auto user = user_of(call);
  if (!user) {
    return call.fail(400, user.error().message);
  }
  const auto filter = call.query("enabled");
  Activation activation(call, *user, known);
  json::Writer out;
  out.begin_array();
  for (const Subject& subject : subjects) {
    const Entry entry = activation.entry_of(subject);
    const bool is_wanted = filter.empty() ||
                           (filter.front() != "true" && filter.front() != "false") ||
                           (filter.front() == "true") == entry.is_enabled;
    if (is_wanted) {
      write_entry(out, user->id, entry);
    }
  }
  out.end_array();
  activation.finish();
  call.complete(http::json(out));
}

}  // namespace

void activate(const CallPointer& call, const std::string& user) {
  auto subjects = subjects_of(*call);
  if (!subjects) {
    return call->fail(400, subjects.error().message);
  }
  when_known(call->edge,
             call->exchange,
             {.project = call->project, .user_id = user},
             [call, subjects = *std::move(subjects)](const Known& known) {
               answer(*call, subjects, known);
             });
}

void track(const CallPointer& call) {
  const auto keys = call->query("eventKey");
  if (keys.empty() || keys.front().empty()) {
    return call->fail(400, "missing required path parameter: eventKey");
  }
  const auto id = call->member("userId");
  const auto attributes = call->member("userAttributes");
  const auto tags = call->member("eventTags");
  const bool is_bad = (id && !id->is_string() && !id->is_null()) ||
                      (attributes && !attributes->is_object() && !attributes->is_null()) ||
                      (tags && !tags->is_object() && !tags->is_null());
  if (is_bad) {
    return call->fail(400, std::string(kBadBody));
  }
  static const json::Document kNobody = *json::Document::parse(R"("")", json::kStrict);
  const auto user = flags::user_of(id && id->is_string() ? *id : kNobody.root(), attributes, {});
  if (!user) {
    return call->fail(400, user.error().message);
  }
  const bool is_known = report_conversion(
      call->edge, call->project, *call->datafile, *user, keys.front(), attributes, tags);
  json::Writer out;
  out.begin_object().member("userId", user->id).member("eventKey", keys.front());
  if (!is_known) {
    out.member("error", fmt::format("event with key \"{}\" not found", keys.front()));
  }
  out.end_object();
  call->complete(http::json(out));
}

}  // namespace edge::protocols::agent
