#include <algorithm>

#include "proxy/http/grammar.h"
#include "proxy/http/h1_reader.h"
#include "proxy/http/octets.h"

namespace verge::http {
namespace {

using h1::Checked;
using h1::fault;
using h1::LineTaker;

constexpr size_t kMethodBytes = 32;                                   // longer than any method we know: 501
constexpr size_t kLineRest = kMethodBytes + sizeof("  HTTP/1.1\r\n"); // a request line without its target

} // namespace

H1RequestReader::H1RequestReader(const Limits& limits, bool tls) : limits_(limits), tls_(tls) {}

void H1RequestReader::reset() {
  state_ = State::start;
  give_back(std::move(head_));
  empty_line_ = 0;
  body_ = {};
  lines_.reset();
  fields_.reset();
  trailers_.clear();
  head_bytes_ = field_lines_ = 0;
  remaining_ = 0;
  absolute_form_ = false;
  keep_alive_ = true;
  error_status_ = 400;
}

Result<H1Event> H1RequestReader::next(std::string_view& in) {
  auto event = step(in);
  if (event) return *event;
  state_ = State::broken;
  keep_alive_ = false;
  error_status_ = event.error().status;
  const bool large = error_status_ == 414 || error_status_ == 431;
  return fail(large ? Errc::too_large : Errc::bad_input, std::string("request: ") + event.error().what, Side::client);
}

Checked<bool> H1RequestReader::skip_empty_line(std::string_view& in) {
  while (!in.empty() && (in.front() == '\r' || in.front() == '\n')) {
    if (empty_line_ == 2) return fault("more than one empty line before a request line");
    if (in.front() != (empty_line_ == 0 ? '\r' : '\n')) return fault("a stray CR or LF before a request line");
    ++empty_line_;
    in.remove_prefix(1);
  }
  if (in.empty()) return false;
  if (empty_line_ == 1) return fault("a stray CR before a request line");
  // Seen at once, so that a TLS hello on a cleartext port is not waited on for a line end.
  if (!octets::kToken[octets::u(in.front())]) return fault("a request line that begins with no token");
  return true;
}

Checked<H1Event> H1RequestReader::step(std::string_view& in) {
  std::string_view line;
  for (;;) {
    switch (state_) {
      case State::start: {
        const auto go_on = skip_empty_line(in);
        if (!go_on) return std::unexpected(go_on.error());
        if (!*go_on) return H1Event::need_more;
        state_ = State::request_line;
        head_ = spare_head();
        head_->scheme = tls_ ? "https" : "http";
        head_->headers.reserve(16, std::min<size_t>(in.size(), 2'048));
        break;
      }
      case State::request_line: {
        const size_t limit = std::min(limits_.target_bytes + kLineRest, limits_.head_bytes);
        const auto status = lines_.take(in, limit, line);
        if (status == LineTaker::Status::partial) return H1Event::need_more;
        if (status == LineTaker::Status::too_long) return fault("a request line that is too long", 414);
        if (status == LineTaker::Status::bare_lf) return fault("a request line that ends in a bare LF");
        head_bytes_ = line.size() + 2;
        if (auto taken = take_request_line(line); !taken) return std::unexpected(taken.error());
        state_ = State::fields;
        break;
      }
      case State::fields: {
        const size_t room = limits_.head_bytes - std::min(limits_.head_bytes, head_bytes_);
        const auto status = lines_.take(in, room, line);
        if (status == LineTaker::Status::partial) return H1Event::need_more;
        if (status == LineTaker::Status::too_long) return fault("a head that is too long", 431);
        if (status == LineTaker::Status::bare_lf) return fault("a field line that ends in a bare LF");
        head_bytes_ += line.size() + 2;
        if (line.empty()) {
          if (auto finished = finish_head(); !finished) return std::unexpected(finished.error());
          return H1Event::head;
        }
        if (++field_lines_ > limits_.fields) return fault("too many field lines", 431);
        if (auto taken = fields_.take(line, head_->headers); !taken) return std::unexpected(taken.error());
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
      case State::broken: return fault("octets after an error", error_status_);
    }
  }
}

Checked<> H1RequestReader::take_request_line(std::string_view line) {
  const size_t first = line.find(' ');
  const std::string_view method = line.substr(0, first);
  if (!is_token(method)) return fault("a method that is no token");
  if (first == std::string_view::npos) return fault("a request line of one word");
  const std::string_view rest = line.substr(first + 1);
  const size_t second = rest.find(' ');
  if (second == std::string_view::npos) return fault("a request line without version");
  const std::string_view target = rest.substr(0, second), version = rest.substr(second + 1);
  if (version == "HTTP/1.1") {
    head_->version = Version::http11;
  } else {
    if (!version.starts_with("HTTP/") || version.size() < 6 || !octets::digit(octets::u(version[5]))) {
      return fault("a version that is none");
    }
    const bool minor = version.size() == 8 && version[6] == '.' && octets::digit(octets::u(version[7]));
    if (!minor && version.size() != 6) return fault("a version that is none");
    if (version[5] != '1') return fault("a version we don't speak", 505);
    if (!minor) return fault("a version that is none");
    // RFC 9110 section 2.5: a higher minor version is spoken as the highest we know.
    head_->version = version[7] == '0' ? Version::http10 : Version::http11;
  }
  if (method.size() > kMethodBytes) return fault("a method that is too long", 501);
  if (method == "CONNECT") return fault("CONNECT: no tunnels here", 405);
  if (target.size() > limits_.target_bytes) return fault("a target that is too long", 414);
  head_->method.assign(method);
  return take_target(target);
}

Checked<> H1RequestReader::take_target(std::string_view target) {
  if (target == "*") {
    if (head_->method != "OPTIONS") return fault("the target * with another method than OPTIONS");
    head_->path = "*";
    return {};
  }
  if (target.empty()) return fault("an empty target");
  if (!octets::all(target, octets::kTarget)) return fault("an octet that may not stand in a target");
  if (target.front() != '/') return take_absolute_form(target);
  const size_t mark = target.find('?');
  head_->path.assign(target.substr(0, mark));
  if (mark != std::string_view::npos) {
    head_->has_query = true;
    head_->query.assign(target.substr(mark + 1));
  }
  return {};
}

Checked<> H1RequestReader::take_absolute_form(std::string_view target) {
  const size_t colon = target.find("://");
  if (colon == std::string_view::npos) return fault("a target that is neither a path nor a URI");
  const std::string_view scheme = target.substr(0, colon);
  if (!iequals(scheme, "http") && !iequals(scheme, "https")) return fault("a target of another scheme than http(s)");
  const std::string_view rest = target.substr(colon + 3);
  const size_t end = std::min(rest.find_first_of("/?"), rest.size());
  if (!is_authority(rest.substr(0, end))) return fault("a target with an invalid authority");
  absolute_form_ = true;
  head_->authority.assign(rest.substr(0, end));
  const std::string_view tail = rest.substr(end);
  // RFC 9112 section 3.2.4: OPTIONS on a URI without path and query means the server as a whole.
  if (tail.empty()) {
    head_->path = head_->method == "OPTIONS" ? "*" : "/";
    return {};
  }
  const size_t mark = tail.find('?');
  head_->path.assign(mark == 0 ? std::string_view("/") : tail.substr(0, mark));
  if (mark != std::string_view::npos) {
    head_->has_query = true;
    head_->query.assign(tail.substr(mark + 1));
  }
  return {};
}

Checked<> H1RequestReader::finish_host() {
  if (fields_.hosts() > 1) return fault("Host more than once");
  if (fields_.hosts() == 0) {
    if (head_->version != Version::http10) return fault("no Host");
  } else {
    if (!is_authority(fields_.host())) return fault("an invalid Host");
    if (absolute_form_ && !iequals(head_->authority, fields_.host()))
      return fault("a target of another host than Host");
    fields_.take_host(head_->authority);
  }
  for (char& c : head_->authority) c = octets::lower(c);
  return {};
}

Checked<> H1RequestReader::finish_head() {
  if (auto host = finish_host(); !host) return host;
  const bool http10 = head_->version == Version::http10;
  if (fields_.has_coding()) {
    if (http10) return fault("Transfer-Encoding in HTTP/1.0");
    if (fields_.length()) return fault("both Content-Length and Transfer-Encoding");
  }
  const auto coding = fields_.coding();
  if (!coding) return std::unexpected(coding.error());
  head_->content_length = fields_.length();
  remaining_ = head_->content_length.value_or(0);
  if (*coding == h1::FieldSection::Coding::chunked) {
    chunks_.start();
    head_->has_body = true;
    state_ = State::chunked;
  } else {
    head_->has_body = remaining_ > 0;
    state_ = head_->has_body ? State::length : State::complete;
  }
  if (fields_.expect() && !http10) { // RFC 9110 section 10.1.1: HTTP/1.0 can't expect anything
    if (!iequals(*fields_.expect(), "100-continue")) return fault("an expectation we can't meet", 417);
    head_->expect_continue = head_->has_body;
  }
  keep_alive_ = !fields_.close() && (!http10 || fields_.keep_alive());
  fields_.finish(head_->headers);
  return {};
}

} // namespace verge::http
