// How many writes a TLS connection takes, and what is in them.
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "tests/proxy/net/tls_wire.h"

namespace {
std::atomic<int> g_sends{0}; // of sockets, by this program
}

// In place of the C library's.
extern "C" ssize_t send(int fd, const void* data, size_t size, int flags) {
  ++g_sends;
  return ::syscall(SYS_sendto, fd, data, size, flags, nullptr, 0);
}

namespace verge::net {
namespace {

using testing::HasSubstr;

size_t count(const std::string& text, const std::string& part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

struct TlsWrites : TlsTest {
  std::string session = certs.path("writes-session");
  // Writes of the server for one connection of one answer that it ends.
  int writes(const std::vector<std::string>& more) {
    const int before = g_sends;
    EXPECT_THAT(s_client(more), HasSubstr("\nok\n"));
    return g_sends - before;
  }
};

TEST_F(TlsWrites, TicketAnswerAndEndLeaveTogetherInTls13) {
  serve(serving({"a"}));
  EXPECT_EQ(writes({"-tls1_3", "-sess_out", session}), 2) << "ServerHello to Finished; ticket, answer and close_notify";
  EXPECT_EQ(writes({"-tls1_3", "-sess_in", session}), 2);
  EXPECT_TRUE(last().info.resumed);
}

TEST_F(TlsWrites, EachFlightAndTheAnswerWithItsEndAreOneWriteInTls12) {
  serve(serving({"a"}));
  EXPECT_EQ(writes({"-tls1_2", "-sess_out", session}), 3);
  EXPECT_EQ(writes({"-tls1_2", "-sess_in", session}), 2);
  EXPECT_TRUE(last().info.resumed);
}

TEST_F(TlsWrites, AClientGetsOneTicketAndTheEndOfTheStream) {
  serve(serving({"a"}));
  const std::string said = s_client({"-tls1_3", "-msg"});
  EXPECT_EQ(count(said, "NewSessionTicket"), 1U);
  EXPECT_THAT(said, HasSubstr("close_notify"));
}

} // namespace
} // namespace verge::net
