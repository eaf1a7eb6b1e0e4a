#include "proxy/http/h2_request.h"

#include "proxy/http/grammar.h"

namespace verge::http {
namespace {

constexpr size_t kFieldOverhead = 32; // RFC 9113 section 10.5.1
constexpr size_t kMethodBytes = 32;

} // namespace

void H2RequestBuilder::begin() {
  give_back(std::move(head_));
  head_ = spare_head();
  head_->version = Version::http2;
  target_.clear();
  host_.clear();
  cookie_.clear();
  expect_.clear();
  decoded_ = lines_ = 0;
  has_authority_ = has_host_ = has_expect_ = bad_length_ = false;
}

void H2RequestBuilder::add_pseudo(std::string_view name, std::string_view value) {
  if (name == ":method") {
    head_->method.assign(value);
  } else if (name == ":scheme") {
    head_->scheme.assign(value);
  } else if (name == ":path") {
    target_.assign(value);
  } else if (name == ":authority") {
    has_authority_ = true;
    head_->authority.assign(value);
  }
}

void H2RequestBuilder::add(std::string_view name, std::string_view value) {
  decoded_ += name.size() + value.size() + kFieldOverhead;
  const bool pseudo = name.starts_with(':');
  if (!pseudo) ++lines_;
  if (too_large()) {
    head_->headers = Headers{};
    cookie_ = {};
    return;
  }
  if (pseudo) return add_pseudo(name, value);
  switch (kind_of(name)) {
    case FieldKind::end_to_end:
      if (name == "cookie") { // RFC 9113 section 8.2.3: crumbs become one field
        cookie_.append(cookie_.empty() ? "" : "; ").append(value);
      } else {
        head_->headers.add(name, value);
      }
      break;
    case FieldKind::host:
      has_host_ = true;
      host_.assign(value);
      break;
    case FieldKind::content_length:
      bad_length_ = bad_length_ || head_->content_length.has_value();
      head_->content_length = parse_digits(value);
      bad_length_ = bad_length_ || !head_->content_length.has_value();
      break;
    case FieldKind::expect:
      has_expect_ = true;
      expect_.append(expect_.empty() ? "" : ",").append(value);
      break;
    case FieldKind::transfer_encoding:
    case FieldKind::connection:
    case FieldKind::hop_by_hop: break; // TE is the only one that gets here
  }
}

int H2RequestBuilder::finish_authority() {
  if (!has_authority_ && !has_host_) return 400;
  if (!has_authority_) {
    head_->authority = host_;
  } else if (has_host_ && !iequals(host_, head_->authority)) {
    return 400; // RFC 9113 section 8.3.1: malformed
  }
  if (head_->authority == authority_) return 0;
  if (!is_authority(head_->authority)) return 400;
  for (char& c : head_->authority) c = lower(c);
  authority_ = head_->authority;
  return 0;
}

int H2RequestBuilder::finish_target() {
  if (target_.size() > limits_.target_bytes) return 414;
  if (!is_target(target_) || (target_ == "*" && head_->method != "OPTIONS")) return 400;
  const size_t mark = target_.find('?');
  head_->path.assign(target_, 0, mark);
  head_->has_query = mark != std::string::npos;
  if (head_->has_query) head_->query.assign(target_, mark + 1);
  return 0;
}

int H2RequestBuilder::finish(bool end_stream) {
  if (too_large()) return 431;
  if (head_->method == "CONNECT") return 405;
  if (!is_token(head_->method)) return 400;
  if (head_->method.size() > kMethodBytes) return 501;
  if (iequals(head_->scheme, "https")) {
    head_->scheme = "https";
  } else if (iequals(head_->scheme, "http")) {
    head_->scheme = "http";
  } else {
    return 400;
  }
  if (bad_length_ || (end_stream && head_->content_length.value_or(0) > 0)) return 400;
  if (const int status = finish_authority(); status != 0) return status;
  if (const int status = finish_target(); status != 0) return status;
  head_->has_body = !end_stream;
  if (has_expect_) {
    if (!iequals(expect_, "100-continue")) return 417;
    head_->expect_continue = head_->has_body;
  }
  if (!cookie_.empty()) head_->headers.add("cookie", cookie_);
  return 0;
}

} // namespace verge::http
