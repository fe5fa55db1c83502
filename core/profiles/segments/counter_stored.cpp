// SPDX-License-Identifier: MIT
// The stored form of a counter: an object with the members that are not empty. Instants are kept as
// differences, which makes them short.
#include "core/profiles/segments/counter.h"

namespace edge::profiles {
namespace {

using json::Value;

void write_instants(json::Writer& out, const std::vector<Time>& instants) {
  std::int64_t before = 0;
  out.begin_array();
  for (const Time at : instants) {
    out.integer(to_ms(at) - before);
    before = to_ms(at);
  }
  out.end_array();
}

void write_moment(json::Writer& out, const Moment& moment) {
  out.begin_array().integer(to_ms(moment.at)).unsigned_integer(moment.arrival);
  if (!moment.value.empty()) {
    out.unsigned_integer(moment.steps).number(moment.number).raw(moment.value);
  } else if (moment.number != 0) {
    out.unsigned_integer(moment.steps).number(moment.number);
  } else if (moment.steps != 0) {
    out.unsigned_integer(moment.steps);
  }
  out.end_array();
}

Moment read_moment(Value stored) {
  const auto integer = [&](std::uint32_t i) {
    const auto value = stored.at(i);
    return value ? value->as_int64().value_or(0) : 0;
  };
  Moment moment{.at = from_ms(integer(0)),
                .arrival = static_cast<std::uint64_t>(integer(1)),
                .steps = static_cast<std::uint32_t>(integer(2))};
  if (const auto number = stored.at(3)) {
    moment.number = number->as_double().value_or(0);
  }
  if (const auto value = stored.at(4)) {
    moment.value = value->raw();
  }
  return moment;
}

}  // namespace

void write_stored(json::Writer& out, const Counter& counter) {
  out.begin_object();
  if (counter.count != 0) {
    out.member("n", counter.count);
  }
  if (!counter.sum.empty()) {
    out.key("sum").begin_array();
    for (const double part : counter.sum) {
      out.number(part);
    }
    out.end_array();
  }
  if (!counter.instants.empty()) {
    write_instants(out.key("at"), counter.instants);
  }
  if (!counter.moments.empty()) {
    out.key("events").begin_array();
    for (const Moment& moment : counter.moments) {
      write_moment(out, moment);
    }
    out.end_array();
  }
  if (counter.is_settled) {
    out.member("settled", true);
  }
  if (counter.is_cut) {
    out.member("cut", true);
  }
  out.end_object();
}

Counter read_stored_counter(Value stored) {
  Counter counter;
  if (const auto count = stored.find("n")) {
    counter.count = count->as_uint64().value_or(0);
  }
  if (const auto sum = stored.find("sum")) {
    for (const Value part : sum->elements()) {
      counter.sum.push_back(part.as_double().value_or(0));
    }
  }
  if (const auto instants = stored.find("at")) {
    std::int64_t at = 0;
    for (const Value step : instants->elements()) {
      at += step.as_int64().value_or(0);
      counter.instants.push_back(from_ms(at));
    }
  }
  if (const auto moments = stored.find("events")) {
    for (const Value moment : moments->elements()) {
      counter.moments.push_back(read_moment(moment));
    }
  }
  counter.is_settled = stored.find("settled").has_value();
  counter.is_cut = stored.find("cut").has_value();
  return counter;
}

std::size_t bytes_of(const Counter& counter) {
  std::size_t bytes =
      sizeof counter + counter.sum.size() * sizeof(double) + counter.instants.size() * sizeof(Time);
  for (const Moment& moment : counter.moments) {
    bytes += sizeof moment + moment.value.size();
  }
  return bytes;
}

}  // namespace edge::profiles
