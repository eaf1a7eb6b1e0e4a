// An origin that does exactly what a test writes down, octet by octet, on a thread of its own: one script a connection,
// in the order they are accepted. Blocking sockets with a generous limit, so that a fault ends a test and never hangs
// it.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace verge::origin {

// A socket that listens on 127.0.0.1 and a port the kernel chose.
class ListenSocket {
 public:
  explicit ListenSocket(int backlog = 16) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(fd_, backlog) != 0 ||
        ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("no port on 127.0.0.1");
    }
    port_ = ntohs(address.sin_port);
  }
  ListenSocket(const ListenSocket&) = delete;
  ListenSocket& operator=(const ListenSocket&) = delete;
  ~ListenSocket() { ::close(fd_); }
  int fd() const noexcept { return fd_; }
  uint16_t port() const noexcept { return port_; }

 private:
  int fd_;
  uint16_t port_ = 0;
};

// One accepted connection, as a script sees it.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {
    const timeval limit{20, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() { close(); }

  // Up to and with the empty line; "" when the connection ended first.
  std::string read_head() { return read_until("\r\n\r\n"); }
  std::string read_until(std::string_view mark) {
    while (have_.find(mark) == std::string::npos) {
      if (!more()) return "";
    }
    return take(have_.find(mark) + mark.size());
  }
  std::string read(size_t n) {
    while (have_.size() < n) {
      if (!more()) return take(have_.size());
    }
    return take(n);
  }
  // All until the other side closes (or resets).
  std::string read_to_end() {
    while (more()) {
    }
    return take(have_.size());
  }
  void send(std::string_view octets) {
    while (!octets.empty()) {
      const ssize_t n = ::send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      octets.remove_prefix(static_cast<size_t>(n));
    }
  }
  // Reads a request head and answers it.
  std::string answer(std::string_view response) {
    std::string head = read_head();
    if (!head.empty()) send(response);
    return head;
  }
  void finish_sending() { ::shutdown(fd_, SHUT_WR); } // FIN
  void reset() {                                      // RST
    const linger now{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  void close() {
    const std::lock_guard lock(mutex_);
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  // From another thread: ends whatever the script waits for.
  void interrupt() {
    const std::lock_guard lock(mutex_);
    if (fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
  }

 private:
  bool more() {
    char buffer[65'536];
    const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n <= 0) return false;
    have_.append(buffer, static_cast<size_t>(n));
    return true;
  }
  std::string take(size_t n) {
    std::string out = have_.substr(0, n);
    have_.erase(0, n);
    return out;
  }
  std::mutex mutex_; // guards closing against interrupt()
  int fd_;
  std::string have_;
};

class ScriptedOrigin {
 public:
  using Script = std::function<void(Peer&)>;

  explicit ScriptedOrigin(std::vector<Script> scripts) : thread_([this, all = std::move(scripts)] { run(all); }) {}
  ScriptedOrigin(const ScriptedOrigin&) = delete;
  ScriptedOrigin& operator=(const ScriptedOrigin&) = delete;
  // No more connections; a script that still waits for its client is interrupted.
  ~ScriptedOrigin() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
      if (peer_ != nullptr) peer_->interrupt();
    }
    ::shutdown(socket_.fd(), SHUT_RDWR); // wakes accept()
    thread_.join();
  }

  uint16_t port() const noexcept { return socket_.port(); }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port()); }
  // Scripts run to their end so far.
  int done() const noexcept { return done_.load(); }

 private:
  void run(const std::vector<Script>& scripts) {
    for (const Script& script : scripts) {
      const int fd = ::accept(socket_.fd(), nullptr, nullptr);
      if (fd < 0) return;
      Peer peer(fd);
      {
        const std::lock_guard lock(mutex_);
        peer_ = &peer;
        if (ending_) peer.interrupt();
      }
      script(peer);
      {
        const std::lock_guard lock(mutex_);
        peer_ = nullptr;
      }
      ++done_;
    }
  }
  ListenSocket socket_;
  std::atomic<int> done_{0};
  std::mutex mutex_; // guards peer_ and ending_
  Peer* peer_ = nullptr;
  bool ending_ = false;
  std::thread thread_;
};

} // namespace verge::origin
