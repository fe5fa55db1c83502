// SPDX-License-Identifier: MIT
// What browser clients of the tracking protocol fetch before they send: client settings and the
// source configuration (events spec 2.1).
#include <string>
#include <string_view>

#include "core/edge.h"
#include "core/encoding/utf8.h"
#include "daemon/routes.h"
#include "daemon/routes/ingest_request.h"

namespace edge::protocols {
namespace {

/// Where the client shall send to, without a scheme: the public address when it is set, else what
/// the client asked for.
std::string host_of(const Edge& edge, const http::Request& request) {
  std::string_view url = edge.config.server.public_url;
  if (url.empty()) {
    return std::string(request.header("Host").value_or("localhost"));
  }
  const std::size_t scheme = url.find("://");
  url.remove_prefix(scheme == std::string_view::npos ? 0 : scheme + 3);
  return std::string(url.substr(0, url.find('/')));
}

bool is_https(const Edge& edge, const http::Request& request) {
  const std::string_view url = edge.config.server.public_url;
  return url.empty() ? request.is_https() : url.starts_with("https://");
}

Error unknown_key() {
  return {ErrorCode::NotFound, "no source has this write key", {}, "unknown_write_key"};
}

Result<http::Response> settings(const Edge& edge, const http::Request& request) {
  const std::string_view key = request.param("key");
  if (!edge.sources.find(key, request.header("Origin").value_or(""))) {
    return Failure(unknown_key());
  }
  json::Writer out;
  out.begin_object().key("integrations").begin_object().key("Segment.io").begin_object();
  out.member("apiKey", encoding::repaired_utf8(key))
      .member("apiHost", host_of(edge, request) + "/v1");
  out.member("protocol", is_https(edge, request) ? "https" : "http");
  out.key("unbundledIntegrations").raw("[]").member("addBundledMetadata", false);
  out.end_object().end_object();
  out.key("plan").raw(R"({"track":{"__default":{"enabled":true,"integrations":{}}},)"
                      R"("identify":{"__default":{"enabled":true}},)"
                      R"("group":{"__default":{"enabled":true}}})");
  out.key("edgeFunction").raw("{}").member("analyticsNextEnabled", true);
  out.key("metrics").raw(R"({"sampleRate":0})").member("legacyVideoPluginsEnabled", false);
  out.key("remotePlugins").raw("[]").end_object();
  http::Response response = http::json(out);
  response.for_other_origins();
  return response;
}

Result<http::Response> source_config(const Edge& edge, const http::Request& request) {
  const auto source = routes::source_of(edge, request, {});
  if (!source) {
    return Failure(source.error());
  }
  json::Writer out;
  out.begin_object().key("source").begin_object();
  out.member("id", (*source)->name).member("name", (*source)->name);
  out.member("writeKey",
             (*source)->key.empty() ? encoding::repaired_utf8(routes::offered_key(request))
                                    : (*source)->key);
  out.member("enabled", true).member("workspaceId", "local");
  out.key("config").raw(
      R"({"statsCollection":{"errors":{"enabled":false},"metrics":{"enabled":false}}})");
  out.key("destinations").raw("[]").key("connections").raw("[]").key("dataplanes").raw("{}");
  out.end_object().end_object();
  http::Response response = http::json(out);
  response.for_other_origins();
  return response;
}

}  // namespace

void tracking_documents(Mount& mount) {
  const RouteOptions options{
      .needs = Public, .surface = Surface::Tracking, .any_host = true, .authenticates = false};
  for (const std::string_view root : routes::kTrackingRoots) {
    // Mobile clients with a slightly wrong host ask for the doubled path.
    for (const std::string_view path : {"/v1/projects/:key/settings",
                                        "/v1/projects/projects/:key/settings",
                                        "/projects/:key/settings"}) {
      mount.get(
          std::string(root).append(path),
          options,
          [&edge = mount.edge](const http::Request& request) { return settings(edge, request); });
    }
    for (const std::string_view path : {"/sourceConfig", "/sourceConfig/"}) {
      mount.get(std::string(root).append(path),
                options,
                [&edge = mount.edge](const http::Request& request) {
                  return source_config(edge, request);
                });
    }
  }
}

}  // namespace edge::protocols
