// SPDX-License-Identifier: MIT
#include "daemon/workers.h"

#include <pthread.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "daemon/log.h"

namespace edge {
namespace {

constexpr std::size_t kMaxThreadName = 15;  // of the kernel

/// Waits until `until`, or shorter when `stop` is requested.
void wait_until(std::mutex& mutex,
                std::condition_variable_any& wake,
                const std::stop_token& stop,
                std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(mutex);
  wake.wait_until(lock, stop, until, [] { return false; });
}

}  // namespace

Crew::Crew(Edge& services, metrics::Registry& registry, Log& lines)
    : edge(services),
      log(lines),
      faults_(
          registry.counter("edge_worker_faults_total", "Faults of background work", {"worker"})) {}

Crew::~Crew() {
  stop();
}

void Crew::every(std::chrono::milliseconds period, std::string name, std::function<void()> job) {
  periodic_.push_back({period, std::move(name), std::move(job), {}});
}

void Crew::loop(std::string name, std::function<void(const std::stop_token& stop)> body) {
  loops_.push_back({std::move(name), std::move(body)});
}

void Crew::start() {
  for (const Loop& loop : loops_) {
    threads_.emplace_back([this, &loop](const std::stop_token& stop) { keep_running(loop, stop); });
  }
  if (!periodic_.empty()) {
    threads_.emplace_back([this](const std::stop_token& stop) { tick(stop); });
  }
}

void Crew::stop() {
  while (!threads_.empty()) {
    threads_.back().request_stop();
    threads_.pop_back();  // joins
  }
}

void Crew::tick(const std::stop_token& stop) {
  for (Periodic& job : periodic_) {
    job.due = std::chrono::steady_clock::now() + job.period;
  }
  while (!stop.stop_requested()) {
    const auto next = std::ranges::min_element(periodic_, {}, &Periodic::due);
    wait_until(mutex_, wake_, stop, next->due);
    if (stop.stop_requested()) {
      return;
    }
    guard(next->name, next->job);
    next->due = std::chrono::steady_clock::now() + next->period;
  }
}

void Crew::keep_running(const Loop& loop, const std::stop_token& stop) {
  pthread_setname_np(pthread_self(), loop.name.substr(0, kMaxThreadName).c_str());
  while (!stop.stop_requested()) {
    bool ended = false;
    guard(loop.name, [&] {
      loop.body(stop);
      ended = true;
    });
    if (ended) {
      return;
    }
    wait_until(mutex_, wake_, stop, std::chrono::steady_clock::now() + std::chrono::seconds(1));
  }
}

void Crew::guard(const std::string& name, const std::function<void()>& job) {
  try {
    job();
  } catch (const std::exception& fault) {
    faults_.with({name}).add();
    log.error("a background job failed", {{"worker", name}, {"what", fault.what()}});
  }
}

}  // namespace edge
