// SPDX-License-Identifier: MIT
#include "daemon/http/request_parser.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace edge::http {
namespace {

enum Class : std::uint8_t { kToken = 1, kTarget = 2, kValue = 4, kHost = 8 };

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> table{};
  constexpr std::string_view kTokenSigns = "!#$%&'*+-.^_`|~";
  constexpr std::string_view kHostSigns = "-._~!$&'()*+;=";
  for (unsigned c = 0; c < 256; ++c) {
    const char sign = static_cast<char>(c);
    const bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    unsigned bits = 0;
    if (alphanumeric || kTokenSigns.find(sign) != std::string_view::npos) {
      bits |= kToken;
    }
    if (alphanumeric || kHostSigns.find(sign) != std::string_view::npos) {
      bits |= kHost;
    }
    if (c > 0x20 && c < 0x7F) {
      bits |= kTarget;
    }
    if (c == '\t' || (c >= 0x20 && c != 0x7F)) {
      bits |= kValue;
    }
    table[c] = static_cast<std::uint8_t>(bits);
  }
  return table;
}
constexpr auto kClasses = make_classes();

bool all(std::string_view text, Class wanted) {
  return std::ranges::all_of(
      text, [&](char c) { return (kClasses[static_cast<unsigned char>(c)] & wanted) != 0; });
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return text.empty() || (error == std::errc() && end == text.data() + text.size() &&
                          port <= 65535 && text.size() <= 5);
}

bool list_holds(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (equals_ignoring_case(trim(list.substr(0, comma)), word)) {
      return true;
    }
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

}  // namespace

bool split_authority(std::string_view authority, std::string_view& host) {
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos || end < 3) {
      return false;
    }
    host = authority.substr(1, end - 1);
    const std::string_view rest = authority.substr(end + 1);
    return host.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos &&
           (rest.empty() || (rest.front() == ':' && is_port(rest.substr(1))));
  }
  const std::size_t colon = std::min(authority.find(':'), authority.size());
  host = authority.substr(0, colon);
  return !host.empty() && all(host, kHost) &&
         (colon == authority.size() || is_port(authority.substr(colon + 1)));
}

void HeadParser::reset() {
  std::vector<FieldSpan> kept = std::move(fields_);
  kept.clear();
  *this = HeadParser{};
  fields_ = std::move(kept);
}

HeadParser::State HeadParser::refuse(int status, std::string_view code, std::string_view detail) {
  refusal_ = {.status = status, .code = code, .detail = detail};
  return State::Refused;
}

HeadParser::State HeadParser::parse(std::string_view bytes) {
  while (true) {
    const std::size_t end = bytes.find('\n', scanned_);
    if (end == std::string_view::npos) {
      scanned_ = bytes.size();
      return check_partial(bytes.substr(position_));
    }
    scanned_ = end + 1;
    if (end == position_ || bytes[end - 1] != '\r') {
      return refuse(400, "bad_line_end", "a line of the head does not end with CR LF");
    }
    const std::string_view line = bytes.substr(position_, end - 1 - position_);
    const std::size_t offset = position_;
    position_ = end + 1;
    State state = State::NeedsMore;
    if (!has_request_line_) {
      if (line.empty() && !skipped_empty_) {
        skipped_empty_ = true;
        continue;
      }
      state = read_request_line(line, offset);
    } else if (line.empty()) {
      return finish();
    } else {
      state = read_field(line, offset);
    }
    if (state != State::NeedsMore) {
      return state;
    }
    if (position_ > kMaxHeadOctets) {
      return refuse(431, "head_too_large", "the head is larger than 32 KiB");
    }
  }
}

HeadParser::State HeadParser::check_partial(std::string_view rest) {
  if (rest.empty()) {
    return State::NeedsMore;
  }
  if (!has_request_line_) {
    const char first = rest.front();
    const bool may_begin = (first >= 'A' && first <= 'Z') || (first == '\r' && !skipped_empty_);
    if (!may_begin) {
      return refuse(400, "bad_request_line", "the request line does not begin with a method");
    }
    if (rest.size() > kMaxTargetOctets + 32) {
      return refuse(414, "target_too_long", "the request line is longer than 8 KiB");
    }
    return State::NeedsMore;
  }
  if (rest.size() > kMaxLineOctets || position_ + rest.size() > kMaxHeadOctets) {
    return refuse(431, "head_too_large", "a field or the head is too large");
  }
  return State::NeedsMore;
}

HeadParser::State HeadParser::read_request_line(std::string_view line, std::size_t offset) {
  has_request_line_ = true;
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  const std::string_view name = line.substr(0, std::min(first, line.size()));
  const bool is_name = !name.empty() && name.size() <= 20 &&
                       std::ranges::all_of(name, [](char c) { return c >= 'A' && c <= 'Z'; });
  if (!is_name || first == std::string_view::npos || last == first) {
    return refuse(400, "bad_request_line", "the request line is not METHOD TARGET VERSION");
  }
  if (name == "PRI") {
    return refuse(400, "bad_request_line", "HTTP/2 is not spoken here");
  }
  const std::string_view version = line.substr(last + 1);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (target.size() > kMaxTargetOctets) {
    return refuse(414, "target_too_long", "the request target is longer than 8 KiB");
  }
  if (target.empty() || !all(target, kTarget)) {
    return refuse(400, "bad_target", "the request target holds a blank or a control character");
  }
  http10_ = version == "HTTP/1.0";
  if (!http10_ && version != "HTTP/1.1") {
    const bool other = version.size() == 8 && version.starts_with("HTTP/") && version[6] == '.' &&
                       version[5] >= '0' && version[5] <= '9' && version[7] >= '0' &&
                       version[7] <= '9';
    return other ? refuse(505, "bad_version", "only HTTP/1.0 and HTTP/1.1 are spoken")
                 : refuse(400, "bad_request_line", "the request line names no HTTP version");
  }
  keep_alive_ = !http10_;
  const auto method = method_of(name);
  if (!method) {
    return refuse(501, "unknown_method", "the method is not known");
  }
  method_ = *method;
  return read_target(target, offset + first + 1);
}

HeadParser::State HeadParser::read_target(std::string_view target, std::size_t offset) {
  target_ = {static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(target.size())};
  if (method_ == Method::Connect) {
    return refuse(405, "method_not_allowed", "this is no proxy");
  }
  if (target.front() == '/') {
    return target.find('#') == std::string_view::npos
               ? State::NeedsMore
               : refuse(400, "bad_target", "the request target holds a fragment");
  }
  if (target == "*" && method_ == Method::Options) {
    return State::NeedsMore;
  }
  const std::size_t scheme = target.starts_with("http://")    ? 7
                             : target.starts_with("https://") ? 8
                                                              : 0;
  const std::size_t slash = std::min(target.find_first_of("/?", scheme), target.size());
  std::string_view host;
  if (scheme == 0 || !split_authority(target.substr(scheme, slash - scheme), host)) {
    return refuse(400, "bad_target", "the request target is neither a path nor an http URL");
  }
  absolute_ = true;
  authority_ = {static_cast<std::uint32_t>(offset + scheme),
                static_cast<std::uint32_t>(slash - scheme)};
  target_ = {static_cast<std::uint32_t>(offset + slash),
             static_cast<std::uint32_t>(target.size() - slash)};
  return State::NeedsMore;
}

HeadParser::State HeadParser::read_field(std::string_view line, std::size_t offset) {
  if (line.size() > kMaxLineOctets) {
    return refuse(431, "field_too_large", "a field is larger than 16 KiB");
  }
  if (fields_.size() >= kMaxFields) {
    return refuse(431, "too_many_fields", "more than 100 fields");
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0 || !all(line.substr(0, colon), kToken)) {
    return refuse(400, "bad_field", "a field line is not NAME: VALUE");
  }
  if (colon > kMaxNameOctets) {
    return refuse(431, "field_too_large", "a field name is longer than 256 octets");
  }
  const std::string_view value = trim(line.substr(colon + 1));
  if (!all(value, kValue)) {
    return refuse(400, "bad_field", "a field value holds a control character");
  }
  const auto begin = static_cast<std::uint32_t>(
      offset + (value.empty() ? colon + 1 : static_cast<std::size_t>(value.data() - line.data())));
  const FieldSpan field{{static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(colon)},
                        {begin, static_cast<std::uint32_t>(value.size())}};
  fields_.push_back(field);
  return know_field(line.substr(0, colon), value, field.value);
}

/// Takes in the fields that the reader itself obeys.
HeadParser::State HeadParser::know_field(std::string_view name,
                                         std::string_view value,
                                         Span place) {
  switch (name.size()) {
    case 4:
      if (equals_ignoring_case(name, "host")) {
        std::string_view host;
        if (++hosts_ > 1 || (!value.empty() && !split_authority(value, host))) {
          return refuse(400, "bad_host", "Host is repeated or no host");
        }
        authority_ = absolute_ ? authority_ : place;
      }
      return State::NeedsMore;
    case 6:
      if (equals_ignoring_case(name, "expect")) {
        const bool known = equals_ignoring_case(value, "100-continue");
        expects_continue_ = expects_continue_ || (known && !http10_);
        expects_unknown_ = expects_unknown_ || !known;
      }
      return State::NeedsMore;
    case 10:
      if (equals_ignoring_case(name, "connection") && list_holds(value, "close")) {
        keep_alive_ = false;
      }
      return State::NeedsMore;
    case 14:
      return equals_ignoring_case(name, "content-length") ? read_length(value) : State::NeedsMore;
    case 17:
      return equals_ignoring_case(name, "transfer-encoding") ? read_coding(value)
                                                             : State::NeedsMore;
    default:
      return State::NeedsMore;
  }
}

HeadParser::State HeadParser::read_length(std::string_view value) {
  const bool digits = !value.empty() && value.size() <= 19 &&
                      std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
  if (has_length_ || !digits) {
    return refuse(400, "bad_length", "Content-Length is repeated or no number");
  }
  has_length_ = true;
  std::from_chars(value.data(), value.data() + value.size(), framing_.length);
  return State::NeedsMore;
}

HeadParser::State HeadParser::read_coding(std::string_view value) {
  if (framing_.chunked || http10_) {
    return refuse(
        400, "bad_transfer_encoding", "Transfer-Encoding is repeated or sent with HTTP/1.0");
  }
  if (!equals_ignoring_case(value, "chunked")) {
    return all(value, kToken) && !value.empty()
               ? refuse(501, "unknown_transfer_encoding", "the only transfer coding is chunked")
               : refuse(400, "bad_transfer_encoding", "Transfer-Encoding is not exactly chunked");
  }
  framing_.chunked = true;
  return State::NeedsMore;
}

HeadParser::State HeadParser::finish() {
  if (framing_.chunked && has_length_) {
    return refuse(400, "bad_framing", "Content-Length together with Transfer-Encoding");
  }
  if (hosts_ == 0 && !http10_) {
    return refuse(400, "bad_host", "Host is missing");
  }
  if (!http10_ && authority_.size == 0) {
    return refuse(400, "bad_host", "Host is empty");
  }
  return State::Complete;
}

void HeadParser::fill(std::string_view bytes, RequestParts& parts) const {
  parts.head.assign(bytes.substr(0, position_));
  const std::string_view head = parts.head;
  const auto view = [&](Span span) { return head.substr(span.begin, span.size); };
  parts.method = method_;
  parts.http10 = http10_;
  parts.target = view(target_);
  const std::size_t mark = std::min(parts.target.find('?'), parts.target.size());
  parts.path = mark == 0 ? std::string_view("/") : parts.target.substr(0, mark);
  parts.query = parts.target.substr(std::min(mark + 1, parts.target.size()));
  parts.host = {};
  split_authority(view(authority_), parts.host);
  parts.fields.clear();
  for (const FieldSpan& field : fields_) {
    parts.fields.push_back({view(field.name), view(field.value)});
  }
}

}  // namespace edge::http
