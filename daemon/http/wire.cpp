// SPDX-License-Identifier: MIT
#include "daemon/http/wire.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace edge::http {

Wire::~Wire() {
  session_.reset();
  ::close(descriptor_);
}

bool Wire::is_ready() const {
  return !session_ || SSL_is_init_finished(session_.get()) == 1;
}

bool Wire::has_buffered() const {
  return session_ && SSL_pending(session_.get()) > 0;
}

Wire::Outcome Wire::read(std::span<char> buffer) {
  if (session_) {
    return read_secure(buffer);
  }
  const ssize_t count = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
  if (count > 0) {
    return {State::Moved, static_cast<std::size_t>(count)};
  }
  if (count == 0) {
    return {State::Ended};
  }
  return {errno == EAGAIN || errno == EINTR ? State::Blocked : State::Broken};
}

/// Fills the buffer record by record, so that a large body costs few rounds of the loop.
Wire::Outcome Wire::read_secure(std::span<char> buffer) {
  std::size_t filled = 0;
  read_waits_for_room_ = false;
  while (filled < buffer.size()) {
    ERR_clear_error();
    std::size_t count = 0;
    const std::span<char> rest = buffer.subspan(filled);
    const int done = SSL_read_ex(session_.get(), rest.data(), rest.size(), &count);
    if (done == 1) {
      filled += count;
      continue;
    }
    const int why = SSL_get_error(session_.get(), done);
    read_waits_for_room_ = why == SSL_ERROR_WANT_WRITE;
    const bool blocked = why == SSL_ERROR_WANT_READ || read_waits_for_room_;
    if (filled > 0) {
      break;  // what is wrong is seen again by the next read
    }
    return {blocked ? State::Blocked : why == SSL_ERROR_ZERO_RETURN ? State::Ended : State::Broken};
  }
  return {State::Moved, filled};
}

Wire::Outcome Wire::write(std::string_view octets) {
  if (session_) {
    return write_secure(octets);
  }
  const ssize_t count = ::send(descriptor_, octets.data(), octets.size(), MSG_NOSIGNAL);
  if (count >= 0) {
    return {State::Moved, static_cast<std::size_t>(count)};
  }
  if (errno == EINTR) {
    return {State::Moved, 0};
  }
  return {errno == EAGAIN ? State::Blocked : State::Ended};
}

/// A write never waits for octets of the other side: that is for renegotiation, which is off.
Wire::Outcome Wire::write_secure(std::string_view octets) {
  ERR_clear_error();
  std::size_t count = 0;
  const int done = SSL_write_ex(session_.get(), octets.data(), octets.size(), &count);
  if (done == 1) {
    return {State::Moved, count};
  }
  const int why = SSL_get_error(session_.get(), done);
  return {why == SSL_ERROR_WANT_WRITE ? State::Blocked : State::Ended};
}

void Wire::end_writing() {
  if (session_ && is_ready()) {
    ERR_clear_error();
    SSL_shutdown(session_.get());  // its own farewell; nothing waits for the answer
  }
  ::shutdown(descriptor_, SHUT_WR);
}

}  // namespace edge::http
