// SPDX-License-Identifier: MIT
// The HTTP API of Optimizely's Agent 4.x, so that its clients work with a local daemon
// (decisions spec 16). What its routes do is in the folder beside.
#include <string>
#include <utility>

#include "core/edge.h"
#include "core/flags/configuration.h"
#include "daemon/http/validators.h"
#include "daemon/protocols/agent/activate.h"
#include "daemon/protocols/agent/batch.h"
#include "daemon/protocols/agent/decide.h"
#include "daemon/protocols/agent/oauth.h"
#include "daemon/protocols/agent/odp.h"
#include "daemon/protocols/agent/request.h"
#include "daemon/protocols/agent/streams.h"
#include "daemon/protocols/agent/tokens.h"
#include "daemon/protocols/agent/users.h"
#include "daemon/protocols/agent/webhook.h"
#include "daemon/routes.h"

namespace edge::protocols {
namespace {

using agent::admitting;
using agent::admitting_user;
using TokensPointer = std::shared_ptr<const agent::Tokens>;

RouteOptions on_pool(RouteOptions options) {
  options.runs = Runs::OnPool;
  return options;
}

/// The path belongs to the tracking protocol unless the request carries an SDK key.
RouteOptions shared(RouteOptions options) {
  options.only_with = "X-Optimizely-SDK-Key";
  return options;
}

void mount_decisions(Mount& mount, const TokensPointer& tokens) {
  const RouteOptions options = agent::options();
  Edge& edge = mount.edge;
  mount.post("/v1/decide", options, admitting_user(edge, tokens, agent::decide));
  mount.post("/v1/activate", options, admitting_user(edge, tokens, agent::activate));
  mount.post("/v1/track", shared(options), admitting(edge, tokens, agent::track));
  mount.post("/v1/override", options, admitting(edge, tokens, agent::override_variation));
  mount.post("/v1/lookup", options, admitting_user(edge, tokens, agent::lookup));
  mount.post("/v1/save", options, admitting_user(edge, tokens, agent::save));
  mount.post("/v1/send-odp-event", options, admitting(edge, tokens, agent::send_odp_event));
  mount.post("/v1/reset", options, admitting(edge, tokens, agent::reset));
}

void mount_views(Mount& mount, const TokensPointer& tokens) {
  Edge& edge = mount.edge;
  const auto show = [&](std::string_view path, auto print) {
    mount.get(path,
              on_pool(agent::options()),
              admitting(edge, tokens, [print](const agent::CallPointer& call) {
                http::Response response = http::json(print(*call->datafile));
                response.set("Cache-Control", "no-cache");
                call->complete(http::validated(call->request(),
                                               std::move(response),
                                               {.modified = call->project.status().changed,
                                                .vary = "X-Optimizely-SDK-Key, Authorization"}));
              }));
  };
  show("/v1/config", flags::configuration_object);
  show("/v1/datafile",
       [](const flags::Datafile& datafile) { return std::string(datafile.text()); });
  mount.get("/v1/notifications/event-stream",
            agent::options(),
            admitting(edge, tokens, agent::notifications));
}

/// What needs no SDK key.
void mount_others(Mount& mount, const TokensPointer& tokens) {
  Edge& edge = mount.edge;
  const auto batch = [&edge](const http::Exchange& exchange) { agent::batch(edge, exchange); };
  mount.post("/v1/batch", shared(agent::options()), batch);
  mount.post("/**/batch", agent::options(), batch);
  mount.post("/oauth/token", on_pool(agent::options()), [tokens](const http::Request& request) {
    return agent::give_token(*tokens, request);
  });
  mount.post("/webhooks/optimizely",
             on_pool(agent::options()),
             [&edge](const http::Request& request) { return agent::take_webhook(edge, request); });
  mount.get("/**/health", agent::options(), [](const http::Request&) {
    return http::json(R"({"status":"ok"})");
  });
}

}  // namespace

void optimizely_agent(Mount& mount) {
  const Edge& edge = mount.edge;
  mount.claim(Surface::Agent,
              {"/v1/decide",
               "/v1/activate",
               "/v1/config",
               "/v1/datafile",
               "/v1/override",
               "/v1/lookup",
               "/v1/save",
               "/v1/send-odp-event",
               "/v1/reset",
               "/v1/notifications",
               "/oauth/token",
               "/webhooks/optimizely"},
              agent::print_problem);
  const auto tokens =
      agent::Tokens::open(edge.config, edge.secrets, mount.edge.http, mount.edge.clock);
  if (!tokens) {
    return mount.refuse(tokens.error());
  }
  mount_decisions(mount, *tokens);
  mount_views(mount, *tokens);
  mount_others(mount, *tokens);
}

}  // namespace edge::protocols
