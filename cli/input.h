// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "core/base/result.h"

namespace edge::cli {

/// Reads lines of any length (up to 64 MiB) in constant memory. One thread only.
class LineReader {
 public:
  /// Takes the descriptor over; `owned` says whether to close it.
  LineReader(int fd, bool owned, std::string name);
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;
  LineReader(LineReader&&) = delete;
  LineReader& operator=(LineReader&&) = delete;
  ~LineReader();

  /// The next line without its LF (a CR before it stays); false at the end. Failure:
  /// InvalidArgument when the file cannot be read or a line is too long.
  Result<bool> next(std::string& line);
  /// The next line that is not blank, as `next`.
  Result<bool> next_filled(std::string& line);
  /// What is there next, whether it ends with a line or not; false at the end. `number` does not
  /// count along. Failure: as `next`.
  Result<bool> next_block(std::string& block);
  /// After the end was reached: the file may have grown since.
  void more_may_come() { ended_ = false; }
  /// Number of the line last returned, from 1.
  [[nodiscard]] std::size_t number() const { return number_; }
  /// How the input is called in messages: the path, or `standard input`.
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  int fd_;
  bool owned_;
  std::string name_;
  std::size_t number_ = 0;
  std::string buffer_;
  std::size_t taken_ = 0;
  bool ended_ = false;
};

/// The whole of a file, or of stdin for `-`. Failure: InvalidArgument (exit 3) naming the file.
Result<std::string> read_whole(const std::string& path);
/// Line by line; `-` is stdin.
Result<std::unique_ptr<LineReader>> open_lines(const std::string& path);

}  // namespace edge::cli
