// The response's half of an HttpExchange: what the connection holds becomes what the sink hears.
#include <fmt/core.h>

#include <utility>

#include "origin/pool/http_exchange.h"

namespace verge::origin {

namespace {

constexpr uint32_t kPaused = 1; // the reason for pause_read

} // namespace

void HttpExchange::pause() {
  if (paused_) return;
  paused_ = true;
  if (phase_ != Phase::running || !head_done_) return; // a head is never held back
  link_->connection().pause_read(kPaused);
  phase_timer_.stop();
}

void HttpExchange::resume() {
  if (!paused_) return;
  paused_ = false;
  if (phase_ != Phase::running || !head_done_) return;
  link_->connection().resume_read(kPaused);
  phase_timer_.start(pool_->timeouts().between_bytes);
  // The connection wakes us for octets; here the end may be all that is left to tell.
  pool_->loop().post([weak = weak_from_this()] {
    if (auto self = weak.lock()) self->pump();
  });
}

void HttpExchange::on_link_input() {
  if (phase_ == Phase::running && !link_->connection().input().empty()) {
    heard_ = answering_ = true;
    if (!(paused_ && head_done_)) phase_timer_.start(pool_->timeouts().between_bytes);
  }
  pump();
}

void HttpExchange::pump() {
  auto self = shared_from_this();
  while (phase_ == Phase::running && !(paused_ && head_done_)) {
    net::Connection& connection = link_->connection();
    std::string_view in = connection.input();
    const size_t before = in.size();
    auto event = reader_.next(in);
    const size_t used = before - in.size();
    if (!event) {
      // Whatever limit it broke: to the client it is an origin that talks nonsense.
      return fail(Errc::bad_input, event.error().what);
    }
    switch (*event) {
      case http::H1Event::head:
        connection.consume(used);
        if (!take_head()) return;
        break;
      case http::H1Event::body:
        sink_->on_data(reader_.body());
        if (phase_ != Phase::running) return; // cancelled: the connection is gone with its octets
        connection.consume(used);
        break;
      case http::H1Event::end:
        connection.consume(used);
        if (!interim_) return complete();
        interim_over();
        break;
      case http::H1Event::need_more:
        connection.consume(used);
        if (broken_) return fail_as_broken(std::move(*broken_));
        if (!connection.peer_closed()) return;
        if (eof_ || !connection.input().empty()) return fail(Errc::closed, "connection closed within the response");
        eof_ = true;
        link_ended();
        break;
    }
  }
}

// False: the exchange is over. (101 and endless interim heads are the reader's to refuse.)
bool HttpExchange::take_head() {
  http::ResponseHead& head = reader_.head();
  interim_ = head.status < 200;
  if (interim_) {
    if (head.status != 100) sink_->on_interim(std::move(head));
    return phase_ == Phase::running;
  }
  head_done_ = true;
  head_timer_.stop();
  if (!request_sent()) {
    // Answered before the request was whole: no octet of it goes out any more, and the connection is not kept.
    stopped_sending_ = true;
    want_writable_ = false;
  }
  if (paused_) {
    link_->connection().pause_read(kPaused);
    phase_timer_.stop();
  }
  sink_->on_head(std::move(head));
  return phase_ == Phase::running;
}

void HttpExchange::interim_over() {
  reader_.reset_interim();
  interim_ = answering_ = false;
  phase_timer_.stop();
  if (request_sent()) {
    phase_timer_.start(pool_->timeouts().first_byte);
  } else if (link_->connection().output_size() > 0) {
    watch_sending();
  }
}

void HttpExchange::link_ended() {
  if (may_send_again()) return send_again();
  if (!heard_) return fail(Errc::closed, "connection closed without a response");
  if (auto ended = reader_.eof(); !ended) fail(Errc::closed, ended.error().what);
}

void HttpExchange::complete() {
  net::Connection& connection = link_->connection();
  const bool keep = reader_.keep_alive() && !reader_.close_delimited() && request_sent() && !stopped_sending_ &&
                    !broken_ && connection.input().empty() && !connection.peer_closed();
  release(keep);
  std::exchange(sink_, nullptr)->on_end();
}

} // namespace verge::origin
