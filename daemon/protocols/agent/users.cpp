// SPDX-License-Identifier: MIT
#include "daemon/protocols/agent/users.h"

#include <utility>
#include <vector>

#include "core/json/writer.h"
#include "daemon/http/service.h"

namespace edge::protocols::agent {
namespace {

constexpr std::string_view kNoStore = "no user profile service found";

/// The body of an override call.
struct Wish {
  std::string user = {};
  std::string experiment = {};
  std::string variation = {};
};

/// Nothing when the call was answered.
std::optional<Wish> read_wish(const Call& call) {
  Wish wish;
  for (const auto& [name, place] : {std::pair{"userId", &wish.user},
                                    std::pair{"experimentKey", &wish.experiment},
                                    std::pair{"variationKey", &wish.variation}}) {
    const auto member = call.member(name);
    if (member && !member->is_string() && !member->is_null()) {
      call.fail(400, std::string(kBadBody));
      return std::nullopt;
    }
    *place = member ? member->as_string().value_or("") : "";
  }
  if (wish.user.empty() || wish.experiment.empty()) {
    call.fail(400, wish.user.empty() ? "userId cannot be empty" : "experimentKey cannot be empty");
    return std::nullopt;
  }
  return wish;
}

std::vector<std::string_view> messages_of(const flags::Datafile& datafile,
                                          const Wish& wish,
                                          bool had_one) {
  if (wish.variation.empty()) {
    return {had_one ? "removing previous override" : "no pre-existing override"};
  }
  std::vector<std::string_view> messages;
  const flags::Rule* rule = datafile.find_rule(wish.experiment);
  if (rule == nullptr || rule->is_rollout_rule) {
    messages.emplace_back("experimentKey not found in configuration");
  } else if (rule->find_variation(wish.variation) == nullptr) {
    messages.emplace_back("variationKey not found in configuration");
  }
  if (had_one) {
    messages.emplace_back("updating previous override");
  }
  return messages;
}

void set_override(const Call& call, const Wish& wish) {
  const auto change = call.edge.user_records.set_override(
      call.project.name(), wish.user, wish.experiment, wish.variation);
  if (!change) {
    return call.exchange.fail(change.error());
  }
  const auto messages = messages_of(*call.datafile, wish, !change->previous.empty());
  json::Writer out;
  out.begin_object()
      .member("userId", wish.user)
      .member("experimentKey", wish.experiment)
      .member("variationKey", wish.variation)
      .member("prevVariationKey", change->previous)
      .key("messages");
  if (messages.empty()) {
    out.null();
  } else {
    out.begin_array();
    for (const std::string_view message : messages) {
      out.string(message);
    }
    out.end_array();
  }
  out.end_object();
  call.complete(http::json(out));
}

void defer(const CallPointer& call, std::function<void()> job) {
  call->exchange.state()->service->defer(call->exchange, std::move(job));
}

/// Whether `map` is `{experimentId: {"variation_id": text}}`.
bool is_bucket_map(json::Value map) {
  if (!map.is_object()) {
    return false;
  }
  for (const auto& [experiment, entry] : map.members()) {
    const auto variation = entry.find("variation_id");
    if (!entry.is_object() || (variation && !variation->is_string())) {
      return false;
    }
  }
  return true;
}

}  // namespace

void override_variation(const CallPointer& call) {
  const Edge& edge = call->edge;
  if (!edge.config.agent.overrides.value_or(edge.is_loopback())) {
    return call->fail(403, "Overrides not enabled");
  }
  auto wish = read_wish(*call);
  if (wish) {
    defer(call, [call, wish = *std::move(wish)] { set_override(*call, wish); });
  }
}

void lookup(const CallPointer& call, const std::string& user) {
  if (!call->edge.config.flags.sticky) {
    return call->fail(500, std::string(kNoStore));
  }
  defer(call, [call, user] {
    const auto record = call->edge.user_records.find(call->project.name(), user);
    if (!record) {
      return call->exchange.fail(record.error());
    }
    json::Writer out;
    out.begin_object()
        .member("userId", user)
        .key("experimentBucketMap")
        .raw((*record)->buckets)
        .end_object();
    call->complete(http::json(out));
  });
}

void save(const CallPointer& call, const std::string& user) {
  if (!call->edge.config.flags.sticky) {
    return call->fail(500, std::string(kNoStore));
  }
  const auto map = call->member("experimentBucketMap");
  if (map && !map->is_null() && !is_bucket_map(*map)) {
    return call->fail(400, std::string(kBadBody));
  }
  defer(call, [call, user, text = std::string(map && map->is_object() ? map->raw() : "{}")] {
    const auto saved = call->edge.user_records.save(call->project.name(), user, text);
    if (!saved) {
      return call->exchange.fail(saved.error());
    }
    call->complete(http::Response());
  });
}

void reset(const CallPointer& call) {
  call->edge.flags.refresh_soon(call->project);
  const Edge& edge = call->edge;
  if (!edge.config.agent.overrides.value_or(edge.is_loopback())) {
    return call->complete(http::json(R"({"result":true})"));
  }
  defer(call, [call] {
    const auto erased = call->edge.user_records.erase_overrides(call->project.name());
    if (!erased) {
      return call->exchange.fail(erased.error());
    }
    call->complete(http::json(R"({"result":true})"));
  });
}

}  // namespace edge::protocols::agent
