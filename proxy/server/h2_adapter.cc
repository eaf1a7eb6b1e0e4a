#include "proxy/server/h2_adapter.h"

#include "proxy/base/log.h"
#include "proxy/base/metrics.h"

namespace verge::server {
namespace {

constexpr uint32_t kCancel = 0x8, kInternalError = 0x2;

metrics::Counter g_broken("verge_h2_broken_connections_total", "", "HTTP/2 connections ended for breaking the rules.");
metrics::Counter g_stalled("verge_h2_stalled_streams_total", "", "HTTP/2 streams reset because they made no progress.");

} // namespace

// One stream: what the exchange speaks to.
class H2Adapter::Stream final : public http::ClientStream, public pool::Pooled {
 public:
  Stream(H2Adapter& adapter, int32_t id) : adapter_(adapter), id_(id) {}

  void send_interim(const http::ResponseHead& head) override {
    if (dead_ || head_sent_) return;
    adapter_.session_->submit_interim(id_, head);
    adapter_.pump_soon();
  }
  void send_head(const http::ResponseOut& head) override {
    if (dead_) return;
    head_sent_ = true;
    if (head.no_body) response_complete_ = true;
    adapter_.session_->submit_head(id_, head);
    adapter_.pump_soon();
  }
  void send_body(Slice slice) override {
    if (dead_) return;
    adapter_.session_->submit_body(id_, std::move(slice));
    adapter_.pump_soon();
  }
  void send_end() override {
    if (dead_) return;
    response_complete_ = true;
    adapter_.session_->submit_end(id_);
    adapter_.pump_soon();
  }
  void abort() override {
    if (dead_) return;
    adapter_.session_->reset(id_, kInternalError);
    adapter_.pump_soon();
  }
  size_t queued() const noexcept override { return dead_ ? SIZE_MAX : adapter_.session_->queued(id_); }
  void body_consumed(size_t n) override {
    unconsumed_ -= std::min(n, unconsumed_);
    if (dead_) return;
    adapter_.session_->consume(id_, n);
    adapter_.pump_soon();
  }
  void want_body() override {
    if (dead_ || !expect_continue_ || head_sent_) return;
    expect_continue_ = false;
    http::ResponseHead head;
    head.status = 100;
    adapter_.session_->submit_interim(id_, head);
    adapter_.pump_soon();
  }
  void close_after() override {}
  std::string_view remote_address() const noexcept override { return adapter_.connection_.remote_address(); }

  H2Adapter& adapter_;
  int32_t id_;
  std::unique_ptr<http::StreamHandler> handler_;
  size_t unconsumed_ = 0;        // request body octets handed over and not given back
  uint64_t queued_at_check_ = 0; // for check_stalled()
  uint64_t received_ = 0, received_at_check_ = 0;
  bool request_complete_ = false;
  bool head_sent_ = false;
  bool response_complete_ = false;
  bool expect_continue_ = false;
  bool dead_ = false; // the session has forgotten it
};

H2Adapter::H2Adapter(net::Connection& connection, const pipeline::Connected& client,
                     std::shared_ptr<const ConnectionSettings> settings)
    : connection_(connection),
      client_(client),
      settings_(std::move(settings)),
      timer_(connection.loop(), [this] { on_timer(); }) {}

Result<std::unique_ptr<H2Adapter>> H2Adapter::create(net::Connection& connection, const pipeline::Connected& client,
                                                     std::shared_ptr<const ConnectionSettings> settings) {
  auto adapter = std::unique_ptr<H2Adapter>(new H2Adapter(connection, client, std::move(settings)));
  auto session = http::H2Server::create(*adapter, adapter->settings_->limits);
  if (!session) return std::unexpected(std::move(session.error()));
  adapter->session_ = std::move(*session);
  adapter->watch();
  adapter->pump_soon(); // our SETTINGS
  return adapter;
}

H2Adapter::~H2Adapter() = default;

void H2Adapter::on_input() {
  if (closing_) return;
  const auto in = connection_.input();
  const auto fed = session_->feed(in, connection_.loop().mono());
  connection_.consume(in.size());
  if (!fed) {
    g_broken.add();
    log::info("client", "{}: HTTP/2: {}", client_.address, fed.error().what);
    pump(); // the GOAWAY that says why
    return close();
  }
  pump_soon();
  if (connection_.peer_closed()) return close();
}

void H2Adapter::on_request(int32_t id, http::RequestHead&& head, bool end) {
  seen_request_ = true;
  if (end && settings_->ready && session_->window(id) >= http::kReadyBytes) {
    http::ReadyResponse response;
    if (settings_->ready(client_, head, response)) {
      session_->submit_ready(id, response);
      return pump_soon();
    }
  }
  auto stream = std::make_unique<Stream>(*this, id);
  auto& s = *stream;
  s.request_complete_ = end;
  s.expect_continue_ = head.expect_continue;
  streams_.emplace(id, std::move(stream));
  s.handler_ = settings_->make(s, client_, std::move(head));
  s.handler_->begin();
}

void H2Adapter::on_data(int32_t id, std::string_view octets) {
  const auto it = streams_.find(id);
  if (it == streams_.end()) return session_->consume(id, octets.size());
  auto& s = *it->second;
  s.received_ += octets.size();
  if (s.response_complete_) return session_->consume(id, octets.size()); // nobody wants it any more
  s.unconsumed_ += octets.size();
  s.handler_->on_body(octets);
}

void H2Adapter::on_data_end(int32_t id) {
  const auto it = streams_.find(id);
  if (it == streams_.end()) return;
  it->second->request_complete_ = true;
  if (!it->second->response_complete_) it->second->handler_->on_body_end();
}

void H2Adapter::on_drained(int32_t id) {
  // From inside nghttp2's output: the exchange is woken when that is done.
  connection_.loop().defer([weak = std::weak_ptr<bool>(alive_), this, id] {
    if (!weak.lock() || closing_) return;
    const auto it = streams_.find(id);
    if (it != streams_.end() && !it->second->dead_ && !it->second->response_complete_) {
      it->second->handler_->on_writable();
    }
  });
}

void H2Adapter::on_stream_closed(int32_t id, uint32_t code) {
  const auto it = streams_.find(id);
  if (it == streams_.end()) return;
  std::unique_ptr<Stream> stream = std::move(it->second);
  streams_.erase(it);
  stream->dead_ = true;
  if (stream->response_complete_ && code == 0) {
    stream->handler_->on_finished();
  } else {
    stream->handler_->on_cut();
  }
  connection_.loop().defer(
      [dead = std::move(stream)] {}); // the handler may be the caller: it dies when this turn is over
}

void H2Adapter::write(std::string_view octets) { connection_.write(octets); }
void H2Adapter::write(Slice slice) { connection_.write(std::move(slice)); }
bool H2Adapter::full() const noexcept { return !connection_.writable(); }

void H2Adapter::pump_soon() {
  if (pump_queued_ || closing_) return;
  pump_queued_ = true;
  connection_.loop().defer([weak = std::weak_ptr<bool>(alive_), this] {
    if (!weak.lock()) return;
    pump_queued_ = false;
    if (!closing_) pump();
  });
}

void H2Adapter::pump() {
  const auto pumped = session_->pump(*this);
  if (!pumped) {
    g_broken.add();
    log::info("client", "{}: HTTP/2: {}", client_.address, pumped.error().what);
    return close();
  }
  if (session_->done()) return close();
  watch();
}

void H2Adapter::on_writable() {
  if (!closing_) pump();
}
void H2Adapter::on_flushed() {
  if (!closing_) pump();
}

void H2Adapter::on_closed() {
  closing_ = true;
  timer_.stop();
  for (auto& [id, stream] : streams_) {
    stream->dead_ = true;
    stream->handler_->on_cut();
  }
}

void H2Adapter::drain() {
  if (closing_) return;
  session_->shutdown();
  pump_soon();
}

void H2Adapter::close() {
  if (closing_) return;
  closing_ = true;
  for (auto& [id, stream] : streams_) {
    stream->dead_ = true;
    stream->handler_->on_cut();
  }
  // What is still queued must go out at some pace, or the connection would stay for ever.
  written_at_watch_ = connection_.bytes_written();
  timer_.start(settings_->times.send_timeout);
  connection_.close_after_flush();
}

void H2Adapter::watch() {
  if (closing_) return;
  const auto& t = settings_->times;
  if (session_->open_streams() > 0 || connection_.output_size() > 0) {
    if (!timer_.running() || written_at_watch_ == UINT64_MAX) {
      timer_.start(t.send_timeout);
      written_at_watch_ = connection_.bytes_written();
    }
    return;
  }
  if (written_at_watch_ != UINT64_MAX || !timer_.running()) {
    timer_.start(seen_request_ ? t.idle_timeout : t.head_timeout);
    written_at_watch_ = UINT64_MAX; // idle
  }
}

void H2Adapter::on_timer() {
  if (closing_) {
    if (connection_.bytes_written() == written_at_watch_) return connection_.abort();
    written_at_watch_ = connection_.bytes_written();
    return timer_.start(settings_->times.send_timeout);
  }
  if (written_at_watch_ == UINT64_MAX) { // idle for its whole time
    session_->shutdown();
    pump();
    return close();
  }
  if (connection_.output_size() > 0 && connection_.bytes_written() == written_at_watch_) {
    log::info("client", "{}: took nothing for too long; closed", client_.address);
    on_closed();
    connection_.abort();
    return;
  }
  check_stalled();
  timer_.start(settings_->times.send_timeout);
  written_at_watch_ = connection_.bytes_written();
}

// A stream that neither took response octets (its window is closed) nor sent those of its request for a whole span.
void H2Adapter::check_stalled() {
  for (auto& [id, stream] : streams_) {
    auto& s = *stream;
    const uint64_t queued = session_->queued(id);
    const bool stuck_sending = queued > 0 && queued == s.queued_at_check_;
    const bool stuck_receiving =
        !s.request_complete_ && s.unconsumed_ == 0 && s.received_ == s.received_at_check_ && s.received_at_check_ != 0;
    s.queued_at_check_ = queued;
    s.received_at_check_ = s.received_;
    if (stuck_sending || stuck_receiving) {
      g_stalled.add();
      session_->reset(id, kCancel);
    }
  }
  pump_soon();
}

} // namespace verge::server
