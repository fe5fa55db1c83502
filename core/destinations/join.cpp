// SPDX-License-Identifier: MIT
#include "core/destinations/join.h"

#include <iterator>
#include <utility>

namespace edge::destinations {
namespace {

using Iterator = std::vector<Record>::iterator;

Iterator end_of_event(Iterator first, Iterator end) {
  const std::size_t event = first->event;
  while (first != end && first->event == event) {
    ++first;
  }
  return first;
}

std::size_t bytes_of(Iterator first, Iterator end) {
  std::size_t bytes = 0;
  for (; first != end; ++first) {
    bytes += first->text.size() + 1;  // the comma
  }
  return bytes;
}

}  // namespace

std::vector<Request> requests_of(const Destination& destination,
                                 std::size_t channel,
                                 std::vector<Record> records) {
  const Channel& limits = destination.channels()[channel];
  std::vector<Request> requests;
  std::vector<Record> gathered;
  std::size_t bytes = 0;
  const auto flush = [&] {
    if (!gathered.empty()) {
      requests.push_back(destination.request(channel, std::exchange(gathered, {})));
      bytes = 0;
    }
  };
  for (auto first = records.begin(); first != records.end();) {
    const auto end = end_of_event(first, records.end());
    const std::size_t more = bytes_of(first, end);
    const auto count = gathered.size() + static_cast<std::size_t>(end - first);
    const bool is_other = !gathered.empty() && gathered.back().group != first->group;
    if (is_other || count > limits.max_records ||
        (limits.max_bytes > 0 && bytes + more > limits.max_bytes)) {
      flush();
    }
    bytes += more;
    gathered.insert(gathered.end(), std::move_iterator(first), std::move_iterator(end));
    first = end;
  }
  flush();
  return requests;
}

Encoding encode(const Destination& destination, std::span<const events::Event* const> batch) {
  Encoding encoding;
  std::vector<std::vector<Record>> channels(destination.channels().size());
  for (std::size_t i = 0; i < batch.size(); ++i) {
    encoding.events.push_back(destination.map(*batch[i]));
    for (Piece& piece : encoding.events.back().pieces) {
      for (Record& record : piece.records) {
        record.event = i;
        channels[piece.channel].push_back(std::move(record));
      }
    }
  }
  for (std::size_t channel = 0; channel < channels.size(); ++channel) {
    for (Request& request : requests_of(destination, channel, std::move(channels[channel]))) {
      encoding.requests.push_back(std::move(request));
    }
  }
  return encoding;
}

}  // namespace edge::destinations
