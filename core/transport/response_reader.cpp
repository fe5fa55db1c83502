// SPDX-License-Identifier: MIT
#include "core/transport/response_reader.h"

#include <strings.h>

#include <algorithm>
#include <charconv>

namespace edge::transport {
namespace {

constexpr std::size_t kMaxHeadBytes = std::size_t{64} << 10U;
constexpr std::size_t kMaxChunkLineBytes = 1024;

tl::unexpected<Error> bad(std::string what) {
  return Failure({ErrorCode::Unavailable,
                  "the answer is no valid HTTP response: " + std::move(what),
                  "",
                  "bad_response"});
}

bool equal_ignoring_case(std::string_view left, std::string_view right) {
  return left.size() == right.size() && strncasecmp(left.data(), right.data(), left.size()) == 0;
}

bool is_token(std::string_view text) {
  constexpr std::string_view kSeparators = "()<>@,;:\\\"/[]?={} \t";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return c > ' ' && c < '\x7f' && kSeparators.find(c) == std::string_view::npos;
  });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

bool lists(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (equal_ignoring_case(trimmed(list.substr(0, comma)), word)) {
      return true;
    }
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

template <typename Number>
bool read_number(std::string_view digits, int base, Number& out) {
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), out, base);
  return error == std::errc{} && end == digits.data() + digits.size() && !digits.empty();
}

}  // namespace

std::optional<std::string_view> IncomingResponse::header(std::string_view name) const {
  for (const auto& [field, value] : headers) {
    if (equal_ignoring_case(field, name)) {
      return value;
    }
  }
  return std::nullopt;
}

Result<bool> ResponseReader::feed(std::string_view octets) {
  started_ = started_ || !octets.empty();
  buffer_.append(octets);
  while (state_ != State::Done) {
    const Result<bool> advanced = step();
    if (!advanced) {
      return advanced;
    }
    if (!*advanced) {
      return false;
    }
  }
  return true;
}

Result<void> ResponseReader::finish() {
  keep_alive_ = false;
  if (state_ == State::UntilClose) {
    state_ = State::Done;
  }
  if (state_ != State::Done) {
    return Failure({ErrorCode::Unavailable,
                    "the connection was closed before the answer was complete",
                    "",
                    "connection_lost"});
  }
  return {};
}

/// One move forward; false when more octets are needed.
Result<bool> ResponseReader::step() {
  switch (state_) {
    case State::Head:
      return read_head();
    case State::ChunkSize:
      return read_chunk_size();
    case State::ChunkEnd:
      return read_chunk_end();
    case State::Trailer:
      return read_trailer();
    case State::Sized:
    case State::UntilClose:
    case State::ChunkData:
      return read_body_octets();
    case State::Done:
      return true;
  }
  return true;
}

Result<bool> ResponseReader::read_head() {
  const std::size_t end = buffer_.find("\r\n\r\n");
  if (end == std::string::npos || end > kMaxHeadBytes) {
    return buffer_.size() > kMaxHeadBytes ? Result<bool>(bad("its head is longer than 64 KiB"))
                                          : Result<bool>(false);
  }
  const std::string head = buffer_.substr(0, end + 2);
  buffer_.erase(0, end + 4);
  response_ = {};
  chunked_ = has_length_ = false;
  std::size_t begin = 0;
  bool first = true;
  while (begin < head.size()) {
    const std::size_t line_stop = head.find("\r\n", begin);
    const std::string_view line = std::string_view(head).substr(begin, line_stop - begin);
    if (auto read = first ? read_status_line(line) : read_field(line); !read) {
      return Failure(read.error());
    }
    first = false;
    begin = line_stop + 2;
  }
  if (response_.status / 100 == 1) {
    return response_.status == 101 ? Result<bool>(bad("it switches protocols"))
                                   : Result<bool>(true);
  }
  return choose_body().map([] { return true; });
}

Result<void> ResponseReader::read_status_line(std::string_view line) {
  const bool shaped = line.size() >= 12 &&
                      (line.starts_with("HTTP/1.1 ") || line.starts_with("HTTP/1.0 ")) &&
                      (line.size() == 12 || line[12] == ' ');
  if (!shaped || !read_number(line.substr(9, 3), 10, response_.status) || response_.status < 100) {
    return bad("its first line");
  }
  keep_alive_ = line[7] == '1';
  return {};
}

Result<void> ResponseReader::read_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  const std::string_view name = line.substr(0, std::min(colon, line.size()));
  if (colon == std::string_view::npos || !is_token(name)) {
    return bad("a header field without a name");
  }
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos) {
    return bad("a header field with a line end inside");
  }
  if (equal_ignoring_case(name, "connection")) {
    keep_alive_ = keep_alive_ ? !lists(value, "close") : lists(value, "keep-alive");
  }
  if (equal_ignoring_case(name, "transfer-encoding")) {
    if (chunked_ || !equal_ignoring_case(value, "chunked")) {
      return bad("an unknown transfer coding");
    }
    chunked_ = true;
  }
  if (equal_ignoring_case(name, "content-length")) {
    std::uint64_t length = 0;
    if (!read_number(value, 10, length) || (has_length_ && length != remaining_)) {
      return bad("its content length");
    }
    has_length_ = true;
    remaining_ = length;
  }
  response_.headers.emplace_back(name, value);
  return {};
}

Result<void> ResponseReader::choose_body() {
  if (chunked_ && has_length_) {
    return bad("two lengths");
  }
  if (head_request_ || response_.status == 204 || response_.status == 304) {
    state_ = State::Done;
    return {};
  }
  if (chunked_) {
    state_ = State::ChunkSize;
    return {};
  }
  if (has_length_) {
    state_ = remaining_ == 0 ? State::Done : State::Sized;
    return {};
  }
  keep_alive_ = false;
  state_ = State::UntilClose;
  return {};
}

Result<bool> ResponseReader::read_body_octets() {
  std::size_t size = buffer_.size();
  if (state_ != State::UntilClose) {
    size = static_cast<std::size_t>(std::min<std::uint64_t>(size, remaining_));
  }
  if (size == 0) {
    return false;
  }
  const std::size_t room = limits_.max_body_bytes - response_.body.size();
  if (size > room && !limits_.cut_body) {
    return Failure({ErrorCode::TooLarge, "the answer is too long"});
  }
  response_.body.append(buffer_, 0, std::min(size, room));
  buffer_.erase(0, size);
  if (size > room) {
    keep_alive_ = false;
    state_ = State::Done;
    return true;
  }
  if (state_ != State::UntilClose) {
    remaining_ -= size;
    if (remaining_ == 0) {
      state_ = state_ == State::Sized ? State::Done : State::ChunkEnd;
    }
  }
  return true;
}

Result<bool> ResponseReader::read_chunk_size() {
  const std::size_t end = line_end();
  if (end == std::string::npos || end > kMaxChunkLineBytes) {
    return buffer_.size() > kMaxChunkLineBytes ? Result<bool>(bad("a chunk size"))
                                               : Result<bool>(false);
  }
  const std::string_view line =
      trimmed(std::string_view(buffer_).substr(0, std::min(end, buffer_.find(';'))));
  if (!read_number(line, 16, remaining_)) {
    return bad("a chunk size");
  }
  buffer_.erase(0, end + 2);
  state_ = remaining_ == 0 ? State::Trailer : State::ChunkData;
  return true;
}

Result<bool> ResponseReader::read_chunk_end() {
  if (buffer_.size() < 2) {
    return false;
  }
  if (!buffer_.starts_with("\r\n")) {
    return bad("a chunk without its end");
  }
  buffer_.erase(0, 2);
  state_ = State::ChunkSize;
  return true;
}

Result<bool> ResponseReader::read_trailer() {
  const std::size_t end = line_end();
  if (end == std::string::npos) {
    return trailer_bytes_ + buffer_.size() > kMaxHeadBytes ? Result<bool>(bad("its trailer"))
                                                           : Result<bool>(false);
  }
  trailer_bytes_ += end + 2;
  buffer_.erase(0, end + 2);
  if (end == 0) {
    state_ = State::Done;
  }
  return trailer_bytes_ > kMaxHeadBytes ? Result<bool>(bad("its trailer")) : Result<bool>(true);
}

}  // namespace edge::transport
