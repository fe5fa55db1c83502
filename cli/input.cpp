// SPDX-License-Identifier: MIT
#include "cli/input.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace edge::cli {
namespace {

constexpr std::size_t kLongestLine = std::size_t{64} << 20U;
constexpr std::size_t kChunk = std::size_t{1} << 16U;

Error unreadable(const std::string& name, int error) {
  return {ErrorCode::InvalidArgument,
          fmt::format("cannot read '{}': {}", name, std::strerror(error))};
}

/// Appends one chunk; 0 at the end.
Result<std::size_t> read_chunk(int fd, const std::string& name, std::string& into) {
  const std::size_t before = into.size();
  into.resize(before + kChunk);
  ssize_t got = 0;
  do {
    got = ::read(fd, into.data() + before, kChunk);
  } while (got < 0 && errno == EINTR);
  const int error = errno;
  into.resize(before + static_cast<std::size_t>(got < 0 ? 0 : got));
  if (got < 0) {
    return Failure(unreadable(name, error));
  }
  return static_cast<std::size_t>(got);
}

}  // namespace

LineReader::LineReader(int fd, bool owned, std::string name)
    : fd_(fd), owned_(owned), name_(std::move(name)) {}

LineReader::~LineReader() {
  if (owned_) {
    ::close(fd_);
  }
}

Result<bool> LineReader::next(std::string& line) {
  std::size_t searched = taken_;
  while (true) {
    const std::size_t end = buffer_.find('\n', searched);
    if (end != std::string::npos) {
      line.assign(buffer_, taken_, end - taken_);
      taken_ = end + 1;
      ++number_;
      return true;
    }
    if (ended_) {
      line.assign(buffer_, taken_);
      taken_ = buffer_.size();
      number_ += line.empty() ? 0 : 1;
      return !line.empty();
    }
    buffer_.erase(0, taken_);
    taken_ = 0;
    searched = buffer_.size();
    if (buffer_.size() > kLongestLine) {
      return Failure({ErrorCode::InvalidArgument,
                      fmt::format("line {} of '{}' is longer than 64 MiB", number_ + 1, name_)});
    }
    const auto got = read_chunk(fd_, name_, buffer_);
    if (!got) {
      return Failure(got.error());
    }
    ended_ = *got == 0;
  }
}

Result<bool> LineReader::next_filled(std::string& line) {
  while (true) {
    auto got = next(line);
    if (!got || !*got || line.find_first_not_of(" \t\r") != std::string::npos) {
      return got;
    }
  }
}

Result<bool> LineReader::next_block(std::string& block) {
  block.assign(buffer_, taken_);
  buffer_.clear();
  taken_ = 0;
  if (block.empty() && !ended_) {
    const auto got = read_chunk(fd_, name_, block);
    if (!got) {
      return Failure(got.error());
    }
    ended_ = *got == 0;
  }
  return !block.empty();
}

Result<std::string> read_whole(const std::string& path) {
  const bool is_stdin = path == "-";
  const std::string name = is_stdin ? "standard input" : path;
  const int fd = is_stdin ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return Failure(unreadable(name, errno));
  }
  const LineReader owner(fd, !is_stdin, name);
  std::string content;
  while (true) {
    const auto got = read_chunk(fd, name, content);
    if (!got) {
      return Failure(got.error());
    }
    if (*got == 0) {
      return content;
    }
  }
}

Result<std::unique_ptr<LineReader>> open_lines(const std::string& path) {
  if (path == "-") {
    return std::make_unique<LineReader>(STDIN_FILENO, false, "standard input");
  }
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return Failure(unreadable(path, errno));
  }
  return std::make_unique<LineReader>(fd, true, path);
}

}  // namespace edge::cli
