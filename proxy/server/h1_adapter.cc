#include "proxy/server/h1_adapter.h"

#include <fmt/core.h>

#include "proxy/base/log.h"
#include "proxy/base/metrics.h"

namespace verge::server {
namespace {

constexpr uint32_t kPauseBody = 1;         // the exchange has enough of the request's body
constexpr size_t kBodyWindow = 256 * 1024; // octets of request body an exchange may hold unconsumed
constexpr uint64_t kDrainBytes = 65'536;   // of a request's body that are read to keep a connection
constexpr size_t kSmallOutput = 16'384;    // a response with no more than this waiting counts as sent

metrics::Counter g_bad_requests("verge_bad_requests_total", "", "Requests refused by the HTTP/1.1 reader.");
metrics::Counter g_timeouts("verge_client_timeouts_total", "", "Connections closed because the client was too slow.");

} // namespace

H1Adapter::H1Adapter(net::Connection& connection, const pipeline::Connected& client,
                     std::shared_ptr<const ConnectionSettings> settings)
    : connection_(connection),
      client_(client),
      settings_(std::move(settings)),
      reader_(settings_->limits, client.tls != nullptr),
      timer_(connection.loop(), [this] { on_timer(); }) {
  watch();
}

H1Adapter::~H1Adapter() = default;

void H1Adapter::on_input() { process(); }

void H1Adapter::process() {
  if (processing_) return;
  processing_ = true;
  while (!closing_) {
    if (handler_ && request_complete_) break;                         // the next request waits for this response
    if (!handler_ && connection_.output_size() > kSmallOutput) break; // and on_flushed() goes on
    if (unconsumed_ >= kBodyWindow && !response_complete_) {
      connection_.pause_read(kPauseBody);
      break;
    }
    const std::string_view before = connection_.input();
    std::string_view in = before;
    auto event = reader_.next(in);
    const size_t used = before.size() - in.size();
    if (!event) {
      refuse(event.error());
      break;
    }
    switch (*event) {
      case http::H1Event::need_more:
        connection_.consume(used);
        if (connection_.peer_closed()) {
          if (handler_) { // the body will never be complete
            handler_->on_cut();
            connection_.abort();
            closing_ = true;
          } else {
            close();
          }
        }
        if (!handler_) connection_.send_now(); // all that was asked for is answered
        watch();
        processing_ = false;
        return;
      case http::H1Event::head:
        connection_.consume(used);
        on_head();
        break;
      case http::H1Event::body: {
        const auto body = reader_.body();
        if (response_complete_) {
          drained_ += body.size();
          if (drained_ > kDrainBytes) keep_alive_ = false;
        } else {
          unconsumed_ += body.size();
          handler_->on_body(body);
        }
        connection_.consume(used);
        if (response_complete_ && !keep_alive_) close();
        break;
      }
      case http::H1Event::end:
        connection_.consume(used);
        request_complete_ = true;
        if (response_complete_) {
          finish_exchange();
        } else {
          handler_->on_body_end();
        }
        break;
    }
  }
  processing_ = false;
  if (!closing_) watch();
}

void H1Adapter::on_head() {
  auto& head = reader_.head();
  version_ = head.version;
  expect_continue_ = head.expect_continue && version_ == http::Version::http11;
  keep_alive_ = reader_.keep_alive() && !draining_;
  request_complete_ = false;
  head_sent_ = false;
  response_complete_ = false;
  unconsumed_ = 0;
  drained_ = 0;
  if (!head.has_body) {
    // `end` follows at once; the reader needs no octet for it.
    std::string_view none;
    auto event = reader_.next(none);
    request_complete_ = event && *event == http::H1Event::end;
  }
  if (answer_ready()) return;
  handler_ = settings_->make(*this, client_, std::move(head));
  handler_->begin();
}

// What is answered at once is over at once too.
bool H1Adapter::answer_ready() {
  if (!settings_->ready || !request_complete_ || !keep_alive_ || version_ != http::Version::http11) return false;
  http::ReadyResponse response;
  if (!settings_->ready(client_, reader_.head(), response)) return false;
  connection_.write(response.h1_head);
  connection_.write(std::move(response.body));
  reader_.reset();
  request_complete_ = false;
  return true;
}

void H1Adapter::refuse(const Error& error) {
  g_bad_requests.add();
  log::info("client", "{}: {} {}", client_.address, reader_.error_status(), error.what);
  if (handler_) {
    handler_->on_cut();
    if (head_sent_) {
      connection_.abort();
      closing_ = true;
      return;
    }
  }
  const int status = reader_.error_status();
  http::Headers fields;
  fields.add("content-type", "text/plain; charset=utf-8");
  fields.add("cache-control", "no-store");
  http::ResponseOut out;
  out.status = status;
  out.fields = &fields;
  const std::string body = fmt::format("{} {}\n", status, http::reason_phrase(status));
  out.content_length = body.size();
  std::string text;
  http::write_response_head(text, out, http::Framing::length, false);
  text += body;
  connection_.write(text);
  close();
}

// --- what the exchange sends ---

void H1Adapter::send_interim(const http::ResponseHead& head) {
  if (closing_ || head_sent_ || version_ == http::Version::http10) return;
  std::string text;
  http::write_interim_head(text, head);
  connection_.write(text);
}

void H1Adapter::want_body() {
  if (!expect_continue_ || head_sent_ || closing_) return;
  expect_continue_ = false;
  connection_.write("HTTP/1.1 100 Continue\r\n\r\n");
}

void H1Adapter::send_head(const http::ResponseOut& head) {
  if (closing_) return;
  head_sent_ = true;
  to_send_ = 0;
  if (head.no_body) {
    framing_ = http::Framing::none;
  } else if (head.content_length) {
    framing_ = http::Framing::length;
    to_send_ = *head.content_length;
  } else {
    framing_ = version_ == http::Version::http10 ? http::Framing::close : http::Framing::chunked;
  }
  if (framing_ == http::Framing::close) keep_alive_ = false;
  // A client that waits for 100 Continue may or may not send its body now: where the next request begins is unknown.
  if (expect_continue_ && !request_complete_) keep_alive_ = false;
  thread_local std::string text;
  text.clear();
  http::write_response_head(text, head, framing_, keep_alive_, version_);
  connection_.write(std::string_view(text));
  if (head.no_body) response_ended();
}

void H1Adapter::send_body(Slice slice) {
  if (closing_) return;
  if (framing_ == http::Framing::chunked) {
    connection_.write(std::string_view(http::chunk_prefix(slice.size)));
    connection_.write(std::move(slice));
    connection_.write(http::kChunkSuffix);
    return;
  }
  if (framing_ == http::Framing::length) {
    if (slice.size > to_send_) return abort(); // never more than was promised
    to_send_ -= slice.size;
  }
  connection_.write(std::move(slice));
}

void H1Adapter::send_end() {
  if (closing_) return;
  if (framing_ == http::Framing::length && to_send_ != 0) return abort(); // never less either
  if (framing_ == http::Framing::chunked) connection_.write(http::kLastChunk);
  response_ended();
}

void H1Adapter::abort() {
  if (closing_) return;
  closing_ = true;
  watch_closing();
  // A reset makes sure that a body ended by the close is not taken for complete; with a length or chunks the client
  // sees for itself, and what was sent still arrives.
  if (framing_ == http::Framing::close || !head_sent_) {
    connection_.abort();
  } else {
    connection_.close_after_flush();
  }
}

size_t H1Adapter::queued() const noexcept { return connection_.output_size(); }

void H1Adapter::body_consumed(size_t n) {
  const bool was_full = unconsumed_ >= kBodyWindow;
  unconsumed_ -= std::min(n, unconsumed_);
  if (was_full && unconsumed_ < kBodyWindow) connection_.resume_read(kPauseBody);
}

// --- the end of an exchange ---

void H1Adapter::response_ended() {
  response_complete_ = true;
  connection_.resume_read(kPauseBody);
  if (!request_complete_ && !keep_alive_) {
    finish_exchange();
    return;
  }
  if (!request_complete_) { // the rest is drained by process()
    connection_.loop().defer([weak = std::weak_ptr<bool>(alive_), this] {
      if (weak.lock()) process();
    });
    return;
  }
  if (connection_.output_size() <= kSmallOutput) {
    finish_exchange();
  } else {
    watch(); // on_flushed() goes on
  }
}

void H1Adapter::finish_exchange() {
  if (!handler_) return;
  handler_->on_finished();
  // The handler may be the caller: it dies when this turn is over.
  connection_.loop().defer([dead = std::move(handler_)] {});
  if (!keep_alive_ || draining_) return close();
  reader_.reset();
  request_complete_ = false;
  response_complete_ = false;
  head_sent_ = false;
  if (!processing_) {
    connection_.loop().defer([weak = std::weak_ptr<bool>(alive_), this] {
      if (weak.lock()) process();
    });
  }
}

void H1Adapter::on_writable() {
  if (handler_ && !response_complete_ && !closing_) handler_->on_writable();
  watch();
}

void H1Adapter::on_flushed() {
  if (closing_) return;
  if (handler_ && response_complete_ && request_complete_) return finish_exchange();
  if (handler_ && !response_complete_) handler_->on_writable();
  if (!handler_ && !connection_.input().empty()) return process(); // it stopped for the output
  watch();
}

void H1Adapter::on_closed() {
  closing_ = true;
  timer_.stop();
  if (handler_) handler_->on_cut();
}

void H1Adapter::drain() {
  draining_ = true;
  if (!handler_ && reader_.idle() && connection_.input().empty()) close();
}

void H1Adapter::close() {
  if (closing_) return;
  closing_ = true;
  watch_closing();
  // A client that asked for the end sends no further request (RFC 9112 section 9.6).
  const bool clients_last = request_complete_ && !reader_.keep_alive() && connection_.input().empty();
  connection_.close_after_flush(clients_last ? net::Ending::at_once : net::Ending::drain);
}

// What is still queued must go out at some pace, or the connection would stay for ever.
void H1Adapter::watch_closing() {
  waiting_ = Waiting::client;
  written_at_watch_ = connection_.bytes_written();
  timer_.start(settings_->times.send_timeout);
}

// --- time ---

void H1Adapter::watch() {
  if (closing_) return;
  const auto& t = settings_->times;
  Waiting now = Waiting::nothing;
  Millis limit{0};
  if (connection_.output_size() > 0) {
    now = Waiting::client;
    limit = t.send_timeout;
  } else if (!handler_) {
    const bool begun = !reader_.idle() || !connection_.input().empty() || connection_.bytes_read() == 0;
    now = begun ? Waiting::head : Waiting::idle;
    limit = begun ? t.head_timeout : t.idle_timeout;
  } else if (!request_complete_ && unconsumed_ < kBodyWindow) {
    now = Waiting::body;
    limit = t.body_timeout;
  }
  // The head has one deadline from its first octet; everything else begins anew with each step forward.
  if (now == Waiting::head && waiting_ == Waiting::head && timer_.running()) return;
  if (now == Waiting::idle) {
    idle_since_ = connection_.loop().mono();
    if (waiting_ == Waiting::idle && timer_.running()) return; // on_timer() sees that it began anew
  }
  waiting_ = now;
  written_at_watch_ = connection_.bytes_written();
  if (now == Waiting::nothing) {
    timer_.stop();
  } else {
    timer_.start(limit);
  }
}

Millis H1Adapter::idle_for() const noexcept { return connection_.loop().mono() - idle_since_; }

void H1Adapter::on_timer() {
  if (closing_) {
    if (connection_.bytes_written() != written_at_watch_) return watch_closing();
    g_timeouts.add();
    return connection_.abort();
  }
  if (waiting_ == Waiting::client && connection_.bytes_written() != written_at_watch_) return watch();
  switch (waiting_) {
    case Waiting::nothing: return;
    case Waiting::idle:
      if (const Millis idle = idle_for(); idle < settings_->times.idle_timeout) {
        return timer_.start(settings_->times.idle_timeout - idle);
      }
      return close();
    case Waiting::head:
      g_timeouts.add();
      if (!reader_.idle() || !connection_.input().empty()) {
        connection_.write("HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
      }
      return close();
    case Waiting::body:
    case Waiting::client:
      g_timeouts.add();
      log::info("client", "{}: {} for too long; closed", client_.address,
                waiting_ == Waiting::body ? "sent no body" : "took nothing");
      closing_ = true;
      if (handler_) handler_->on_cut();
      connection_.abort();
      return;
  }
}

} // namespace verge::server
