// SPDX-License-Identifier: MIT
#include "core/state/strand.h"

#include <pthread.h>

#include <exception>
#include <utility>

namespace edge::state {

void StrandThreads::stop() {
  {
    const std::lock_guard lock(line_->mutex);
    line_->is_closed = true;
  }
  threads_.clear();
  std::deque<std::shared_ptr<Strand>> dropped;
  {
    const std::lock_guard lock(line_->mutex);
    dropped.swap(line_->ready);
  }
  for (const auto& strand : dropped) {
    strand->drop();
  }
}

std::shared_ptr<Strand> StrandThreads::make() {
  return std::make_shared<Strand>(*this, line_);
}

void StrandThreads::start() {
  std::call_once(started_, [this] {
    for (std::size_t i = 0; i < count_; ++i) {
      threads_.emplace_back([this](const std::stop_token& stop) {
        pthread_setname_np(pthread_self(), "strand");
        work(stop);
      });
    }
  });
}

void StrandThreads::work(const std::stop_token& stop) {
  while (true) {
    std::shared_ptr<Strand> strand;
    {
      std::unique_lock lock(line_->mutex);
      line_->news.wait(lock, stop, [this] { return !line_->ready.empty(); });
      if (stop.stop_requested()) {
        return;
      }
      strand = std::move(line_->ready.front());
      line_->ready.pop_front();
    }
    if (strand->run(faults_)) {
      const std::lock_guard lock(line_->mutex);
      line_->ready.push_back(std::move(strand));
    }
  }
}

void Strand::post(Task task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    if (std::exchange(is_waiting_, true)) {
      return;
    }
  }
  {
    const std::lock_guard lock(line_->mutex);
    if (!line_->is_closed) {
      threads_.start();  // once
      line_->ready.push_back(shared_from_this());
      line_->news.notify_one();
      return;
    }
  }
  drop();
}

bool Strand::run(std::atomic<std::uint64_t>& faults) {
  for (std::size_t i = 0; i < kTurn; ++i) {
    Task task;
    {
      const std::lock_guard lock(mutex_);
      if (tasks_.empty()) {
        is_waiting_ = false;
        return false;
      }
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    try {
      task();
    } catch (const std::exception&) {
      ++faults;
    }
  }
  return true;
}

void Strand::drop() {
  std::deque<Task> dropped;
  const std::lock_guard lock(mutex_);
  dropped.swap(tasks_);
  is_waiting_ = false;
}

}  // namespace edge::state
