#include "proxy/net/listener.h"

#include <arpa/inet.h>
#include <event2/event_struct.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "proxy/base/log.h"
#include "proxy/net/socket_options.h"

namespace verge::net {

namespace {

constexpr int kBatch = 64;      // connections taken per turn at most: so that others get theirs
constexpr int kFullBatches = 8; // in a row, until twice as many are taken
constexpr Millis kPause{200};   // without descriptors
constexpr Millis kComplainEvery{10'000};

struct Descriptor {
  int fd = -1;
  explicit Descriptor(int descriptor) noexcept : fd(descriptor) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
  int release() noexcept { return std::exchange(fd, -1); }
};

std::string name_of(const Endpoint& endpoint) {
  if (!endpoint.unix_path.empty()) return "unix:" + endpoint.unix_path;
  const bool v6 = endpoint.host.find(':') != std::string::npos;
  return (v6 ? "[" + endpoint.host + "]" : endpoint.host) + ":" + std::to_string(endpoint.port);
}

std::unexpected<Error> cannot(const Endpoint& endpoint, int error) {
  std::string what = "listen on " + name_of(endpoint) + ": " + std::strerror(error);
  if (error == EADDRINUSE) what += "; is another program listening there?";
  if (error == EADDRNOTAVAIL) what += "; this machine does not have that address";
  if (error == EACCES && endpoint.port != 0 && endpoint.port < 1024) {
    what += "; ports below 1024 need the capability CAP_NET_BIND_SERVICE";
  }
  return fail(Errc::config, std::move(what));
}

Result<int> listen_on(const Endpoint& endpoint, Descriptor& socket, const sockaddr* address, socklen_t size,
                      int backlog) {
  if (::bind(socket.fd, address, size) != 0 || ::listen(socket.fd, backlog) != 0) return cannot(endpoint, errno);
  return socket.release();
}

Result<int> bind_unix(const Endpoint& endpoint, int backlog) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (endpoint.unix_path.size() >= sizeof address.sun_path) return cannot(endpoint, ENAMETOOLONG);
  std::memcpy(address.sun_path, endpoint.unix_path.c_str(), endpoint.unix_path.size() + 1);
  const auto* to = reinterpret_cast<const sockaddr*>(&address);

  // A socket file nobody listens behind is left over from a program that was killed.
  struct stat info{};
  if (::lstat(address.sun_path, &info) == 0) {
    if (!S_ISSOCK(info.st_mode)) return cannot(endpoint, EEXIST);
    const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (::connect(probe.fd, to, sizeof address) == 0 || errno != ECONNREFUSED) return cannot(endpoint, EADDRINUSE);
    ::unlink(address.sun_path);
  }
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.fd < 0) return cannot(endpoint, errno);
  return listen_on(endpoint, socket, to, sizeof address, backlog);
}

// share: others of this program may listen there too.
Result<int> bind_family(const Endpoint& endpoint, int family, int backlog, bool share) {
  Descriptor socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.fd < 0) return cannot(endpoint, errno);
  const int one = 1;
  const int zero = 0;
  ::setsockopt(socket.fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (share && ::setsockopt(socket.fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) != 0) {
    return cannot(endpoint, errno);
  }
  if (family == AF_INET) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(endpoint.port);
    if (!endpoint.host.empty() && inet_pton(AF_INET, endpoint.host.c_str(), &address.sin_addr) != 1) {
      return cannot(endpoint, EINVAL);
    }
    return listen_on(endpoint, socket, reinterpret_cast<const sockaddr*>(&address), sizeof address, backlog);
  }
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(endpoint.port);
  if (!endpoint.host.empty() && inet_pton(AF_INET6, endpoint.host.c_str(), &address.sin6_addr) != 1) {
    return cannot(endpoint, EINVAL);
  }
  ::setsockopt(socket.fd, IPPROTO_IPV6, IPV6_V6ONLY, endpoint.host.empty() ? &zero : &one, sizeof one);
  return listen_on(endpoint, socket, reinterpret_cast<const sockaddr*>(&address), sizeof address, backlog);
}

struct Peer {
  std::string address;
  uint16_t port = 0;
};

Peer peer_of(const sockaddr_storage& storage) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (storage.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&storage);
    inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
    return {text.data(), ntohs(v4->sin_port)};
  }
  if (storage.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&storage);
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) { // a v4 client of a listener for all: one spelling per client
      inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], text.data(), text.size());
    } else {
      inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
    }
    return {text.data(), ntohs(v6->sin6_port)};
  }
  return {"unix", 0};
}

int family_of(const Endpoint& endpoint) {
  if (!endpoint.host.empty()) return endpoint.host.find(':') == std::string::npos ? AF_INET : AF_INET6;
  // All addresses: one socket for both families, or v4 alone where the kernel has no v6.
  const Descriptor probe(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return probe.fd >= 0 ? AF_INET6 : AF_INET;
}

} // namespace

Result<int> Listener::bind(const Endpoint& endpoint, int backlog) {
  if (!endpoint.unix_path.empty()) return bind_unix(endpoint, backlog);
  return bind_family(endpoint, family_of(endpoint), backlog, true);
}

Result<> Listener::check_free(const Endpoint& endpoint) {
  if (!endpoint.unix_path.empty() || endpoint.port == 0) return {};
  auto alone = bind_family(endpoint, family_of(endpoint), 1, false);
  if (!alone) return std::unexpected(std::move(alone.error()));
  ::close(*alone);
  return {};
}

uint16_t Listener::bound_port(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return 0;
  if (storage.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
  if (storage.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port);
  return 0;
}

struct Listener::Impl {
  Impl(EventLoop& on, int descriptor, Accept callback)
      : loop(on), fd(descriptor), accept(std::move(callback)), pause(on, [this] { event_add(&readable, nullptr); }) {
    tune_socket(fd); // what it accepts inherits that
    event_assign(&readable, loop.base(), fd, EV_READ | EV_PERSIST, on_readable, this);
    event_add(&readable, nullptr);
  }
  ~Impl() {
    if (destroyed != nullptr) *destroyed = true;
    event_del(&readable);
    ::close(fd);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  static void on_readable(evutil_socket_t, short, void* self) noexcept { static_cast<Impl*>(self)->take(); }

  void take() {
    bool gone = false; // accept() may end the listener
    destroyed = &gone;
    int taken_now = 0;
    while (taken_now < batch) {
      sockaddr_storage storage{};
      socklen_t size = sizeof storage;
      const int taken = ::accept4(fd, reinterpret_cast<sockaddr*>(&storage), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (taken >= 0) {
        Peer peer = peer_of(storage);
        accept(taken, std::move(peer.address), peer.port);
        if (gone) return;
        ++taken_now;
        continue;
      }
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        rest(errno);
        break;
      }
      if (errno == EAGAIN || errno == EINVAL || errno == EBADF) break;
      ++taken_now; // the connection that was next in line died before its turn (accept(2) names the cases)
    }
    learn(taken_now);
    destroyed = nullptr;
  }

  // Where connections come one by one, no call is spent on hearing that no other waits: as many are taken as lately
  // came at once. One that does wait keeps the socket readable; when that goes on, more are taken.
  void learn(int taken_now) noexcept {
    if (taken_now < batch) {
      batch = std::max(taken_now, 1);
      full_batches = 0;
    } else if (++full_batches == kFullBatches) {
      batch = std::min(batch * 2, kBatch);
      full_batches = 0;
    }
  }

  // The waiting connections would make the loop spin.
  void rest(int error) {
    event_del(&readable);
    pause.start(kPause);
    if (complained_at && loop.mono() - *complained_at < kComplainEvery) return;
    complained_at = loop.mono();
    log::error("net", "accept: {}; new connections wait. Raise the limit of open files (ulimit -n, LimitNOFILE).",
               std::strerror(error));
  }

  EventLoop& loop;
  int fd;
  Accept accept;
  Timer pause;
  std::optional<MonoTime> complained_at;
  int batch = 1;        // see learn()
  int full_batches = 0; // in a row
  event readable{};
  bool* destroyed = nullptr; // while accepting: set by the destructor
};

Listener::Listener(EventLoop& loop, int fd, Accept accept)
    : impl_(std::make_unique<Impl>(loop, fd, std::move(accept))) {}

Listener::~Listener() = default;

} // namespace verge::net
