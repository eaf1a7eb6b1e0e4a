#include "proxy/net/listener.h"

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/un.h>

#include "proxy/net/socket_options.h"
#include "tests/proxy/net/child.h"
#include "tests/proxy/net/wire.h"

namespace verge::net {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(Endpoint, TakesApartHostAndPort) {
  const auto v4 = Endpoint::parse("127.0.0.1:8443");
  ASSERT_TRUE(v4.has_value());
  EXPECT_EQ(v4->host, "127.0.0.1");
  EXPECT_EQ(v4->port, 8'443);
  const auto v6 = Endpoint::parse("[::1]:80");
  ASSERT_TRUE(v6.has_value());
  EXPECT_EQ(v6->host, "::1");
  EXPECT_EQ(v6->port, 80);
  const auto all = Endpoint::parse(":0");
  ASSERT_TRUE(all.has_value());
  EXPECT_EQ(all->host, "");
  const auto path = Endpoint::parse("unix:/run/verge.sock");
  ASSERT_TRUE(path.has_value());
  EXPECT_EQ(path->unix_path, "/run/verge.sock");
}

TEST(Endpoint, SaysWhatIsWrongWithAnAddress) {
  const auto fault = [](const std::string& text) {
    const auto parsed = Endpoint::parse(text);
    return parsed ? "none" : parsed.error().what;
  };
  EXPECT_EQ(fault("8443"), "listen address \"8443\": no port; write host:port, :port or unix:/path");
  EXPECT_THAT(fault("127.0.0.1:"), HasSubstr("must be a number from 0 to 65535"));
  EXPECT_THAT(fault("127.0.0.1:65536"), HasSubstr("must be a number from 0 to 65535"));
  EXPECT_THAT(fault("127.0.0.1:80x"), HasSubstr("must be a number from 0 to 65535"));
  EXPECT_THAT(fault("127.0.0.1:-1"), HasSubstr("must be a number from 0 to 65535"));
  EXPECT_THAT(fault("::1:80"), HasSubstr("in brackets"));
  EXPECT_THAT(fault("[::1:80"), HasSubstr("\"[\" without \"]\""));
  EXPECT_THAT(fault("[127.0.0.1]:80"), HasSubstr("not an IPv6 address"));
  EXPECT_THAT(fault("localhost:80"), HasSubstr("numeric address"));
  EXPECT_THAT(fault("unix:"), HasSubstr("a path must follow"));
  EXPECT_THAT(fault("unix:/" + std::string(200, 'x')), HasSubstr("at most 107"));
}

TEST(Endpoint, KnowsLoopback) {
  EXPECT_TRUE(Endpoint::parse("127.8.0.1:1")->loopback());
  EXPECT_TRUE(Endpoint::parse("[::1]:1")->loopback());
  EXPECT_TRUE(Endpoint::parse("unix:/x")->loopback());
  EXPECT_FALSE(Endpoint::parse(":1")->loopback());
  EXPECT_FALSE(Endpoint::parse("10.0.0.1:1")->loopback());
}

struct ListenerTest : testing::Test {
  ManualClock clock{WallTime(Millis(1'000))};
  std::unique_ptr<EventLoop> loop = make_loop(clock);
  std::vector<int> taken;
  std::string address;
  std::unique_ptr<Listener> listener;
  std::vector<std::unique_ptr<Notes>> notes;
  std::vector<std::unique_ptr<Connection>> connections;

  ~ListenerTest() override {
    for (const int fd : taken) ::close(fd);
  }
  uint16_t listen(const std::string& where) {
    const auto fd = Listener::bind(*Endpoint::parse(where), 1'024);
    EXPECT_TRUE(fd.has_value()) << fd.error().what;
    if (!fd) return 0;
    const uint16_t port = Listener::bound_port(*fd);
    start(*fd);
    return port;
  }
  void start(int fd) {
    listener = std::make_unique<Listener>(*loop, fd, [this](int got, std::string from, uint16_t) {
      taken.push_back(got);
      address = std::move(from);
    });
  }
  void connect(const std::string& to, uint16_t port) {
    notes.push_back(std::make_unique<Notes>());
    connections.push_back(Connection::connect(*loop, to, port, 0ms, nullptr, "", {}, *notes.back()));
  }
};

TEST_F(ListenerTest, TakesOverAHundredConnectionsThatWait) {
  const uint16_t port = listen("127.0.0.1:0");
  for (int i = 0; i < 150; ++i) connect("127.0.0.1", port);
  EXPECT_TRUE(run_until(*loop, [&] { return taken.size() == 150; }));
}

TEST_F(ListenerTest, WhatItAcceptsHasTheSocketOptionsOfAConnection) {
  const uint16_t port = listen("127.0.0.1:0");
  connect("127.0.0.1", port);
  ASSERT_TRUE(run_until(*loop, [&] { return taken.size() == 1; }));
  const auto option = [&](int name) {
    int value = -1;
    socklen_t size = sizeof value;
    ::getsockopt(taken[0], IPPROTO_TCP, name, &value, &size);
    return value;
  };
  EXPECT_EQ(option(TCP_NODELAY), 1);
  EXPECT_EQ(option(TCP_NOTSENT_LOWAT), kNotsentLowat);
}

TEST_F(ListenerTest, ListensOnIpv6AndOnAllAddressesWithOneSpellingPerClient) {
  const uint16_t v6 = listen("[::1]:0");
  connect("::1", v6);
  EXPECT_TRUE(run_until(*loop, [&] { return taken.size() == 1; }));
  EXPECT_EQ(address, "::1");
  const uint16_t all = listen(":0");
  connect("127.0.0.1", all);
  EXPECT_TRUE(run_until(*loop, [&] { return taken.size() == 2; }));
  EXPECT_EQ(address, "127.0.0.1");
}

TEST_F(ListenerTest, EveryLoopMayBindTheSamePort) {
  const auto first = Listener::bind(*Endpoint::parse("127.0.0.1:0"), 8);
  ASSERT_TRUE(first.has_value());
  Endpoint same = *Endpoint::parse("127.0.0.1:0");
  same.port = Listener::bound_port(*first);
  const auto second = Listener::bind(same, 8);
  EXPECT_TRUE(second.has_value());
  ::close(*first);
  if (second) ::close(*second);
}

TEST_F(ListenerTest, APortInUseIsAnErrorThatNamesIt) {
  const int other = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); // without SO_REUSEPORT
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(other, reinterpret_cast<sockaddr*>(&where), sizeof where), 0);
  ASSERT_EQ(::listen(other, 1), 0);
  const std::string text = "127.0.0.1:" + std::to_string(Listener::bound_port(other));
  const auto fd = Listener::bind(*Endpoint::parse(text), 8);
  ASSERT_FALSE(fd.has_value());
  EXPECT_EQ(fd.error().code, Errc::config);
  EXPECT_EQ(fd.error().what, "listen on " + text + ": Address already in use; is another program listening there?");
  ::close(other);
}

TEST_F(ListenerTest, AnAddressOfAnotherMachineIsAnError) {
  const auto fd = Listener::bind(*Endpoint::parse("192.0.2.1:0"), 8);
  ASSERT_FALSE(fd.has_value());
  EXPECT_THAT(fd.error().what, HasSubstr("192.0.2.1:0: Cannot assign requested address"));
}

TEST_F(ListenerTest, ListensOnAUnixSocketAndReplacesOneThatWasLeftBehind) {
  const TempDir dir;
  const std::string path = dir / "socket";
  Endpoint endpoint;
  endpoint.unix_path = path;
  auto fd = Listener::bind(endpoint, 8);
  ASSERT_TRUE(fd.has_value()) << fd.error().what;
  EXPECT_FALSE(Listener::bind(endpoint, 8).has_value()) << "somebody listens there";
  ::close(*fd); // as a killed program leaves it: the file stays
  fd = Listener::bind(endpoint, 8);
  ASSERT_TRUE(fd.has_value()) << fd.error().what;
  start(*fd);
  connect("unix:" + path, 0);
  EXPECT_TRUE(run_until(*loop, [&] { return taken.size() == 1; }));
  EXPECT_EQ(address, "unix");
}

TEST_F(ListenerTest, DoesNotRemoveAFileThatIsNoSocket) {
  const TempDir dir;
  Endpoint endpoint;
  endpoint.unix_path = dir / "notes.txt";
  std::ofstream(endpoint.unix_path) << "keep me";
  EXPECT_FALSE(Listener::bind(endpoint, 8).has_value());
  EXPECT_EQ(contents(endpoint.unix_path), "keep me");
}

TEST_F(ListenerTest, RestsWhenDescriptorsRunOutAndGoesOnLater) {
  const uint16_t port = listen("127.0.0.1:0");
  for (int i = 0; i < 3; ++i) connect("127.0.0.1", port);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{3, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  for (int i = 0; i < 5; ++i) {
    loop->post([] {});
    loop->run_once();
  }
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(taken.size(), 0U);
  loop->post([] {});
  loop->run_once();
  EXPECT_EQ(taken.size(), 0U) << "it rests";
  clock.advance(400ms);
  loop->post([] {});
  EXPECT_TRUE(run_until(*loop, [&] { return taken.size() == 3; }));
}

TEST_F(ListenerTest, MayBeEndedByItsOwnCallback) {
  const auto fd = Listener::bind(*Endpoint::parse("127.0.0.1:0"), 8);
  ASSERT_TRUE(fd.has_value());
  const uint16_t port = Listener::bound_port(*fd);
  listener = std::make_unique<Listener>(*loop, *fd, [this](int got, const std::string&, uint16_t) {
    taken.push_back(got);
    loop->defer([this] { listener.reset(); });
  });
  connect("127.0.0.1", port);
  EXPECT_TRUE(run_until(*loop, [&] { return taken.size() == 1 && !listener; }));
}

} // namespace
} // namespace verge::net
