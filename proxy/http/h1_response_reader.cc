#include <algorithm>

#include "proxy/http/grammar.h"
#include "proxy/http/h1_reader.h"
#include "proxy/http/octets.h"

namespace verge::http {
namespace {

using h1::Checked;
using h1::fault;
using h1::LineTaker;

constexpr size_t kInterims = 16; // heads of 1xx before one final head: enough for any origin that means well
constexpr int kTooLarge = 431;   // Fault::status of an overlong head; never sent

} // namespace

H1ResponseReader::H1ResponseReader(const Limits& limits) : limits_(limits) {}

void H1ResponseReader::expect(std::string_view request_method) {
  method_.assign(request_method);
  interims_ = 0;
  seen_octets_ = false;
  keep_alive_ = true;
  begin_head();
}

void H1ResponseReader::reset_interim() { begin_head(); }

void H1ResponseReader::begin_head() {
  state_ = State::status_line;
  body_ = {};
  lines_.reset();
  fields_.reset();
  trailers_.clear();
  head_.status = 0;
  head_.headers.clear();
  head_.content_length.reset();
  head_bytes_ = field_lines_ = 0;
  remaining_ = 0;
  close_delimited_ = false;
}

Result<H1Event> H1ResponseReader::next(std::string_view& in) {
  if (!in.empty() && state_ != State::done) seen_octets_ = true;
  auto event = step(in);
  if (event) return *event;
  state_ = State::broken;
  keep_alive_ = false;
  return fail(event.error().status == kTooLarge ? Errc::too_large : Errc::bad_input,
              std::string("response: ") + event.error().what, Side::origin);
}

Result<> H1ResponseReader::eof() {
  keep_alive_ = false;
  switch (state_) {
    case State::until_close: state_ = State::complete; return {};
    case State::complete:
    case State::done: return {};
    case State::status_line:
      if (!seen_octets_) {
        return fail(Errc::closed, "response: closed before the first octet", Side::origin, Retry::if_idempotent);
      }
      [[fallthrough]];
    case State::fields: state_ = State::broken; return fail(Errc::closed, "response: cut in the head", Side::origin);
    case State::length:
    case State::chunked: state_ = State::broken; return fail(Errc::closed, "response: cut in the body", Side::origin);
    case State::broken: break;
  }
  return fail(Errc::closed, "response: closed after an error", Side::origin);
}

Checked<H1Event> H1ResponseReader::step(std::string_view& in) {
  std::string_view line;
  for (;;) {
    switch (state_) {
      case State::status_line:
      case State::fields: {
        const size_t room = limits_.head_bytes - std::min(limits_.head_bytes, head_bytes_);
        const auto status = lines_.take(in, room, line);
        if (status == LineTaker::Status::partial) return H1Event::need_more;
        if (status == LineTaker::Status::too_long) return fault("a head that is too long", kTooLarge);
        if (status == LineTaker::Status::bare_lf) return fault("a head line that ends in a bare LF");
        head_bytes_ += line.size() + 2;
        if (state_ == State::status_line) {
          if (auto taken = take_status_line(line); !taken) return std::unexpected(taken.error());
          head_.headers.reserve(16, std::min<size_t>(in.size(), 2'048));
          state_ = State::fields;
          break;
        }
        if (line.empty()) {
          if (auto finished = finish_head(); !finished) return std::unexpected(finished.error());
          return H1Event::head;
        }
        if (++field_lines_ > limits_.fields) return fault("too many field lines", kTooLarge);
        if (auto taken = fields_.take(line, head_.headers); !taken) return std::unexpected(taken.error());
        break;
      }
      case State::length: {
        if (in.empty()) return H1Event::need_more;
        const auto n = static_cast<size_t>(std::min<uint64_t>(remaining_, in.size()));
        body_ = in.substr(0, n);
        in.remove_prefix(n);
        remaining_ -= n;
        if (remaining_ == 0) state_ = State::complete;
        return H1Event::body;
      }
      case State::until_close:
        if (in.empty()) return H1Event::need_more;
        body_ = in;
        in = {};
        return H1Event::body;
      case State::chunked: {
        const auto step = chunks_.next(in, limits_, body_, trailers_);
        if (!step) return std::unexpected(step.error());
        if (*step == h1::ChunkedBody::Step::need_more) return H1Event::need_more;
        if (*step == h1::ChunkedBody::Step::body) return H1Event::body;
        state_ = State::complete;
        break;
      }
      case State::complete: state_ = State::done; return H1Event::end;
      case State::done: return H1Event::need_more;
      case State::broken: return fault("octets after an error");
    }
  }
}

Checked<> H1ResponseReader::take_status_line(std::string_view line) {
  constexpr std::string_view kPrefix = "HTTP/1.";
  const auto digit = [&](size_t i) { return octets::digit(octets::u(line[i])); };
  if (line.size() < 12 || !line.starts_with(kPrefix) || !digit(7) || line[8] != ' ') return fault("no status line");
  if (!digit(9) || !digit(10) || !digit(11)) return fault("a status that is no number of three digits");
  // The space before an empty reason is often forgotten; nothing hangs on it.
  if (line.size() > 12 && line[12] != ' ') return fault("a status that is no number of three digits");
  if (!octets::all(line.substr(12), octets::kValue)) return fault("a control character in the reason phrase");
  http11_ = line[7] != '0';
  head_.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  if (head_.status < 100 || head_.status > 599) return fault("a status outside 100 to 599");
  if (head_.status == 101) return fault("101: we never asked to switch protocols");
  if (head_.status < 200 && ++interims_ > kInterims) return fault("too many interim responses");
  return {};
}

Checked<> H1ResponseReader::finish_head() {
  if (fields_.has_coding()) {
    if (!http11_) return fault("Transfer-Encoding in HTTP/1.0");
    if (fields_.length()) return fault("both Content-Length and Transfer-Encoding");
  }
  const auto coding = fields_.coding();
  if (!coding) return std::unexpected(coding.error());
  const bool chunked = *coding == h1::FieldSection::Coding::chunked;
  keep_alive_ = keep_alive_ && !fields_.close() && (http11_ || fields_.keep_alive());
  fields_.finish(head_.headers);

  const int status = head_.status;
  if (status < 200 || status == 204) { // these may not even tell a length (RFC 9110 section 8.6)
    if (chunked || fields_.length().value_or(0) > 0) keep_alive_ = false;
    state_ = State::complete;
    return {};
  }
  head_.content_length = fields_.length();
  if (method_ == "HEAD" || status == 304) {
    state_ = State::complete;
    return {};
  }
  if (chunked) {
    chunks_.start();
    state_ = State::chunked;
  } else if (head_.content_length) {
    remaining_ = *head_.content_length;
    state_ = remaining_ > 0 ? State::length : State::complete;
  } else {
    close_delimited_ = true;
    keep_alive_ = false;
    state_ = State::until_close;
  }
  return {};
}

} // namespace verge::http
