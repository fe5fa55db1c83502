// SPDX-License-Identifier: MIT
#include "cli/output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "cli/problem.h"

namespace edge::cli {
namespace {

constexpr std::size_t kBuffered = std::size_t{1} << 16U;

[[noreturn]] void cannot_write(const std::string& where, int error) {
  throw Stop({.error = {ErrorCode::Unavailable,
                        fmt::format("cannot write {}: {}", where, std::strerror(error)),
                        {},
                        "output_failed"}});
}

}  // namespace

Output::Output(int fd, std::string path) : fd_(fd), path_(path == "-" ? "" : std::move(path)) {}

Output::~Output() {
  if (!temporary_.empty()) {
    ::close(fd_);
    ::unlink(temporary_.c_str());
  }
}

void Output::open_file() {
  struct stat existing {};
  if (::stat(path_.c_str(), &existing) == 0 && !S_ISREG(existing.st_mode)) {
    fd_ = ::open(path_.c_str(),
                 O_WRONLY | O_CLOEXEC);  // a device or a pipe is written, never replaced
    if (fd_ < 0) {
      cannot_write("'" + path_ + "'", errno);
    }
    path_.clear();
    return;
  }
  std::string name = path_ + ".XXXXXX";
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) {
    cannot_write("'" + path_ + "'", errno);
  }
  fd_ = fd;
  temporary_ = std::move(name);
}

void Output::write(std::string_view text) {
  if (text.size() >= kBuffered) {
    flush();
    write_out(text);
    return;
  }
  buffer_ += text;
  if (buffer_.size() >= kBuffered) {
    flush();
  }
}

void Output::line(std::string_view text) {
  buffer_ += text;
  buffer_ += '\n';
  flush();
}

void Output::flush() {
  write_out(buffer_);
  buffer_.clear();
}

void Output::write_out(std::string_view rest) {
  if (!path_.empty() && temporary_.empty()) {
    open_file();
  }
  while (!rest.empty()) {
    const ssize_t written = ::write(fd_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      const int error = errno;
      buffer_.clear();
      if (error == EPIPE) {
        throw BrokenPipe{};
      }
      cannot_write(path_.empty() ? "standard output" : "'" + path_ + "'", error);
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

void Output::abandon() {
  if (path_.empty() && !buffer_.empty()) {
    flush();
  }
}

void Output::keep() {
  path_.clear();
}

void Output::commit() {
  if (!path_.empty() || !buffer_.empty()) {
    flush();
  }
  if (temporary_.empty()) {
    return;
  }
  const std::string temporary = std::exchange(temporary_, {});
  const bool kept = ::fchmod(fd_, mode_) == 0 && ::fsync(fd_) == 0;
  const bool closed = ::close(fd_) == 0;
  if (!kept || !closed || std::rename(temporary.c_str(), path_.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    cannot_write("'" + path_ + "'", error);
  }
}

}  // namespace edge::cli
