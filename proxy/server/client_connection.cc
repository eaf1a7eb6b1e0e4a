#include "proxy/server/client_connection.h"

#include <algorithm>

#include "proxy/base/log.h"
#include "proxy/base/metrics.h"
#include "proxy/server/h1_adapter.h"
#include "proxy/server/h2_adapter.h"

namespace verge::server {
namespace {

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"; // RFC 9113 section 3.4

metrics::Counter g_tls_errors("verge_tls_handshake_errors_total", "", "TLS handshakes that failed or timed out.");

} // namespace

class ClientConnection::Names final : public pipeline::CertificateNames {
 public:
  explicit Names(std::shared_ptr<net::ServerTls> tls) : tls_(std::move(tls)) {}
  bool covers(std::string_view host) const override { return tls_->covers(host); }

 private:
  std::shared_ptr<net::ServerTls> tls_;
};

ClientConnection::ClientConnection(net::EventLoop& loop, int fd, std::string address, uint16_t port,
                                   std::shared_ptr<net::ServerTls> tls, bool client_auth,
                                   std::shared_ptr<const ConnectionSettings> settings,
                                   std::function<void(ClientConnection*)> gone)
    : tls_(std::move(tls)), settings_(std::move(settings)), gone_(std::move(gone)), deadline_(loop, [this] {
        if (!protocol_) connection_->abort();
      }) {
  client_.address = address;
  client_.scheme = tls_ ? "https" : "http";
  client_.client_auth = client_auth;
  if (tls_) {
    names_ = std::make_unique<Names>(tls_);
    client_.names = names_.get();
  }
  net::ConnectionOptions options;
  options.output_high = settings_->times.output_buffer;
  options.output_low = settings_->times.output_buffer / 4;
  connection_ = net::Connection::accepted(loop, fd, std::move(address), port, tls_, options, *this);
  deadline_.start(settings_->times.head_timeout);
}

ClientConnection::~ClientConnection() = default;

void ClientConnection::choose(bool http2) {
  deadline_.stop();
  if (http2) {
    auto h2 = H2Adapter::create(*connection_, client_, settings_);
    if (!h2) {
      log::error("client", "HTTP/2 session: {}", h2.error().what);
      return connection_->abort();
    }
    protocol_ = std::move(*h2);
  } else {
    protocol_ = std::make_unique<H1Adapter>(*connection_, client_, settings_);
  }
  if (draining_) protocol_->drain();
}

void ClientConnection::on_open(net::Connection& c) {
  client_.tls = c.tls();
  if (client_.tls == nullptr) return;
  client_.sni = client_.tls->sni;
  client_.tls_version = client_.tls->version;
  client_.tls_client = client_.tls->client_subject;
  choose(client_.tls->alpn == "h2");
}

void ClientConnection::on_input(net::Connection& c) {
  if (!protocol_) {
    // Cleartext: HTTP/2 by prior knowledge begins with its preface, which no HTTP/1.1 request is.
    const auto in = c.input();
    const auto n = std::min(in.size(), kPreface.size());
    const bool may_be_h2 = settings_->allow_http2 && in.substr(0, n) == kPreface.substr(0, n);
    if (may_be_h2 && n < kPreface.size()) {
      if (c.peer_closed()) c.close_after_flush();
      return;
    }
    choose(may_be_h2);
  }
  if (protocol_) protocol_->on_input();
}

void ClientConnection::on_writable(net::Connection&) {
  if (protocol_) protocol_->on_writable();
}
void ClientConnection::on_flushed(net::Connection&) {
  if (protocol_) protocol_->on_flushed();
}

void ClientConnection::on_closed(net::Connection& c, const Error& error) {
  deadline_.stop();
  if (protocol_) {
    protocol_->on_closed();
  } else if (tls_) {
    g_tls_errors.add();
    log::info("tls", "{}: {}", client_.address, error.what);
  }
  c.loop().defer([gone = gone_, this] { gone(this); });
}

void ClientConnection::drain() {
  draining_ = true;
  if (protocol_) {
    protocol_->drain();
  } else {
    connection_->close_after_flush();
  }
}

} // namespace verge::server
