// What every TCP socket of ours has set: on a listening socket, those that it accepts inherit it.
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace verge::net {

inline constexpr int kNotsentLowat = 131'072; // octets the kernel holds beyond what it has sent: bounds a slow reader

// Answers leave at once, and slow readers hold little. Fails without harm on unix sockets, which need neither.
inline void tune_socket(int fd) noexcept {
  const int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  ::setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kNotsentLowat, sizeof kNotsentLowat);
}

} // namespace verge::net
