#include "proxy/control/admin_client.h"

#include <fmt/core.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "proxy/http/h1_reader.h"
#include "proxy/http/h1_writer.h"
#include "proxy/net/listener.h"

namespace verge::control {
namespace {

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  Socket(Socket&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

// connect() heeds the send limit too.
void set_limits(int fd) {
  const timeval limit{10, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

std::string no_node(const std::string& address, int error) {
  return fmt::format("no node answers at {} ({}); is verge serve running, and is this its admin address?", address,
                     std::strerror(error));
}

Result<Socket> connect_to(const std::string& address) {
  const auto endpoint = net::Endpoint::parse(address);
  if (!endpoint) return fail(Errc::bad_input, "admin address: " + endpoint.error().what);
  if (!endpoint->unix_path.empty()) {
    sockaddr_un sun{};
    sun.sun_family = AF_UNIX;
    if (endpoint->unix_path.size() >= sizeof sun.sun_path)
      return fail(Errc::bad_input, "unix path too long: " + address);
    std::memcpy(sun.sun_path, endpoint->unix_path.data(), endpoint->unix_path.size());
    Socket s(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    set_limits(s.fd());
    if (s.fd() < 0 || ::connect(s.fd(), reinterpret_cast<sockaddr*>(&sun), sizeof sun) != 0) {
      return fail(Errc::refused, no_node(address, errno));
    }
    return s;
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const std::string host = endpoint->host.empty() ? "127.0.0.1" : endpoint->host;
  const int rc = ::getaddrinfo(host.c_str(), std::to_string(endpoint->port).c_str(), &hints, &list);
  if (rc != 0) return fail(Errc::refused, fmt::format("{}: {}", address, gai_strerror(rc)));
  int error = ECONNREFUSED;
  for (auto* a = list; a != nullptr; a = a->ai_next) {
    Socket s(::socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    set_limits(s.fd());
    if (s.fd() >= 0 && ::connect(s.fd(), a->ai_addr, a->ai_addrlen) == 0) {
      ::freeaddrinfo(list);
      return s;
    }
    error = errno;
  }
  ::freeaddrinfo(list);
  return fail(Errc::refused, no_node(address, error));
}

struct Answer {
  int status = 0;
  std::string body;
};

constexpr std::string_view kPerhaps = "it may have been done nevertheless";

// An empty body: GET.
Result<Answer> exchange(const AdminAddress& node, const std::string& path, const std::string& body) {
  const std::string& address = node.address;
  auto socket = connect_to(address);
  if (!socket) return std::unexpected(std::move(socket.error()));
  http::RequestHead head;
  head.method = body.empty() ? "GET" : "POST";
  head.authority = "localhost";
  head.path = path;
  if (!body.empty()) head.headers.add("content-type", "application/json");
  if (!node.token.empty()) head.headers.add("authorization", "Bearer " + node.token);
  head.has_body = !body.empty();
  if (head.has_body) head.content_length = body.size();
  std::string out;
  http::write_request_head(out, head, head.has_body ? http::Framing::length : http::Framing::none);
  out += body;
  for (size_t at = 0; at < out.size();) {
    const auto n = ::send(socket->fd(), out.data() + at, out.size() - at, MSG_NOSIGNAL);
    if (n <= 0) return fail(Errc::closed, fmt::format("{}: sending: {}", address, std::strerror(errno)));
    at += static_cast<size_t>(n);
  }
  http::H1ResponseReader reader{http::Limits{}};
  reader.expect(head.method);
  std::string buffer;
  Answer answer;
  char chunk[16'384];
  while (true) {
    const auto n = ::recv(socket->fd(), chunk, sizeof chunk, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EAGAIN) {
      return fail(Errc::closed,
                  fmt::format("{}: closed without a whole answer ({}); {}", address, std::strerror(errno), kPerhaps));
    }
    if (n < 0) {
      return fail(Errc::timeout, fmt::format("{}: no answer within 10 s; {}", address, kPerhaps));
    }
    if (n == 0) return fail(Errc::closed, fmt::format("{}: closed without a whole answer; {}", address, kPerhaps));
    buffer.append(chunk, static_cast<size_t>(n));
    std::string_view in = buffer;
    for (bool more = true; more;) {
      const auto event = reader.next(in);
      if (!event)
        return fail(Errc::bad_input, fmt::format("{}: not a Verge admin address: {}", address, event.error().what));
      switch (*event) {
        case http::H1Event::need_more: more = false; break;
        case http::H1Event::head: answer.status = reader.head().status; break;
        case http::H1Event::body: answer.body += reader.body(); break;
        case http::H1Event::end: return answer;
      }
    }
    buffer.erase(0, buffer.size() - in.size());
  }
}

Result<nlohmann::json> object_of(const AdminAddress& node, Result<Answer> answer) {
  if (!answer) return std::unexpected(std::move(answer.error()));
  auto reply = nlohmann::json::parse(answer->body, nullptr, false);
  if (answer->status == 200 && reply.is_object()) return reply;
  const bool has_text = reply.is_object() && reply.contains("error") && reply["error"].is_string();
  if (!has_text) return fail(Errc::refused, not_admin(node.address, answer->status));
  if (answer->status == 401) {
    return fail(Errc::refused, fmt::format("{} asks for a token that is {}; give the node's admin.token with --token",
                                           node.address, node.token.empty() ? "missing" : "another"));
  }
  const auto code = answer->status == 400 ? Errc::bad_input : answer->status == 404 ? Errc::not_found : Errc::refused;
  return fail(code, reply["error"].get<std::string>());
}

} // namespace

Result<nlohmann::json> ask_admin(const AdminAddress& node, const std::string& path, const nlohmann::json& request) {
  return object_of(node, exchange(node, path, request.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
}

Result<nlohmann::json> read_admin(const AdminAddress& node, const std::string& path) {
  return object_of(node, exchange(node, path, ""));
}

std::string not_admin(const std::string& address, int status) {
  return fmt::format("{} is not a Verge admin address: it answered {}; see admin.address of the node's configuration",
                     address, status);
}

} // namespace verge::control
