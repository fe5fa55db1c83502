// SPDX-License-Identifier: MIT
#include "daemon/http/body_reader.h"

#include <algorithm>

#include "core/encoding/hex.h"

namespace edge::http {
namespace {

constexpr std::uint8_t kMaxSizeDigits = 16;
constexpr std::uint16_t kMaxExtensionOctets = 256;
constexpr std::uint16_t kMaxTrailerLines = 32;
constexpr std::uint32_t kMaxTrailerOctets = 8192;

bool is_text(char c) {
  return c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
}

bool is_name(char c) {
  constexpr std::string_view kSigns = "!#$%&'*+-.^_`|~";
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         kSigns.find(c) != std::string_view::npos;
}

}  // namespace

void BodyReader::start(const Framing& framing, std::uint64_t limit, bool drop) {
  *this = BodyReader{};
  chunked_ = framing.chunked;
  left_ = framing.length;
  limit_ = limit;
  drop_ = drop;
}

BodyReader::State BodyReader::refuse(int status, std::string_view code, std::string_view detail) {
  refusal_ = {.status = status, .code = code, .detail = detail};
  return State::Refused;
}

void BodyReader::take(std::string_view& bytes, std::string& out) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
  if (!drop_) {
    out.append(bytes.substr(0, size));
  }
  bytes.remove_prefix(size);
  left_ -= size;
  received_ += size;
}

BodyReader::State BodyReader::feed_length(std::string_view& bytes, std::string& out) {
  if (left_ + received_ > limit_) {
    return refuse(413, "too_large", "the body is larger than allowed");
  }
  take(bytes, out);
  return left_ == 0 ? State::Complete : State::NeedsMore;
}

BodyReader::State BodyReader::feed(std::string_view& bytes, std::string& out) {
  if (!chunked_) {
    return feed_length(bytes, out);
  }
  State state = State::NeedsMore;
  while (!bytes.empty() && state == State::NeedsMore) {
    if (part_ == Part::Data) {
      take(bytes, out);
      part_ = left_ == 0 ? Part::DataEnd : Part::Data;
      continue;
    }
    const char octet = bytes.front();
    bytes.remove_prefix(1);
    if (part_ == Part::Size) {
      state = feed_size(octet);
    } else if (part_ == Part::Trailer) {
      state = feed_trailer(octet);
    } else if (octet != (after_cr_ ? '\n' : '\r')) {
      state = refuse(400, "bad_chunk", "a chunk is longer than its size says");
    } else {
      part_ = after_cr_ ? Part::Size : Part::DataEnd;
      after_cr_ = !after_cr_;
    }
  }
  return state;
}

BodyReader::State BodyReader::feed_size(char octet) {
  if (after_cr_) {
    return octet == '\n' ? end_size() : refuse(400, "bad_chunk", "CR without LF in a chunk size");
  }
  if (octet == '\r') {
    after_cr_ = true;
    return digits_ > 0 ? State::NeedsMore : refuse(400, "bad_chunk", "a chunk has no size");
  }
  if (in_extension_) {
    if (++extension_ > kMaxExtensionOctets || !is_text(octet)) {
      return refuse(400, "bad_chunk", "a chunk extension is too long or holds a control character");
    }
    return State::NeedsMore;
  }
  if (octet == ';' && digits_ > 0) {
    in_extension_ = true;
    return State::NeedsMore;
  }
  const int digit = encoding::hex_digit(octet);
  if (digit < 0 || digits_ == kMaxSizeDigits) {
    return refuse(400, "bad_chunk", "a chunk size is not 1 to 16 hexadecimal digits");
  }
  ++digits_;
  left_ = left_ << 4U | static_cast<std::uint64_t>(digit);
  return State::NeedsMore;
}

BodyReader::State BodyReader::end_size() {
  after_cr_ = false;
  in_extension_ = false;
  digits_ = 0;
  extension_ = 0;
  if (left_ > limit_ - received_) {
    return refuse(413, "too_large", "the body is larger than allowed");
  }
  part_ = left_ == 0 ? Part::Trailer : Part::Data;
  return State::NeedsMore;
}

BodyReader::State BodyReader::feed_trailer(char octet) {
  if (++trailer_octets_ > kMaxTrailerOctets) {
    return refuse(431, "trailer_too_large", "the trailer is larger than 8 KiB");
  }
  if (after_cr_) {
    return octet == '\n' ? end_trailer_line()
                         : refuse(400, "bad_trailer", "CR without LF in the trailer");
  }
  if (octet == '\r') {
    after_cr_ = true;
    return State::NeedsMore;
  }
  const bool good =
      has_colon_ ? is_text(octet) : (octet == ':' ? line_octets_ > 0 : is_name(octet));
  ++line_octets_;
  has_colon_ = has_colon_ || octet == ':';
  return good ? State::NeedsMore : refuse(400, "bad_trailer", "a trailer line is not NAME: VALUE");
}

BodyReader::State BodyReader::end_trailer_line() {
  after_cr_ = false;
  if (line_octets_ == 0) {
    return State::Complete;
  }
  if (!has_colon_ || ++trailer_lines_ > kMaxTrailerLines) {
    return has_colon_ ? refuse(431, "trailer_too_large", "more than 32 trailer fields")
                      : refuse(400, "bad_trailer", "a trailer line has no colon");
  }
  line_octets_ = 0;
  has_colon_ = false;
  return State::NeedsMore;
}

}  // namespace edge::http
