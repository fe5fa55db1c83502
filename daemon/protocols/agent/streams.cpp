// SPDX-License-Identifier: MIT
#include "daemon/protocols/agent/streams.h"

#include <memory>
#include <string>
#include <utility>

#include "daemon/http/stream.h"

namespace edge::protocols::agent {
namespace {

/// What a client asks to hear: `filter`, repeated or with commas; all without one that is known.
flags::Topics topics_of(const Call& call) {
  flags::Topics topics;
  for (const std::string& filter : call.query("filter")) {
    std::string_view rest = filter;
    while (!rest.empty()) {
      const std::string_view name = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(name.size() + 1, rest.size()));
      for (std::size_t i = 0; i < flags::kTopics; ++i) {
        const auto topic = static_cast<flags::Topic>(i);
        if (flags::name_of(topic) == name) {
          topics.add(topic);
        }
      }
    }
  }
  return call.query("filter").empty() ? flags::Topics::all() : topics;
}

}  // namespace

void notifications(const CallPointer& call) {
  if (!call->edge.config.agent.notifications) {
    return call->fail(403, "Notification stream not enabled");
  }
  const bool is_raw = !call->query("raw").empty();
  auto stream = std::make_shared<http::Stream>(
      http::Stream::Options{.max_waiting = 1000, .idle_piece = is_raw ? "\n" : ": ping\n\n"});
  call->project.notifications.listen(
      topics_of(*call), [stream, is_raw](const std::string& message) {
        return stream->write(is_raw ? message + "\n" : "data: " + message + "\n\n");
      });
  http::Response response;
  response.type("text/event-stream").set("Cache-Control", "no-cache").stream(std::move(stream));
  call->complete(std::move(response));
}

}  // namespace edge::protocols::agent
