// SPDX-License-Identifier: MIT
#include "daemon/http/pool.h"

#include <pthread.h>

namespace edge::http {

Pool::Pool(std::size_t threads, std::size_t queue) : jobs_(queue) {
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) {
      pthread_setname_np(pthread_self(), "pool");
      while (!stop.stop_requested()) {
        if (auto job = jobs_.pop(stop)) {
          (*job)();
        }
      }
    });
  }
}

Pool::~Pool() {
  for (std::jthread& thread : threads_) {
    thread.request_stop();
  }
  threads_.clear();
}

}  // namespace edge::http
