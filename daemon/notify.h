// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace edge {

/// Tells the service manager how the daemon stands: one datagram to NOTIFY_SOCKET (sd_notify(3),
/// systemd 252), abstract names too. Does nothing without that variable. Immutable.
class Notifier {
 public:
  /// `socket` is the value of NOTIFY_SOCKET, empty for none.
  explicit Notifier(std::string socket) : socket_(std::move(socket)) {}
  /// `READY=1`, `STATUS=…`, `STOPPING=1`, `WATCHDOG=1`. Best effort.
  void tell(std::string_view state) const;

 private:
  std::string socket_;
};

}  // namespace edge
