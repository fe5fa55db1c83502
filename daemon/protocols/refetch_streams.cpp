// SPDX-License-Identifier: MIT
#include "daemon/protocols/refetch_streams.h"

#include <fmt/format.h>

#include <chrono>
#include <string>

#include "core/flags/ofrep.h"
#include "core/json/writer.h"

namespace edge::protocols {
namespace {

std::string id_of(Time changed) {
  return std::to_string(to_ms(changed));
}

std::string refetch_event(const flags::Datafile& datafile, Time changed) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(changed).time_since_epoch();
  json::Writer data;
  data.begin_object()
      .member("type", "refetchEvaluation")
      .member("etag", flags::ofrep::tag_of(datafile))
      .member("lastModified", std::int64_t{seconds.count()})
      .end_object();
  return fmt::format("id: {}\nevent: message\ndata: {}\n\n", id_of(changed), data.text());
}

}  // namespace

RefetchStreams::RefetchStreams(flags::Project& project) : project_(project) {
  project.notifications.listen(
      flags::Topics().add(flags::Topic::ConfigUpdate),
      [&project, held = std::weak_ptr(clients_)](const std::string& /*message*/) {
        const auto clients = held.lock();
        const auto datafile = project.datafile();
        if (clients != nullptr && datafile != nullptr) {
          const std::string event = refetch_event(*datafile, project.status().changed);
          const std::lock_guard lock(clients->mutex);
          std::erase_if(clients->streams,
                        [&event](const auto& stream) { return !stream->write(event); });
        }
        return clients != nullptr;
      });
}

std::shared_ptr<http::Stream> RefetchStreams::open(std::optional<std::string_view> last_event_id) {
  auto stream = std::make_shared<http::Stream>(http::Stream::Options{.idle_piece = ": ping\n\n"});
  {
    const std::lock_guard lock(clients_->mutex);
    std::erase_if(clients_->streams, [](const auto& known) { return !known->is_open(); });
    clients_->streams.push_back(stream);
  }
  // Looked at after the stream is known, so that no change falls between.
  const auto datafile = project_.datafile();
  const Time changed = project_.status().changed;
  if (datafile != nullptr && last_event_id && *last_event_id != id_of(changed)) {
    stream->write(refetch_event(*datafile, changed));
  }
  return stream;
}

}  // namespace edge::protocols
