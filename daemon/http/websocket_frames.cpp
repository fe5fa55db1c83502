// SPDX-License-Identifier: MIT
#include "daemon/http/websocket_frames.h"

#include <algorithm>

#include "core/encoding/utf8.h"

namespace edge::http {
namespace {

constexpr std::uint8_t kFinal = 0x80;
constexpr std::uint8_t kReserved = 0x70;
constexpr std::uint8_t kMasked = 0x80;
constexpr std::uint8_t kLength16 = 126;
constexpr std::uint8_t kLength64 = 127;
constexpr std::size_t kMaskOctets = 4;
/// Buffers of messages longer than this are given back.
constexpr std::size_t kKeptOctets = std::size_t{4} << 10U;

bool is_known(std::uint8_t opcode) {
  return opcode <= 0x2 || (opcode >= 0x8 && opcode <= 0xA);
}

/// Octets of a head that begins with these two.
std::size_t head_octets(std::uint8_t second) {
  const std::uint8_t length = second & 0x7FU;
  const std::size_t more = length == kLength64 ? 8 : length == kLength16 ? 2 : 0;
  return 2 + more + ((second & kMasked) != 0 ? kMaskOctets : 0);
}

std::uint64_t big_endian(const std::uint8_t* octets, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    value = value << 8U | octets[i];
  }
  return value;
}

void append_big_endian(std::string& out, std::uint64_t value, std::size_t count) {
  for (std::size_t i = count; i > 0; --i) {
    out.push_back(static_cast<char>(value >> (8 * (i - 1)) & 0xFFU));
  }
}

}  // namespace

bool is_sendable_code(std::uint16_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

FrameReader::State FrameReader::refuse(std::uint16_t code) {
  is_refused_ = true;
  code_ = code;
  std::string().swap(message_);
  return State::Refused;
}

FrameReader::State FrameReader::feed(std::string_view& bytes) {
  if (is_refused_) {
    bytes = {};
    return State::Refused;
  }
  if (!in_message_) {  // what is there was given out
    if (message_.capacity() > kKeptOctets) {
      std::string().swap(message_);
    }
    message_.clear();
  }
  while (true) {
    if (!in_payload_) {
      if (!gather_head(bytes)) {
        return State::NeedsMore;
      }
      if (const State begun = begin_frame(); begun == State::Refused) {
        return begun;
      }
    }
    const State state = take_payload(bytes);
    if (state != State::NeedsMore || in_payload_) {
      return state;
    }
  }
}

/// False when octets of the head are missing.
bool FrameReader::gather_head(std::string_view& bytes) {
  while (!bytes.empty()) {
    head_[head_size_++] = static_cast<std::uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    if (head_size_ >= 2 && head_size_ == head_octets(head_[1])) {
      return true;
    }
  }
  return false;
}

FrameReader::State FrameReader::begin_frame() {
  const std::uint8_t opcode = head_[0] & 0x0FU;
  const std::uint8_t length = head_[1] & 0x7FU;
  if ((head_[0] & kReserved) != 0 || (head_[1] & kMasked) == 0 || !is_known(opcode)) {
    return refuse(close_code::kProtocolError);
  }
  opcode_ = static_cast<Opcode>(opcode);
  is_final_ = (head_[0] & kFinal) != 0;
  left_ = length;
  if (length == kLength16) {
    left_ = big_endian(&head_[2], 2);
  } else if (length == kLength64) {
    left_ = big_endian(&head_[2], 8);
  }
  const bool is_shortest = length < kLength16 || (length == kLength16 && left_ >= kLength16) ||
                           (length == kLength64 && left_ > 0xFFFF && left_ >> 63U == 0);
  if (!is_shortest) {
    return refuse(close_code::kProtocolError);
  }
  if (is_control(opcode_)) {
    if (!is_final_ || left_ > kMaxControlOctets) {
      return refuse(close_code::kProtocolError);
    }
    control_.clear();
  } else {
    if ((opcode_ == Opcode::Continuation) != in_message_) {
      return refuse(close_code::kProtocolError);
    }
    if (left_ > kMaxMessageOctets - message_.size()) {
      return refuse(close_code::kTooBig);
    }
    if (opcode_ != Opcode::Continuation) {
      message_kind_ = opcode_;
    }
    in_message_ = true;
  }
  std::copy_n(head_.begin() + head_size_ - kMaskOctets, kMaskOctets, mask_.begin());
  head_size_ = 0;
  place_ = 0;
  in_payload_ = true;
  return State::NeedsMore;
}

FrameReader::State FrameReader::take_payload(std::string_view& bytes) {
  const std::size_t count = std::min<std::uint64_t>(left_, bytes.size());
  std::string& out = is_control(opcode_) ? control_ : message_;
  const std::size_t begin = out.size();
  out.append(bytes.substr(0, count));
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t mask = mask_[(place_ + i) % kMaskOctets];
    out[begin + i] = static_cast<char>(static_cast<std::uint8_t>(out[begin + i]) ^ mask);
  }
  bytes.remove_prefix(count);
  place_ += count;
  left_ -= count;
  if (left_ > 0) {
    return State::NeedsMore;
  }
  in_payload_ = false;
  return end_frame();
}

FrameReader::State FrameReader::end_frame() {
  if (opcode_ == Opcode::Close) {
    return end_close();
  }
  if (is_control(opcode_)) {
    kind_ = opcode_;
    return State::Complete;
  }
  if (!is_final_) {
    return State::NeedsMore;
  }
  in_message_ = false;
  kind_ = message_kind_;
  if (kind_ == Opcode::Text && !encoding::is_utf8(message_)) {
    return refuse(close_code::kNotUtf8);
  }
  return State::Complete;
}

FrameReader::State FrameReader::end_close() {
  kind_ = Opcode::Close;
  code_ = close_code::kNoStatus;
  if (control_.empty()) {
    return State::Complete;
  }
  if (control_.size() < 2) {
    return refuse(close_code::kProtocolError);
  }
  code_ = static_cast<std::uint16_t>(static_cast<std::uint8_t>(control_[0]) << 8U |
                                     static_cast<std::uint8_t>(control_[1]));
  control_.erase(0, 2);
  if (!is_sendable_code(code_)) {
    return refuse(close_code::kProtocolError);
  }
  return encoding::is_utf8(control_) ? State::Complete : refuse(close_code::kNotUtf8);
}

void append_frame_head(std::string& out, Opcode opcode, std::size_t octets) {
  out.push_back(static_cast<char>(kFinal | static_cast<std::uint8_t>(opcode)));
  if (octets < kLength16) {
    out.push_back(static_cast<char>(octets));
  } else if (octets <= 0xFFFF) {
    out.push_back(static_cast<char>(kLength16));
    append_big_endian(out, octets, 2);
  } else {
    out.push_back(static_cast<char>(kLength64));
    append_big_endian(out, octets, 8);
  }
}

void append_frame(std::string& out, Opcode opcode, std::string_view payload) {
  append_frame_head(out, opcode, payload.size());
  out.append(payload);
}

void append_close_frame(std::string& out, std::uint16_t code, std::string_view reason) {
  std::size_t size = std::min(reason.size(), kMaxControlOctets - 2);
  while (size > 0 && size < reason.size() && (reason[size] & 0xC0) == 0x80) {
    --size;
  }
  append_frame_head(out, Opcode::Close, 2 + size);
  append_big_endian(out, code, 2);
  out.append(reason.substr(0, size));
}

}  // namespace edge::http
