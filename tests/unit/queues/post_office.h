// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/queues/queues.h"
#include "core/queues/records.h"
#include "tests/contract/subject.h"

namespace edge::queues {

/// Queues on a store of that kind, and short ways to use the queue `mail`.
struct PostOffice {
  explicit PostOffice(const std::string& kind = "memory") : subject(kind) {
    open();
    REQUIRE(queues->table.create("mail", {}));
  }

  void reopen() {
    queues.reset();
    subject.reopen();
    open();
  }
  [[nodiscard]] QueuePointer mail(const std::string& name = "mail") const {
    return queues->table.find(name).value();
  }
  void consume(Consumer consumer) const {
    REQUIRE(queues->table.change(mail()->id, [&](Queue& queue) {
      queue.consumer = std::move(consumer);
      return Result<void>{};
    }));
  }
  void set(const Settings& settings) const {
    REQUIRE(queues->table.change(mail()->id, [&](Queue& queue) {
      queue.settings = settings;
      return Result<void>{};
    }));
  }
  Backlog send(std::vector<std::string> texts, std::optional<std::int64_t> delay = {}) const {
    SendRequest request{.delay = delay};
    for (std::string& text : texts) {
      request.messages.push_back({.body = std::move(text), .type = ContentType::Text});
    }
    return queues->send(mail(), std::move(request)).value();
  }
  [[nodiscard]] std::vector<Delivery> pull(
      std::size_t most = 100,
      std::chrono::milliseconds lease_for = std::chrono::seconds(30)) const {
    return queues->pull(mail(), {.batch_size = most, .visibility = lease_for}).value();
  }
  [[nodiscard]] Settled ack(const std::vector<std::string>& leases) const {
    return queues->settle(mail(), {.acks = leases}).value();
  }
  [[nodiscard]] Settled retry(const std::string& lease,
                              std::optional<std::int64_t> delay = {}) const {
    return queues->settle(mail(), {.retries = {{lease, delay}}}).value();
  }
  [[nodiscard]] Backlog backlog(const std::string& name = "mail") const {
    return queues->backlog(mail(name)).value();
  }
  /// What the backlog is when all messages are counted.
  [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> recount(const std::string& name = "mail") {
    std::pair<std::uint64_t, std::uint64_t> counted{0, 0};
    storage::List query{.queue = due_queue(*mail(name))};
    do {
      const auto page = subject->list(query, test::soon()).value();
      for (const storage::Due& item : page.items) {
        ++counted.first;
        counted.second += item.body.size();
      }
      query.after = page.next;
    } while (query.after);
    return counted;
  }
  static std::vector<std::string> bodies(const std::vector<Delivery>& deliveries) {
    std::vector<std::string> all;
    for (const Delivery& delivery : deliveries) {
      all.push_back(delivery.message.body);
    }
    return all;
  }

  test::Subject subject;
  SeededRandom random{5};
  metrics::Registry registry;
  std::vector<Loss> losses;
  std::unique_ptr<Queues> queues;

 private:
  void open() {
    queues = std::make_unique<Queues>(*subject, subject.clock, random, registry);
    queues->on_loss = [this](const Loss& loss) { losses.push_back(loss); };
  }
};

}  // namespace edge::queues
