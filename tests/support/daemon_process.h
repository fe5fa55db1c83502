// SPDX-License-Identifier: MIT
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "tests/support/fakes.h"

namespace edge::test {

/// A real `edged` on a free loopback port, with a data directory that outlives it. One thread only.
class DaemonProcess {
 public:
  /// `config` is the text of edge.toml; `listen` is set to a free port.
  explicit DaemonProcess(const std::string& config);
  DaemonProcess(const DaemonProcess&) = delete;
  DaemonProcess& operator=(const DaemonProcess&) = delete;
  DaemonProcess(DaemonProcess&&) = delete;
  DaemonProcess& operator=(DaemonProcess&&) = delete;
  /// Kills it if it still runs.
  ~DaemonProcess();

  /// Starts it and waits until it says that it is ready (at most a minute); false when it ended
  /// instead.
  bool start(const std::vector<std::string>& arguments = {},
             const std::map<std::string, std::string>& variables = {});
  /// Sends a signal and waits for the end; gives the exit status as a shell shows it.
  int stop(int signal);

  /// `http://127.0.0.1:PORT`, without a final slash.
  [[nodiscard]] const std::string& url() const { return url_; }
  /// The local key, a credential with every permission.
  [[nodiscard]] std::string key() const;
  [[nodiscard]] std::string data_dir() const { return directory_ / "data"; }
  [[nodiscard]] std::string path(const std::string& name) const { return directory_ / name; }
  /// What it wrote to stderr so far.
  [[nodiscard]] std::string log() const;
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  bool wait_ready();

  TempDir directory_;
  pid_t pid_ = -1;
  int notify_ = -1;
  std::string url_;
};

}  // namespace edge::test
