#include "proxy/net/tls_client.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "tests/proxy/net/tls_wire.h"

namespace verge::net {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

struct TlsClientTest : TlsTest {
  Notes here;
  std::unique_ptr<Connection> origin;

  std::shared_ptr<ClientTls> checking(const std::string& ca) const {
    ClientTlsOptions options;
    if (!ca.empty()) options.ca = certs.pem(ca);
    return make(options);
  }
  static std::shared_ptr<ClientTls> make(const ClientTlsOptions& options) {
    auto made = ClientTls::create(options);
    EXPECT_TRUE(made.has_value()) << made.error().what;
    return made ? *made : nullptr;
  }
  // Connects, says hello, and waits for the end.
  void ask(const std::shared_ptr<ClientTls>& tls, const std::string& name) {
    start(tls, name);
    EXPECT_TRUE(run_until(*loop, [&] { return here.closed || here.peer_closed; }));
  }
  void start(const std::shared_ptr<ClientTls>& tls, const std::string& name) {
    origin.reset();
    here = Notes();
    here.when_open = [](Connection& c) { c.write("hello\n"); };
    here.when_input = [](Connection& c) {
      if (c.peer_closed()) c.close_after_flush();
    };
    origin = Connection::connect(*loop, "127.0.0.1", port, 5s, tls, name, {}, here);
  }
  void expect_distrust(const std::string& why) {
    ASSERT_TRUE(here.closed);
    EXPECT_EQ(here.opened, 0);
    EXPECT_EQ(here.closed->code, Errc::tls);
    EXPECT_EQ(here.closed->side, Side::origin);
    EXPECT_EQ(here.closed->what, "connect 127.0.0.1:" + std::to_string(port) + ": certificate verify failed: " + why);
  }
};

TEST_F(TlsClientTest, TrustsACertificateOfItsCaForTheName) {
  serve(serving({"a", "b"}));
  ask(checking("ca"), "B.test");
  EXPECT_EQ(here.received, "ok\n");
  EXPECT_EQ(last().info.sni, "b.test");
  EXPECT_EQ(last().info.alpn, "http/1.1");
  EXPECT_EQ(origin->tls()->alpn, "http/1.1");
  EXPECT_EQ(origin->tls()->version, "TLSv1.3");
}

TEST_F(TlsClientTest, ChecksAnAddressAsAnAddressAndSendsNoNameForIt) {
  serve(serving({"a"}));
  ask(checking("ca"), "127.0.0.1");
  EXPECT_EQ(here.received, "ok\n");
  EXPECT_EQ(last().info.sni, "");
  ask(checking("ca"), "127.0.0.2");
  expect_distrust("IP address mismatch");
}

TEST_F(TlsClientTest, DistrustsACertificateForAnotherName) {
  serve(serving({"a"}));
  ask(checking("ca"), "b.test");
  expect_distrust("hostname mismatch; the certificate does not name b.test");
}

TEST_F(TlsClientTest, DistrustsACaItDoesNotKnowAndSaysWhatToSet) {
  serve(serving({"a"}));
  ask(checking("other-ca"), "a.test");
  expect_distrust("unable to get local issuer certificate; set tls_ca to a file with the CA that issued it");
  ask(checking(""), "a.test"); // the system's roots
  expect_distrust("unable to get local issuer certificate; set tls_ca to a file with the CA that issued it");
}

// The system's roots are one file for this test.
struct SystemRootsTest : TlsClientTest {
  const std::string file = testing::TempDir() + "/verge-roots-" + std::to_string(::getpid()) + ".pem";
  SystemRootsTest() { ::setenv("SSL_CERT_FILE", file.c_str(), 1); }
  ~SystemRootsTest() override {
    ::unsetenv("SSL_CERT_FILE");
    std::filesystem::remove(file);
  }
  void trust(const std::string& ca) const {
    std::filesystem::remove(file);
    std::filesystem::copy_file(certs.pem(ca), file);
  }
};

TEST_F(SystemRootsTest, AreReadAnewWhenTheirFileHasChanged) {
  serve(serving({"a"}));
  trust("ca");
  const auto first = checking("");
  ask(first, "a.test");
  EXPECT_EQ(here.received, "ok\n");
  const auto second = checking("");
  trust("other-ca");
  const auto third = checking("");
  ask(first, "a.test"); // each has the roots of the time when it was made
  EXPECT_EQ(here.received, "ok\n");
  ask(second, "a.test");
  EXPECT_EQ(here.received, "ok\n");
  ask(third, "a.test");
  expect_distrust("unable to get local issuer certificate; set tls_ca to a file with the CA that issued it");
}

TEST_F(SystemRootsTest, WithoutThemNothingIsTrusted) {
  serve(serving({"a"}));
  ask(checking(""), "a.test"); // there is no such file
  expect_distrust("unable to get local issuer certificate; set tls_ca to a file with the CA that issued it");
}

TEST_F(TlsClientTest, TrustsAnythingOnlyWhenToldTo) {
  serve(serving({"a"}));
  ClientTlsOptions options;
  options.verify = false;
  ask(make(options), "other.test");
  EXPECT_EQ(here.received, "ok\n");
}

TEST_F(TlsClientTest, DoesNotConnectWithoutANameToCheck) {
  serve(serving({"a"}));
  ask(checking("ca"), "");
  EXPECT_EQ(here.opened, 0);
  EXPECT_THAT(here.closed->what, HasSubstr("is the server name missing"));
}

TEST_F(TlsClientTest, ShowsItsCertificateToAnOriginThatAsks) {
  ServerTlsOptions options = serving({"a"});
  options.client_auth = ClientAuth::required;
  options.client_ca = certs.pem("ca");
  serve(options);
  ClientTlsOptions mine;
  mine.ca = certs.pem("ca");
  mine.certificate = certs.pem("client");
  mine.key = certs.key("client");
  ask(make(mine), "a.test");
  EXPECT_EQ(here.received, "ok\n");
  EXPECT_EQ(last().info.client_subject, "CN=Client One,O=Shop");
}

TEST_F(TlsClientTest, ResumesItsSessionsWithTheSameName) {
  serve(serving({"a", "b"}));
  const auto tls = checking("ca");
  ask(tls, "a.test");
  EXPECT_FALSE(origin->tls()->resumed);
  ask(tls, "a.test");
  EXPECT_TRUE(origin->tls()->resumed);
  ask(tls, "b.test");
  EXPECT_FALSE(origin->tls()->resumed);
  ask(tls, "a.test");
  EXPECT_TRUE(origin->tls()->resumed);
}

TEST_F(TlsClientTest, TalksToAnOrdinaryServer) {
  Child server({"openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", certs.pem("a"), "-key", certs.key("a"),
                "-rev", "-alpn", "http/1.1", "-tls1_2"});
  const std::string& said = server.read_until("ACCEPT 127.0.0.1:");
  const std::string line = server.read_until("\n");
  ASSERT_THAT(said, HasSubstr("ACCEPT 127.0.0.1:"));
  port = static_cast<uint16_t>(std::stoi(line.substr(line.find("127.0.0.1:") + 10)));
  const auto tls = checking("ca");
  for (const bool resumed : {false, true}) {
    start(tls, "a.test");
    EXPECT_TRUE(run_until(*loop, [&] { return here.closed || here.received.ends_with('\n'); }));
    EXPECT_EQ(here.received, "olleh\n");
    EXPECT_EQ(origin->tls()->version, "TLSv1.2");
    EXPECT_EQ(origin->tls()->alpn, "http/1.1");
    EXPECT_EQ(origin->tls()->resumed, resumed);
  }
}

// ---- faults of the wire

struct RawPeerTest : TlsClientTest {
  int peer = -1;
  void listen_raw() {
    const auto fd = Listener::bind(*Endpoint::parse("127.0.0.1:0"), 128);
    ASSERT_TRUE(fd.has_value());
    port = Listener::bound_port(*fd);
    listener =
        std::make_unique<Listener>(*loop, *fd, [this](int taken, const std::string&, uint16_t) { peer = taken; });
  }
  ~RawPeerTest() override {
    if (peer >= 0) ::close(peer);
  }
};

TEST_F(RawPeerTest, AnOriginThatIsNoTlsServerIsAnErrorThatSaysSo) {
  listen_raw();
  start(checking("ca"), "a.test");
  EXPECT_TRUE(run_until(*loop, [&] { return peer >= 0; }));
  EXPECT_GT(::send(peer, "HTTP/1.1 400 Bad Request\r\n\r\n", 28, 0), 0);
  EXPECT_TRUE(run_until(*loop, [&] { return here.closed != nullptr; }));
  EXPECT_EQ(here.closed->code, Errc::tls);
  EXPECT_THAT(here.closed->what, testing::EndsWith(": wrong version number"));
}

TEST_F(RawPeerTest, AnOriginThatHangsUpDuringTheHandshakeIsSafeToTryAgain) {
  listen_raw();
  start(checking("ca"), "a.test");
  EXPECT_TRUE(run_until(*loop, [&] { return peer >= 0; }));
  ::shutdown(peer, SHUT_WR);
  EXPECT_TRUE(run_until(*loop, [&] { return here.closed != nullptr; }));
  EXPECT_EQ(here.closed->code, Errc::closed);
  EXPECT_EQ(here.closed->retry, Retry::safe);
  EXPECT_THAT(here.closed->what, testing::EndsWith(": peer hung up during the TLS handshake"));
}

TEST(TlsConnectTimeout, CoversTheHandshake) {
  ManualClock clock{WallTime(Millis(1'000))};
  auto loop = make_loop(clock);
  const auto fd = Listener::bind(*Endpoint::parse("127.0.0.1:0"), 8); // connects, and nobody answers
  ASSERT_TRUE(fd.has_value());
  const auto tls = ClientTls::create({});
  ASSERT_TRUE(tls.has_value());
  Notes here;
  const auto origin =
      Connection::connect(*loop, "127.0.0.1", Listener::bound_port(*fd), 1500ms, *tls, "a.test", {}, here);
  EXPECT_TRUE(run_until(*loop, [&] { return origin->output_size() == 0 && !here.closed; }));
  loop->run_once();
  clock.advance(2s);
  loop->post([] {});
  EXPECT_TRUE(run_until(*loop, [&] { return here.closed != nullptr; }));
  EXPECT_EQ(here.closed->code, Errc::timeout);
  EXPECT_THAT(here.closed->what, testing::EndsWith("TLS handshake timed out after 1500ms"));
  ::close(*fd);
}

// ---- both ends ours

struct TlsPairTest : TlsClientTest {
  Notes there;
  std::unique_ptr<Connection> a, b; // client, server

  // A pair with a wire of our own between: cut_wire() ends it without a word of TLS.
  void join(const ConnectionOptions& of_a = {}, const ConnectionOptions& of_b = {}) {
    serve(serving({"a"}));
    listener.reset();
    const auto fd = Listener::bind(*Endpoint::parse("127.0.0.1:0"), 8);
    ASSERT_TRUE(fd.has_value());
    port = Listener::bound_port(*fd);
    listener = std::make_unique<Listener>(*loop, *fd, [this, of_b](int taken, std::string address, uint16_t from) {
      server_fd = taken;
      b = Connection::accepted(*loop, taken, std::move(address), from, server_tls, of_b, there);
    });
    a = Connection::connect(*loop, "127.0.0.1", port, 5s, checking("ca"), "a.test", of_a, here);
    EXPECT_TRUE(run_until(*loop, [&] { return here.opened == 1 && there.opened == 1; }));
  }
  int server_fd = -1;
};

std::string pattern(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * 31 % 26 + i / 4'096 % 2);
  return text;
}

TEST_F(TlsPairTest, BigTransfersOfAllSizesOfPiecesArriveWholeBothWays) {
  join();
  std::string up;
  std::string down;
  for (size_t i = 0; i < 400; ++i) {
    const std::string piece = pattern(1 + i * 977 % 50'000);
    up += piece;
    a->write(piece);
    down += piece.substr(piece.size() / 2);
    b->write(Slice::copy_of(std::string_view(piece).substr(piece.size() / 2)));
  }
  EXPECT_TRUE(
      run_until(*loop, [&] { return there.received.size() >= up.size() && here.received.size() >= down.size(); }));
  EXPECT_EQ(there.received, up);
  EXPECT_EQ(here.received, down);
  EXPECT_EQ(a->bytes_written(), up.size());
  EXPECT_EQ(b->bytes_read(), up.size());
}

TEST_F(TlsPairTest, AWriterThatHeedsWritableHoldsLittleMemoryWhileTheReaderIsSlow) {
  join({}, {.output_high = 100'000, .output_low = 20'000});
  const std::string sent = pattern(8'000'000);
  size_t offset = 0;
  size_t most = 0;
  const auto fill = [&](Connection& c) {
    while (c.writable() && offset < sent.size()) {
      const size_t n = std::min<size_t>(30'000, sent.size() - offset);
      c.write(std::string_view(sent).substr(offset, n));
      offset += n;
    }
    most = std::max(most, c.output_size());
  };
  there.when_writable = fill;
  a->pause_read(1);
  fill(*b);
  while (b->writable()) loop->run_once(); // until the wire is full
  a->resume_read(1);
  EXPECT_TRUE(run_until(*loop, [&] { return here.received.size() == sent.size(); }));
  EXPECT_EQ(here.received, sent);
  EXPECT_LT(most, 180'000U);
}

TEST_F(TlsPairTest, InputBeyondTheLimitIsToldWhenRoomIsMadeThoughTheSocketIsSilent) {
  join({}, {.input_limit = 5'000});
  there.take = false;
  a->write(pattern(14'000)); // one record
  EXPECT_TRUE(run_until(*loop, [&] { return b->input().size() == 5'000; }));
  std::string got;
  there.when_input = [&](Connection& c) {
    got += c.input();
    c.consume(c.input().size());
  };
  got += b->input();
  b->consume(5'000);
  EXPECT_TRUE(run_until(*loop, [&] { return got.size() == 14'000; }));
  EXPECT_EQ(got, pattern(14'000));
}

TEST_F(TlsPairTest, ResumingTellsOfInputThatTlsHolds) {
  join({}, {.input_limit = 4'000});
  there.when_input = [](Connection& c) { c.pause_read(1); };
  a->write(pattern(9'000));
  EXPECT_TRUE(run_until(*loop, [&] { return there.received.size() == 4'000; }));
  b->resume_read(1);
  EXPECT_EQ(there.inputs, 1);
  EXPECT_TRUE(run_until(*loop, [&] { return there.received.size() == 8'000; }));
  b->resume_read(1);
  EXPECT_TRUE(run_until(*loop, [&] { return there.received.size() == 9'000; }));
}

TEST_F(TlsPairTest, AnEndWithCloseNotifyIsCleanAndTheOtherSideMayStillAnswer) {
  join();
  a->write("the last");
  a->close_after_flush();
  EXPECT_TRUE(run_until(*loop, [&] { return there.peer_closed; }));
  EXPECT_EQ(there.received, "the last");
  EXPECT_FALSE(there.closed);
  b->close_after_flush();
  EXPECT_TRUE(run_until(*loop, [&] { return there.closed && here.closed; }));
  EXPECT_EQ(here.closed->code, Errc::closed);
}

TEST_F(TlsPairTest, AnEndWithoutCloseNotifyIsABrokenConnection) {
  join();
  b->write("half of it");
  EXPECT_TRUE(run_until(*loop, [&] { return here.received == "half of it"; }));
  ::shutdown(server_fd, SHUT_WR);
  EXPECT_TRUE(run_until(*loop, [&] { return here.closed != nullptr; }));
  EXPECT_FALSE(here.peer_closed);
  EXPECT_EQ(here.closed->code, Errc::closed);
  EXPECT_THAT(here.closed->what, HasSubstr("without close_notify"));
}

TEST(ClientTlsFault, NamesTheFile) {
  ClientTlsOptions options;
  options.ca = "/nowhere/ca.pem";
  EXPECT_EQ(ClientTls::create(options).error().what, "CA /nowhere/ca.pem: No such file or directory");
  options.ca = Certificates::get().key("ca");
  EXPECT_THAT(ClientTls::create(options).error().what, StartsWith("CA " + options.ca + ": no PEM certificate"));
}

} // namespace
} // namespace verge::net
