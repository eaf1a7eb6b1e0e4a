#include "proxy/http/h1_parts.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "proxy/http/grammar.h"
#include "proxy/http/octets.h"

namespace verge::http::h1 {
namespace {

bool is_space(char c) noexcept { return c == ' ' || c == '\t'; }

} // namespace

LineTaker::Status LineTaker::take_part(std::string_view& in, size_t limit, std::string_view& line) {
  const void* found = in.empty() ? nullptr : std::memchr(in.data(), '\n', in.size());
  const size_t here = found != nullptr ? static_cast<size_t>(static_cast<const char*>(found) - in.data()) : in.size();
  // The length is judged first and on the octets before LF alone, so that a line is too long however it comes split.
  if (partial_.size() + here > limit + 1) return Status::too_long;
  if (found == nullptr) {
    partial_.append(in);
    in = {};
    return Status::partial;
  }
  std::string_view raw = in.substr(0, here);
  if (!partial_.empty()) {
    partial_.append(raw);
    given_ = true;
    raw = partial_;
  }
  if (raw.empty() || raw.back() != '\r') return Status::bare_lf;
  in.remove_prefix(here + 1);
  line = raw.substr(0, raw.size() - 1);
  return Status::complete;
}

void LineTaker::reset() noexcept {
  partial_.clear();
  given_ = false;
}

Checked<FieldLine> parse_field_line(std::string_view line) noexcept {
  const size_t colon = octets::token_size(line);
  if (colon == line.size()) return fault("a field line without colon");
  if (line[colon] != ':') {
    if (colon == 0 && (line[0] == ' ' || line[0] == '\t')) return fault("a folded field line");
    return fault("a field name that is no token");
  }
  if (colon == 0) return fault("an empty field name");
  const char *begin = line.data() + colon + 1, *end = line.data() + line.size();
  while (begin < end && is_space(*begin)) ++begin;
  while (begin < end && is_space(end[-1])) --end;
  const FieldLine out{{line.data(), colon}, {begin, static_cast<size_t>(end - begin)}};
  if (!octets::all_value(out.value)) return fault("a control character in a field value");
  return out;
}

void FieldSection::reset() noexcept {
  length_.reset();
  coding_.reset();
  expect_.reset();
  host_.clear();
  nominated_.clear();
  hosts_ = 0;
  close_ = keep_alive_ = false;
}

Checked<> FieldSection::take(std::string_view line, Headers& out) {
  const auto field = parse_field_line(line);
  if (!field) return std::unexpected(field.error());
  const auto [name, value] = *field;
  const auto append = [value](std::optional<std::string>& list) {
    if (list) {
      list->append(",").append(value);
    } else {
      list.emplace(value);
    }
  };
  switch (kind_of(name)) {
    case FieldKind::end_to_end: out.add_new(name, value); break;
    case FieldKind::host:
      ++hosts_;
      host_.assign(value);
      break;
    case FieldKind::content_length:
      if (length_) return fault("Content-Length more than once");
      length_ = parse_digits(value);
      if (!length_) return fault("a Content-Length that is no number");
      break;
    case FieldKind::transfer_encoding: append(coding_); break;
    case FieldKind::expect: append(expect_); break;
    case FieldKind::connection: take_connection(value); break;
    case FieldKind::hop_by_hop: break;
  }
  return {};
}

void FieldSection::take_connection(std::string_view value) {
  if (iequals(value, "keep-alive")) {
    keep_alive_ = true;
    return;
  }
  if (iequals(value, "close")) {
    close_ = true;
    return;
  }
  for (const auto member : list_members(value)) {
    if (iequals(member, "close")) {
      close_ = true;
    } else if (iequals(member, "keep-alive")) {
      keep_alive_ = true;
    } else {
      nominated_.append(nominated_.empty() ? "" : ",").append(member);
    }
  }
}

void FieldSection::finish(Headers& out) const {
  if (!nominated_.empty()) remove_nominated(out, nominated_);
}

Checked<FieldSection::Coding> FieldSection::coding() const {
  if (!coding_) return Coding::none;
  const auto members = list_members(*coding_);
  if (members.empty()) return fault("an empty Transfer-Encoding");
  size_t chunked = 0;
  for (const auto member : members) {
    if (!is_token(member)) return fault("a Transfer-Encoding that is no list of tokens");
    chunked += iequals(member, "chunked") ? 1 : 0;
  }
  if (chunked > 1) return fault("the chunked coding twice");
  if (chunked == 1 && !iequals(members.back(), "chunked")) return fault("a coding after chunked");
  if (chunked == 0 || members.size() > 1) return fault("an unknown transfer coding", 501);
  return Coding::chunked;
}

void ChunkedBody::start() noexcept {
  lines_.reset();
  state_ = State::size;
  remaining_ = 0;
  extension_bytes_ = trailer_bytes_ = trailer_fields_ = 0;
}

Checked<> ChunkedBody::take_size(std::string_view line) {
  constexpr size_t kMaxDigits = 16;
  size_t digits = 0;
  uint64_t size = 0;
  while (digits < line.size() && octets::hex(line[digits]) >= 0) {
    if (digits == kMaxDigits) return fault("a chunk size of more than 16 digits");
    size = size << 4 | static_cast<uint64_t>(octets::hex(line[digits]));
    ++digits;
  }
  if (digits == 0) return fault("a chunk size that is no hex number");
  if (size > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return fault("a chunk size above 63 bits");
  const auto extension = line.substr(digits);
  if (!extension.empty()) {
    const auto visible = trim(extension);
    if (visible.empty() || visible.front() != ';' || !is_field_value(visible)) return fault("junk after a chunk size");
    extension_bytes_ += extension.size();
  }
  remaining_ = size;
  state_ = size == 0 ? State::trailer : State::data;
  return {};
}

Checked<ChunkedBody::Step> ChunkedBody::next(std::string_view& in, const Limits& limits, std::string_view& body,
                                             Headers& trailers) {
  constexpr size_t kSizeDigits = 16;
  std::string_view line;
  for (;;) {
    switch (state_) {
      case State::size: {
        const size_t room = limits.chunk_ext_bytes - std::min(limits.chunk_ext_bytes, extension_bytes_);
        const auto status = lines_.take(in, kSizeDigits + room, line);
        if (status == LineTaker::Status::partial) return Step::need_more;
        if (status == LineTaker::Status::bare_lf) return fault("a chunk-size line that ends in a bare LF");
        if (status == LineTaker::Status::too_long) return fault("a chunk-size line that is too long");
        if (auto taken = take_size(line); !taken) return std::unexpected(taken.error());
        if (extension_bytes_ > limits.chunk_ext_bytes) return fault("too many octets of chunk extensions");
        break;
      }
      case State::data: {
        if (in.empty()) return Step::need_more;
        const auto n = static_cast<size_t>(std::min<uint64_t>(remaining_, in.size()));
        body = in.substr(0, n);
        in.remove_prefix(n);
        remaining_ -= n;
        if (remaining_ == 0) state_ = State::cr;
        return Step::body;
      }
      case State::cr:
      case State::lf: {
        if (in.empty()) return Step::need_more;
        if (in.front() != (state_ == State::cr ? '\r' : '\n')) return fault("a chunk longer than its size");
        in.remove_prefix(1);
        state_ = state_ == State::cr ? State::lf : State::size;
        break;
      }
      case State::trailer: {
        const size_t room = limits.trailer_bytes - std::min(limits.trailer_bytes, trailer_bytes_);
        const auto status = lines_.take(in, room, line);
        if (status == LineTaker::Status::partial) return Step::need_more;
        if (status == LineTaker::Status::bare_lf) return fault("a trailer line that ends in a bare LF");
        if (status == LineTaker::Status::too_long) return fault("too many octets of trailers", 431);
        if (line.empty()) {
          state_ = State::done;
          return Step::end;
        }
        trailer_bytes_ += line.size() + 2;
        if (++trailer_fields_ > limits.fields) return fault("too many trailers", 431);
        const auto field = parse_field_line(line);
        if (!field) return std::unexpected(field.error());
        if (kind_of(field->name) == FieldKind::end_to_end) trailers.add(field->name, field->value);
        break;
      }
      case State::done: return Step::need_more;
    }
  }
}

} // namespace verge::http::h1
