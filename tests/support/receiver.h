// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace edge::test {

/// A request as the receiver read it.
struct Received {
  std::string method;
  std::string path;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  int connection = 0;  ///< number of the connection it came on

  /// Value of a field, case ignored; empty when absent.
  [[nodiscard]] std::string header(const std::string& name) const;
};

/// What the receiver does with a request.
struct Reaction {
  enum class Kind { Answer, Hang, Cut, CutInBody, Raw };
  Kind kind = Kind::Answer;
  int status = 200;
  std::string body = {};
  std::string fields = {};  ///< further header lines, each with CR LF; the whole answer for Raw

  static Reaction fail(int status, std::string fields = {}) {
    return {.status = status, .fields = std::move(fields)};
  }
  static Reaction hang() { return {.kind = Kind::Hang}; }
  static Reaction cut() { return {.kind = Kind::Cut}; }
};

/// An HTTP server on a free loopback port that does what a test wants, well or badly. Keeps every
/// request. Thread-safe.
class Receiver {
 public:
  using Behaviour = std::function<Reaction(const Received&)>;
  explicit Receiver(Behaviour behaviour = [](const Received&) { return Reaction{}; });
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  Receiver(Receiver&&) = delete;
  Receiver& operator=(Receiver&&) = delete;
  ~Receiver();

  [[nodiscard]] std::string url(const std::string& path = "/") const;
  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::vector<Received> requests() const;
  [[nodiscard]] std::size_t count() const;
  void behave(Behaviour behaviour);
  /// Waits until `n` requests came; false after a minute.
  [[nodiscard]] bool wait_for(std::size_t n) const;

 private:
  void accept_loop();
  void serve(int descriptor, int number);
  bool answer(int descriptor, const Reaction& reaction);

  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  Behaviour behaviour_;             // guarded by mutex_
  std::vector<Received> requests_;  // guarded by mutex_
  std::vector<int> open_;           // guarded by mutex_
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace edge::test
