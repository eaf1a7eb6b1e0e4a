// How a connection begins: accepted, or connected to, with the TLS handshake.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "proxy/net/socket_connection.h"
#include "proxy/net/socket_options.h"

namespace verge::net {

namespace {

struct Target {
  sockaddr_storage storage{};
  socklen_t size = 0; // 0: not an address
};

bool is_unix(std::string_view address) noexcept { return address.starts_with("unix:") || address.starts_with('/'); }

Target target_of(const std::string& address, uint16_t port) noexcept {
  Target target;
  if (is_unix(address)) {
    auto* to = reinterpret_cast<sockaddr_un*>(&target.storage);
    const std::string path = address.starts_with("unix:") ? address.substr(5) : address;
    if (path.size() >= sizeof to->sun_path) return target;
    to->sun_family = AF_UNIX;
    std::memcpy(to->sun_path, path.c_str(), path.size() + 1);
    target.size = sizeof *to;
    return target;
  }
  auto* v4 = reinterpret_cast<sockaddr_in*>(&target.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&target.storage);
  if (inet_pton(AF_INET, address.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    target.size = sizeof *v4;
  } else if (inet_pton(AF_INET6, address.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    target.size = sizeof *v6;
  }
  return target;
}

std::string duration_text(Millis time) {
  if (time % Seconds(1) == Millis(0)) return std::to_string(time / Seconds(1)) + "s";
  return std::to_string(time.count()) + "ms";
}

Errc code_of_connect(int error) noexcept {
  switch (error) {
    case ETIMEDOUT: return Errc::timeout;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM: return Errc::internal;
    default: return Errc::refused; // also unreachable networks: nobody took the connection
  }
}

} // namespace

std::unique_ptr<Connection> Connection::accepted(EventLoop& loop, int fd, std::string remote_address,
                                                 uint16_t remote_port, const std::shared_ptr<ServerTls>& tls,
                                                 const ConnectionOptions& options, Handler& handler) {
  auto connection =
      std::make_unique<SocketConnection>(loop, std::move(remote_address), remote_port, options, handler, Side::client);
  connection->start_accepted(fd, tls);
  return connection;
}

std::unique_ptr<Connection> Connection::connect(EventLoop& loop, std::string address, uint16_t port, Millis timeout,
                                                const std::shared_ptr<ClientTls>& tls, std::string server_name,
                                                const ConnectionOptions& options, Handler& handler) {
  auto connection = std::make_unique<SocketConnection>(loop, std::move(address), port, options, handler, Side::origin);
  connection->start_connect(timeout, tls, std::move(server_name));
  return connection;
}

void SocketConnection::start_accepted(int fd, const std::shared_ptr<ServerTls>& tls) {
  adopt(fd);
  if (tls) {
    tls_settings_ = tls;
    begin_tls(tls->make_ssl());
  } else {
    arm_read(true);
  }
}

void SocketConnection::start_connect(Millis timeout, const std::shared_ptr<ClientTls>& tls, std::string server_name) {
  state_ = State::connecting;
  connecting_ = std::make_unique<Connecting>(Connecting{tls, std::move(server_name), timeout});
  open_socket(timeout);
}

void SocketConnection::open_socket(Millis timeout) {
  const Target target = target_of(remote_address_, remote_port_);
  if (target.size == 0)
    return closed_now({Errc::bad_input, Side::self, Retry::never,
                       "connect " + peer_text() + ": not a numeric address or short socket path"});
  const int fd = ::socket(target.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int error = fd < 0 ? errno : 0;
  if (fd >= 0) {
    tune_socket(fd);
    adopt(fd);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&target.storage), target.size) != 0) error = errno;
  }
  // A unix socket whose backlog is full says EAGAIN, and no event tells when there is room: that is refused too.
  if (error != 0 && error != EINPROGRESS) return broken(code_of_connect(error), std::strerror(error));
  arm_write(true); // also when connected already: on_open comes from the loop
  if (timeout > Millis(0)) {
    timer_ = std::make_unique<Timer>(loop_, [this] { connect_timed_out(); });
    timer_->start(timeout);
  }
}

void SocketConnection::adopt(int fd) {
  fd_ = fd;
  event_assign(&read_event_, loop_.base(), fd, EV_READ | EV_PERSIST, on_read_event, this);
  event_assign(&write_event_, loop_.base(), fd, EV_WRITE | EV_PERSIST, on_write_event, this);
}

void SocketConnection::tcp_connected() {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) return broken(code_of_connect(error), std::strerror(error));
  arm_write(false);
  if (!connecting_->tls) return opened();
  tls_settings_ = connecting_->tls;
  begin_tls(connecting_->tls->make_ssl(connecting_->server_name));
  if (state_ == State::handshaking) handshake();
}

void SocketConnection::begin_tls(ssl_st* ssl) {
  if (ssl == nullptr) return broken(Errc::internal, "no TLS session could be made: is the server name missing?");
  tls_ = std::make_unique<TlsSession>(ssl, fd_);
  state_ = State::handshaking;
  arm_read(true);
}

void SocketConnection::handshake() {
  const IoStatus status = tls_->handshake();
  if (status == IoStatus::done) {
    opened();
    if (wants_input() && tls_->pending()) receive();
  } else if (status == IoStatus::broken) {
    const std::string what = tls_->last_error();
    if (tls_->transport_failed()) return broken(Errc::closed, what);
    Error error{Errc::tls, peer_, retry(),
                (peer_ == Side::origin ? "connect " : "client ") + peer_text() + ": " + what};
    // The alert tells the peer why. A client gets it for sure: closing with its octets unread would reset instead.
    flush();
    if (state_ == State::closed) return;
    if (peer_ == Side::origin) {
      close_socket(false);
      return closed_now(std::move(error));
    }
    return drain(std::move(error));
  }
  loop_.at_turn_end(*this);
}

void SocketConnection::opened() {
  state_ = State::open;
  timer_.reset();
  connecting_.reset();
  arm_read(true);
  loop_.at_turn_end(*this); // what was written before now may leave
  handler_.on_open(*this);
}

void SocketConnection::connect_timed_out() {
  const std::string during = state_ == State::handshaking ? "TLS handshake timed out after " : "timed out after ";
  broken(Errc::timeout, during + duration_text(connecting_->timeout));
}

} // namespace verge::net
