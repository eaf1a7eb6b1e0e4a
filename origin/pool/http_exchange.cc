#include "origin/pool/http_exchange.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "proxy/base/log.h"
#include "proxy/base/metrics.h"
#include "proxy/http/grammar.h"

namespace verge::origin {

namespace {

metrics::Counter resent("verge_origin_requests_resent_total", "",
                        "Idempotent requests sent again because a kept origin connection had ended.");

constexpr size_t kMostText = 4'096; // octets: a longer head is not the usual request's
thread_local pool::Spares<std::string> spare_texts;

// A method that usually has content says that it has none (RFC 9110 section 8.6).
std::optional<uint64_t> length_of(const http::RequestHead& head) {
  if (head.has_body) return head.content_length;
  return head.is("POST") || head.is("PUT") || head.is("PATCH") ? std::optional<uint64_t>(0) : std::nullopt;
}

http::Framing framing_of(bool has_body, const std::optional<uint64_t>& length) {
  if (length) return http::Framing::length;
  return has_body ? http::Framing::chunked : http::Framing::none;
}

bool idempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "PUT" || method == "DELETE" ||
         method == "TRACE";
}

} // namespace

HttpExchange::HttpExchange(std::shared_ptr<HttpPool> pool, http::RequestHead&& head, FetchSink& sink, uint64_t max_body)
    : pool_(std::move(pool)),
      sink_(&sink),
      method_(head.method),
      has_body_(head.has_body),
      content_length_(length_of(head)),
      framing_(framing_of(has_body_, content_length_)),
      text_(spare_texts.take()),
      max_body_(max_body),
      request_ended_(!has_body_),
      reader_(http::Limits{}),
      head_timer_(pool_->loop(),
                  [this] {
                    fail(Errc::timeout, fmt::format("no response head within {} ms", pool_->timeouts().head.count()));
                  }),
      phase_timer_(pool_->loop(), [this] { on_phase_timeout(); }) {
  head.content_length = content_length_;
  http::write_request_head(text_, head, framing_);
}

HttpExchange::~HttpExchange() {
  if (text_.capacity() > kMostText) return;
  text_.clear();
  spare_texts.keep(std::move(text_));
}

void HttpExchange::start() {
  if (max_body_ != 0 && content_length_.value_or(0) > max_body_) {
    stopped_sending_ = true;
    fail_later({Errc::too_large, Side::client, Retry::never,
                fmt::format("origin {}: request body of {} octets, allowed are {}", pool_->origin_name(),
                            *content_length_, max_body_)});
    return;
  }
  head_timer_.start(pool_->timeouts().head);
  phase_timer_.start(pool_->timeouts().connect + pool_->timeouts().first_byte);
  pool_->acquire(*this);
}

void HttpExchange::cancel() {
  if (phase_ == Phase::done) return;
  release(false);
}

// --- a connection ---------------------------------------------------------------------------------------------------

void HttpExchange::use_link(std::unique_ptr<HttpLink> link) {
  link_ = std::move(link);
  link_->set_user(this);
  send_request();
}

void HttpExchange::open_link() {
  phase_ = Phase::resolving;
  phase_timer_.start(pool_->timeouts().connect);
  pool_->resolver().resolve(pool_->endpoint().host, pool_->loop(),
                            [weak = weak_from_this()](Result<std::vector<std::string>> found) {
                              if (auto self = weak.lock()) self->on_addresses(std::move(found));
                            });
}

void HttpExchange::on_addresses(Result<std::vector<std::string>> found) {
  if (phase_ != Phase::resolving) return;
  if (!found || found->empty()) {
    Error error = found ? Error{.what = "no address"} : std::move(found.error());
    error.code = Errc::refused;
    error.side = Side::origin;
    error.retry = Retry::safe;
    return fail(std::move(error).in(fmt::format("{}: {}", where(), pool_->endpoint().host)));
  }
  addresses_ = std::move(*found);
  tried_ = 0;
  std::rotate(addresses_.begin(),
              addresses_.begin() + static_cast<std::ptrdiff_t>(pool_->next_turn() % addresses_.size()),
              addresses_.end());
  connect_next();
}

void HttpExchange::connect_next() {
  phase_ = Phase::connecting;
  phase_timer_.stop(); // the connection has its own
  link_ = HttpLink::connect(pool_->loop(), pool_->endpoint(), addresses_[tried_++], pool_->timeouts().connect,
                            pool_->tls(), *this);
}

void HttpExchange::on_link_open() { send_request(); }

void HttpExchange::on_link_closed(const Error& cause) {
  auto self = shared_from_this();
  if (phase_ == Phase::connecting && tried_ < addresses_.size()) {
    log::debug("origin", "{}: {}; trying the next address", where(), cause.what);
    HttpLink::bury(std::move(link_));
    return connect_next();
  }
  if (phase_ == Phase::running && may_send_again()) return send_again();
  if (phase_ == Phase::running && paused_ && head_done_ && !link_->connection().input().empty()) {
    broken_ = cause; // what came before may be the whole answer: it is told when the sink takes it
    return;
  }
  fail_as_broken(cause);
}

void HttpExchange::fail_as_broken(Error error) {
  if (phase_ == Phase::connecting) error.retry = Retry::safe;
  error.side = Side::origin;
  // The connection's text says "connect ADDRESS: ..." or "origin ADDRESS: ...", most of the time.
  if (error.what.starts_with("origin ")) error.what.erase(0, 7);
  const bool named = error.what.find(link_->name()) != std::string::npos;
  fail(std::move(error).in(named ? fmt::format("origin {}", pool_->origin_name()) : where()));
}

bool HttpExchange::may_send_again() const noexcept {
  return link_->used_before() && !heard_ && !has_body_ && idempotent(method_);
}

// Keeps the slot, so nobody in line can come first; the link made now is not used_before(), so there is no third time.
void HttpExchange::send_again() {
  log::debug("origin", "{}: the kept connection had ended, asking again on a new one", where());
  resent.add();
  HttpLink::bury(std::move(link_));
  open_link();
}

// --- the request ----------------------------------------------------------------------------------------------------

void HttpExchange::send_request() {
  phase_ = Phase::running;
  heard_ = answering_ = interim_ = eof_ = false;
  reader_.expect(method_);
  // The head's time begins again when a body has been sent: how long the client takes for that is not the origin's.
  if (has_body_) head_timer_.stop();
  phase_timer_.stop();

  link_->connection().write(std::string_view(text_));
  if (!pending_body_.empty()) write_body(std::exchange(pending_body_, {}));
  if (request_ended_ && framing_ == http::Framing::chunked) link_->connection().write(http::kLastChunk);
  watch_sending();
  if (want_writable_) {
    pool_->loop().post([weak = weak_from_this()] {
      if (auto self = weak.lock()) self->tell_writable();
    });
  }
}

void HttpExchange::write_body(std::string_view octets) {
  net::Connection& connection = link_->connection();
  if (framing_ != http::Framing::chunked) return connection.write(octets);
  connection.write(http::chunk_prefix(octets.size()));
  connection.write(octets);
  connection.write(http::kChunkSuffix);
}

bool HttpExchange::send_body(std::string_view octets) {
  if (phase_ == Phase::done || stopped_sending_ || request_ended_ || octets.empty()) return true;
  body_octets_ += octets.size();
  const bool over_limit = max_body_ != 0 && body_octets_ > max_body_;
  const bool over_declared = content_length_ && body_octets_ > *content_length_;
  if (over_limit || over_declared) {
    // Nothing of the surplus may be sent: behind the declared length it would be a request of its own.
    stopped_sending_ = true;
    fail_later({over_limit ? Errc::too_large : Errc::bad_input, Side::client, Retry::never,
                fmt::format("{}: request body exceeds the {} octets {}", where(),
                            over_limit ? max_body_ : *content_length_, over_limit ? "allowed" : "declared")});
    return true;
  }
  if (phase_ != Phase::running) {
    pending_body_.append(octets);
    want_writable_ = true;
    return false;
  }
  write_body(octets);
  watch_sending();
  // Once asked to wait, the caller waits for on_request_writable, though some of it may have gone out by the next call:
  // a wish taken back here would never be answered.
  want_writable_ = want_writable_ || !link_->connection().writable();
  return !want_writable_;
}

void HttpExchange::end_body() {
  if (phase_ == Phase::done || stopped_sending_ || request_ended_) return;
  if (content_length_ && body_octets_ != *content_length_) {
    stopped_sending_ = true;
    return fail_later(
        {Errc::bad_input, Side::client, Retry::never,
         fmt::format("{}: request body of {} octets, declared were {}", where(), body_octets_, *content_length_)});
  }
  request_ended_ = true;
  want_writable_ = false;
  if (phase_ != Phase::running) return;
  if (framing_ == http::Framing::chunked) link_->connection().write(http::kLastChunk);
  watch_sending();
}

bool HttpExchange::request_sent() const noexcept { return request_ended_ && link_->connection().output_size() == 0; }

// Sees to it that an origin which takes nothing is noticed. Once it answers, the silence of the answer counts instead.
void HttpExchange::watch_sending() {
  if (request_sent()) return request_flushed();
  if (answering_ || phase_timer_.running()) return;
  written_ = link_->connection().bytes_written();
  phase_timer_.start(pool_->timeouts().between_bytes);
}

void HttpExchange::request_flushed() {
  if (has_body_ && !head_done_) head_timer_.start(pool_->timeouts().head);
  if (!answering_) phase_timer_.start(pool_->timeouts().first_byte);
}

void HttpExchange::on_link_flushed() {
  if (phase_ != Phase::running) return;
  auto self = shared_from_this();
  if (request_ended_) {
    if (!stopped_sending_) request_flushed();
  } else {
    if (!answering_) phase_timer_.stop(); // it is for the client to go on
    tell_writable();
  }
}

void HttpExchange::on_link_writable() {
  auto self = shared_from_this();
  tell_writable();
}

void HttpExchange::tell_writable() {
  if (phase_ == Phase::done || !want_writable_) return;
  want_writable_ = false;
  sink_->on_request_writable();
}

// --- the end --------------------------------------------------------------------------------------------------------

void HttpExchange::on_phase_timeout() {
  const config::Timeouts& limits = pool_->timeouts();
  switch (phase_) {
    case Phase::in_line:
      return fail(Errc::timeout, fmt::format("all {} connections were in use for {} ms", pool_->max_connections(),
                                             (limits.connect + limits.first_byte).count()));
    case Phase::resolving:
      return fail(Errc::timeout,
                  fmt::format("{}: no address within {} ms", pool_->endpoint().host, limits.connect.count()));
    case Phase::connecting:
    case Phase::done: return;
    case Phase::running: break;
  }
  if (answering_) {
    return fail(Errc::timeout, fmt::format("silent for {} ms within the response", limits.between_bytes.count()));
  }
  if (request_sent()) {
    return fail(Errc::timeout, fmt::format("no response within {} ms of the request", limits.first_byte.count()));
  }
  if (const uint64_t now = link_->connection().bytes_written(); now != written_) {
    written_ = now;
    return phase_timer_.start(limits.between_bytes);
  }
  fail(Errc::timeout, fmt::format("takes nothing of the request for {} ms", limits.between_bytes.count()));
}

void HttpExchange::fail_later(Error error) {
  pool_->loop().post([weak = weak_from_this(), error = std::move(error)]() mutable {
    if (auto self = weak.lock()) self->fail(std::move(error));
  });
}

void HttpExchange::fail(Errc code, std::string_view what) {
  fail(Error{code, Side::origin, Retry::never, fmt::format("{}: {}", where(), what)});
}

void HttpExchange::fail(Error error) {
  if (phase_ == Phase::done) return;
  auto self = shared_from_this();
  release(false);
  std::exchange(sink_, nullptr)->on_error(std::move(error));
}

std::string HttpExchange::where() const {
  if (link_ == nullptr) return fmt::format("origin {}", pool_->origin_name());
  return fmt::format("origin {}: {}", pool_->origin_name(), link_->name());
}

void HttpExchange::release(bool keep) {
  const Phase was = std::exchange(phase_, Phase::done);
  head_timer_.stop();
  phase_timer_.stop();
  if (link_ != nullptr) {
    pool_->give_back(std::move(link_), keep);
  } else if (was == Phase::in_line) {
    pool_->leave_line(*this);
  } else if (was == Phase::resolving) {
    pool_->give_back_slot();
  }
}

} // namespace verge::origin
