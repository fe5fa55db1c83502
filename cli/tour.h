// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "cli/call.h"
#include "cli/remote.h"

namespace edge::cli {

/// cli/examples/flags.json, compiled in.
std::string_view example_flags();

/// A daemon of its own for a tour: temporary data and runtime directories, which this program and
/// the commands it runs use from now on. At the end it is stopped and everything is removed, unless
/// `keep` was called. One thread only.
class TourDaemon {
 public:
  /// Writes the configuration with the tables `destinations` and starts `edged`. Throws `Stop`.
  TourDaemon(Call& call, const std::string& destinations, int port);
  TourDaemon(const TourDaemon&) = delete;
  TourDaemon& operator=(const TourDaemon&) = delete;
  TourDaemon(TourDaemon&&) = delete;
  TourDaemon& operator=(TourDaemon&&) = delete;
  ~TourDaemon();

  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] std::chrono::milliseconds ready_after() const { return ready_after_; }
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  void keep() { kept_ = true; }

 private:
  void remove();

  std::filesystem::path directory_;
  std::string url_;
  std::chrono::milliseconds ready_after_{0};
  int pid_ = 0;
  bool kept_ = false;
};

struct Said {
  int exit = 0;
  std::string out = {};
};

/// Runs this very program with other arguments and gives what it printed (its stderr goes to ours).
Said run_edgectl(const std::vector<std::string>& arguments);

/// Sends 20,000 events of 1,000 people to a daemon. Failure: that of the daemon.
Result<void> seed(Remote& daemon, Time now);

}  // namespace edge::cli
