#include "proxy/net/connection.h"

#include "tests/proxy/net/wire.h"

namespace verge::net {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::string pattern(size_t size) {
  std::string text(size, '\0');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * 31 % 26 + i / 4'096 % 2);
  return text;
}

// Two Connections on one socket pair and one loop.
struct ConnectionTest : testing::Test {
  SystemClock clock;
  std::unique_ptr<EventLoop> loop = make_loop(clock);
  Notes here, there;
  std::unique_ptr<Connection> a, b;

  void join(const ConnectionOptions& of_a = {}, const ConnectionOptions& of_b = {}) {
    const auto [fd_a, fd_b] = socket_pair();
    a = Connection::accepted(*loop, fd_a, "here", 0, nullptr, of_a, here);
    b = Connection::accepted(*loop, fd_b, "there", 0, nullptr, of_b, there);
  }
  template <class Done>
  bool until(Done done) {
    return run_until(*loop, done);
  }
};

TEST_F(ConnectionTest, CarriesOctetsBothWays) {
  join();
  a->write("ping");
  there.when_input = [](Connection& c) { c.write("pong"); };
  EXPECT_TRUE(until([&] { return here.received == "pong"; }));
  EXPECT_EQ(there.received, "ping");
  EXPECT_EQ(a->bytes_written(), 4U);
  EXPECT_EQ(a->bytes_read(), 4U);
}

TEST_F(ConnectionTest, ManyWritesOfATurnArriveTogether) {
  join();
  a->write("one ");
  a->write(Slice::copy_of("two "));
  a->write("three");
  EXPECT_TRUE(until([&] { return there.received.size() == 13; }));
  EXPECT_EQ(there.received, "one two three");
  EXPECT_EQ(there.inputs, 1);
  EXPECT_EQ(here.flushed, 1);
}

TEST_F(ConnectionTest, WritesMixedOfAllSizesKeepTheirOrder) {
  join();
  std::string sent;
  for (size_t i = 0; i < 500; ++i) {
    const std::string piece = pattern(1 + i * 97 % 9'000);
    sent += piece;
    if (i % 3 == 0) {
      a->write(Slice::copy_of(piece));
    } else {
      a->write(piece);
    }
  }
  EXPECT_TRUE(until([&] { return there.received.size() >= sent.size(); }));
  EXPECT_EQ(there.received, sent);
}

TEST_F(ConnectionTest, InputThatIsNotConsumedStaysAndGrows) {
  join();
  there.take = false;
  a->write("half ");
  EXPECT_TRUE(until([&] { return b->input().size() == 5; }));
  a->write("a line");
  EXPECT_TRUE(until([&] { return b->input().size() == 11; }));
  EXPECT_EQ(b->input(), "half a line");
  b->consume(5);
  EXPECT_EQ(b->input(), "a line");
}

TEST_F(ConnectionTest, StopsReadingAtTheInputLimitAndGoesOnWhenRoomIsMade) {
  join({}, {.input_limit = 10'000});
  there.take = false;
  const std::string sent = pattern(100'000);
  a->write(sent);
  EXPECT_TRUE(until([&] { return b->input().size() == 10'000; }));
  std::string got;
  EXPECT_TRUE(until([&] {
    EXPECT_LE(b->input().size(), 10'000U);
    const size_t n = std::min<size_t>(b->input().size(), 777);
    got += b->input().substr(0, n);
    b->consume(n);
    loop->post([] {});
    return got.size() == sent.size();
  }));
  EXPECT_EQ(got, sent);
}

TEST_F(ConnectionTest, AWriterThatHeedsWritableHoldsLittleMemoryWhileTheReaderIsSlow) {
  join({.output_high = 100'000, .output_low = 20'000});
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
  here.when_writable = fill;
  fill(*a);
  EXPECT_FALSE(a->writable());
  EXPECT_TRUE(until([&] { return there.received.size() == sent.size(); }));
  EXPECT_EQ(there.received, sent);
  EXPECT_LT(most, 130'000U);
  EXPECT_GT(here.writable, 10);
}

TEST_F(ConnectionTest, NothingIsReadWhileAnyReasonToPauseHolds) {
  join();
  b->pause_read(1);
  b->pause_read(2);
  a->write("waits");
  EXPECT_TRUE(until([&] { return here.flushed == 1; }));
  b->resume_read(1);
  bool turned = false;
  loop->post([&] { turned = true; });
  EXPECT_TRUE(until([&] { return turned; }));
  EXPECT_EQ(there.received, "");
  b->resume_read(2);
  EXPECT_TRUE(until([&] { return there.received == "waits"; }));
}

TEST_F(ConnectionTest, ResumingWithInputWaitingTellsOfItAgain) {
  join();
  there.take = false;
  there.when_input = [](Connection& c) { c.pause_read(4); };
  a->write("two requests");
  EXPECT_TRUE(until([&] { return there.inputs == 1; }));
  b->resume_read(4);
  EXPECT_EQ(there.inputs, 1) << "on_input must come from the loop";
  EXPECT_TRUE(until([&] { return there.inputs == 2; }));
  EXPECT_EQ(b->input(), "two requests");
}

TEST_F(ConnectionTest, AClosedPeerIsSeenAndStillGetsAnAnswer) {
  const auto [fd, peer] = socket_pair();
  a = Connection::accepted(*loop, fd, "peer", 0, nullptr, {}, here);
  ASSERT_EQ(::send(peer, "question", 8, 0), 8);
  ASSERT_EQ(::shutdown(peer, SHUT_WR), 0);
  EXPECT_TRUE(until([&] { return here.peer_closed; }));
  EXPECT_EQ(here.received, "question");
  EXPECT_FALSE(here.closed);
  a->write("answer");
  a->close_after_flush();
  EXPECT_TRUE(until([&] { return here.closed != nullptr; }));
  EXPECT_EQ(here.closed->code, Errc::closed);
  char text[16] = {};
  EXPECT_EQ(::recv(peer, text, sizeof text, 0), 6);
  EXPECT_STREQ(text, "answer");
  EXPECT_EQ(::recv(peer, text, sizeof text, 0), 0);
  ::close(peer);
}

TEST_F(ConnectionTest, CloseAfterFlushSendsAllThenWaitsForThePeersEnd) {
  join();
  const std::string sent = pattern(2'000'000);
  a->write(sent);
  a->close_after_flush();
  a->write("too late");
  EXPECT_TRUE(until([&] { return there.peer_closed; }));
  EXPECT_EQ(there.received, sent);
  EXPECT_FALSE(here.closed);
  b->close_after_flush();
  EXPECT_TRUE(until([&] { return here.closed && there.closed; }));
  EXPECT_EQ(here.closed->code, Errc::closed);
}

TEST_F(ConnectionTest, EndsAtOnceWhenThePeerSendsNoMoreAndAllIsUnderWay) {
  const auto [fd, peer] = socket_pair();
  a = Connection::accepted(*loop, fd, "peer", 0, nullptr, {}, here);
  a->write("answer");
  a->close_after_flush(Ending::at_once);
  EXPECT_TRUE(until([&] { return here.closed != nullptr; }));
  EXPECT_EQ(here.closed->code, Errc::closed);
  char text[16] = {};
  EXPECT_EQ(::recv(peer, text, sizeof text, 0), 6);
  EXPECT_STREQ(text, "answer");
  EXPECT_EQ(::recv(peer, text, sizeof text, 0), 0);
  ::close(peer);
}

TEST_F(ConnectionTest, ALongAnswerIsWaitedForThoughThePeerSendsNoMore) {
  join();
  const std::string sent = pattern(20'000);
  a->write(sent);
  a->close_after_flush(Ending::at_once);
  EXPECT_TRUE(until([&] { return there.peer_closed; }));
  EXPECT_EQ(there.received, sent);
  EXPECT_FALSE(here.closed);
  b->close_after_flush();
  EXPECT_TRUE(until([&] { return here.closed && there.closed; }));
}

TEST_F(ConnectionTest, APeerThatGoesOnSendingDoesNotHinderTheClose) {
  const auto [fd, peer] = socket_pair();
  a = Connection::accepted(*loop, fd, "peer", 0, nullptr, {}, here);
  a->write("413");
  a->close_after_flush();
  const std::string more = pattern(60'000);
  EXPECT_TRUE(until([&] {
    [[maybe_unused]] const ssize_t n = ::send(peer, more.data(), more.size(), MSG_NOSIGNAL);
    loop->post([] {});
    return here.closed != nullptr;
  }));
  EXPECT_EQ(here.inputs, 0);
  char text[4] = {};
  EXPECT_EQ(::recv(peer, text, 3, 0), 3);
  ::close(peer);
}

TEST_F(ConnectionTest, AbortTellsOfTheEndFromTheLoopOnly) {
  join();
  a->write("never sent");
  a->abort();
  EXPECT_FALSE(here.closed);
  EXPECT_TRUE(until([&] { return here.closed && (there.closed || there.peer_closed); }));
  EXPECT_EQ(there.received, "");
  a->abort();
  a->write("x");
  a->close_after_flush();
  loop->post([] {});
  loop->run_once();
}

TEST_F(ConnectionTest, TheAnswerOfAPeerThatHungUpIsReadBeforeTheBrokenWriteIsTold) {
  const auto [fd, peer] = socket_pair();
  a = Connection::accepted(*loop, fd, "peer", 0, nullptr, {}, here);
  ASSERT_EQ(::send(peer, "413", 3, 0), 3);
  ::close(peer);
  a->write("a long body");
  EXPECT_TRUE(until([&] { return here.closed != nullptr; }));
  EXPECT_EQ(here.received, "413");
}

TEST_F(ConnectionTest, MayBeDestroyedByADeferredTaskFromItsOwnCallback) {
  join();
  there.when_input = [&](Connection&) { loop->defer([&] { b.reset(); }); };
  a->write("x");
  EXPECT_TRUE(until([&] { return b == nullptr && (here.closed || here.peer_closed); }));
}

// ---- connecting over loopback

struct LoopbackTest : ConnectionTest {
  std::unique_ptr<Listener> listener;
  uint16_t port = 0;

  void listen() {
    const auto fd = Listener::bind(*Endpoint::parse("127.0.0.1:0"), 128);
    ASSERT_TRUE(fd.has_value()) << fd.error().what;
    port = Listener::bound_port(*fd);
    listener = std::make_unique<Listener>(*loop, *fd, [this](int taken, std::string address, uint16_t peer_port) {
      b = Connection::accepted(*loop, taken, std::move(address), peer_port, nullptr, {}, there);
    });
  }
};

TEST_F(LoopbackTest, ConnectsAndTellsOfItFromTheLoop) {
  listen();
  a = Connection::connect(*loop, "127.0.0.1", port, 5s, nullptr, "", {}, here);
  a->write("early"); // kept until connected
  EXPECT_EQ(here.opened, 0);
  EXPECT_TRUE(until([&] { return there.received == "early"; }));
  EXPECT_EQ(here.opened, 1);
  EXPECT_EQ(b->remote_address(), "127.0.0.1");
  EXPECT_NE(b->remote_port(), 0);
}

TEST_F(LoopbackTest, ARefusedConnectionIsSafeToTryElsewhere) {
  listen();
  listener.reset();
  a = Connection::connect(*loop, "127.0.0.1", port, 5s, nullptr, "", {}, here);
  EXPECT_FALSE(here.closed);
  EXPECT_TRUE(until([&] { return here.closed != nullptr; }));
  EXPECT_EQ(here.closed->code, Errc::refused);
  EXPECT_EQ(here.closed->side, Side::origin);
  EXPECT_EQ(here.closed->retry, Retry::safe);
  EXPECT_EQ(here.closed->what, "connect 127.0.0.1:" + std::to_string(port) + ": Connection refused");
}

TEST_F(LoopbackTest, AHostNameIsNotAnAddress) {
  a = Connection::connect(*loop, "localhost", 1, 5s, nullptr, "", {}, here);
  EXPECT_TRUE(until([&] { return here.closed != nullptr; }));
  EXPECT_EQ(here.closed->code, Errc::bad_input);
}

TEST_F(LoopbackTest, AnAbortIsAResetForThePeer) {
  listen();
  a = Connection::connect(*loop, "127.0.0.1", port, 5s, nullptr, "", {}, here);
  EXPECT_TRUE(until([&] { return here.opened == 1 && b; }));
  a->abort();
  EXPECT_TRUE(until([&] { return there.closed != nullptr; }));
  EXPECT_THAT(there.closed->what, HasSubstr("reset"));
}

TEST_F(LoopbackTest, BigTransfersBothWaysAtOnceArriveWhole) {
  listen();
  a = Connection::connect(*loop, "127.0.0.1", port, 5s, nullptr, "", {}, here);
  EXPECT_TRUE(until([&] { return b != nullptr; }));
  const std::string up = pattern(3'000'000);
  const std::string down = pattern(5'000'000);
  a->write(up);
  b->write(down);
  EXPECT_TRUE(until([&] { return there.received.size() == up.size() && here.received.size() == down.size(); }));
  EXPECT_EQ(there.received, up);
  EXPECT_EQ(here.received, down);
}

TEST(ConnectTimeout, IsToldAsATimeoutThatIsSafeToTryElsewhere) {
  ManualClock clock{WallTime(Millis(1'000))};
  auto loop = make_loop(clock);
  // A backlog that is full swallows further connections without a word.
  const auto fd = Listener::bind(*Endpoint::parse("127.0.0.1:0"), 0);
  ASSERT_TRUE(fd.has_value());
  const uint16_t port = Listener::bound_port(*fd);
  std::vector<std::unique_ptr<Notes>> notes;
  std::vector<std::unique_ptr<Connection>> connections;
  for (int i = 0; i < 4; ++i) {
    notes.push_back(std::make_unique<Notes>());
    connections.push_back(Connection::connect(*loop, "127.0.0.1", port, 3s, nullptr, "", {}, *notes.back()));
  }
  loop->run_once();
  clock.advance(4s);
  loop->post([] {});
  EXPECT_TRUE(run_until(*loop, [&] { return notes.back()->closed != nullptr; }));
  EXPECT_EQ(notes.back()->closed->code, Errc::timeout);
  EXPECT_EQ(notes.back()->closed->retry, Retry::safe);
  EXPECT_THAT(notes.back()->closed->what, HasSubstr("timed out after 3s"));
  ::close(*fd);
}

} // namespace
} // namespace verge::net
