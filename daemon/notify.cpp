// SPDX-License-Identifier: MIT
#include "daemon/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>

namespace edge {

void Notifier::tell(std::string_view state) const {
  sockaddr_un address{};
  if (socket_.empty() || socket_.size() >= sizeof address.sun_path) {
    return;
  }
  address.sun_family = AF_UNIX;
  std::ranges::copy(socket_, std::begin(address.sun_path));
  if (address.sun_path[0] == '@') {
    address.sun_path[0] = '\0';
  }
  const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) {
    return;
  }
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  // A manager that does not listen or does not keep up does not stop the daemon.
  [[maybe_unused]] const ssize_t ignored = ::sendto(descriptor,
                                                    state.data(),
                                                    state.size(),
                                                    MSG_NOSIGNAL | MSG_DONTWAIT,
                                                    reinterpret_cast<sockaddr*>(&address),
                                                    size);
  ::close(descriptor);
}

}  // namespace edge
