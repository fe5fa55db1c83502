// SPDX-License-Identifier: MIT
#include "core/queues/report.h"

#include <cmath>

#include "core/encoding/rfc3339.h"

namespace edge::queues {
namespace {

void write_members(json::Writer& out,
                   const Queue& queue,
                   const Standing& standing,
                   std::optional<double> rate) {
  out.member("name", queue.name).member("id", queue.id);
  out.member("ready", standing.ready).member("delayed", standing.delayed);
  out.member("inFlight", standing.in_flight).member("dead", standing.dead);
  out.member("bytes", standing.backlog.bytes).key("oldest");
  if (standing.backlog.oldest == 0) {
    out.null();
  } else {
    out.string(encoding::rfc3339(from_ms(standing.backlog.oldest)));
  }
  out.key("rate");
  rate ? out.number(std::round(*rate * 100) / 100) : out.null();
  out.member("paused", queue.settings.delivery_paused).key("consumer");
  if (queue.consumer) {
    out.string(queue.is_pushed() ? "worker" : "http_pull");
  } else {
    out.null();
  }
  out.key("deadLetterQueue");
  const std::string letters = queue.rules().dead_letter_queue;
  letters.empty() ? out.null() : out.string(letters);
}

}  // namespace

void write_report(json::Writer& out,
                  const Queue& queue,
                  const Standing& standing,
                  std::optional<double> rate) {
  out.begin_object();
  write_members(out, queue, standing, rate);
  out.end_object();
}

void write_details(json::Writer& out,
                   const Queue& queue,
                   const Standing& standing,
                   std::optional<double> rate) {
  out.begin_object();
  write_members(out, queue, standing, rate);
  out.key("settings");
  write_settings(out, queue.settings);
  if (queue.consumer) {
    out.key("consumerSettings").begin_object();
    write_consumer(out, *queue.consumer);
    out.end_object();
  }
  out.end_object();
}

}  // namespace edge::queues
