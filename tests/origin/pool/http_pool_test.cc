// Which connections an HttpClient keeps, uses again, drops, and waits for.
#include "tests/origin/pool/client_harness.h"

namespace verge::origin {

namespace {

class HttpPoolTest : public HttpClientTest {
 protected:
  // True if the connection that carried this exchange is used for the next one.
  bool kept_after(std::string response, std::string method = "GET") {
    ScriptedOrigin origin({[&](Peer& p) {
                             p.answer(response);
                             p.answer("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nsame");
                             p.read_to_end();
                           },
                           [](Peer& p) { p.answer("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nnew"); }});
    connect_to(origin.port());
    const auto first = ask(head(method));
    EXPECT_TRUE(first.ended) << response << ": " << first.error_text();
    const auto second = ask();
    EXPECT_TRUE(second.ended) << response << ": " << second.error_text();
    client_.reset();
    settle();
    return second.body == "same";
  }
};

} // namespace

TEST_F(HttpPoolTest, KeepsAConnectionWhoseResponseEndedWhereItShould) {
  EXPECT_TRUE(kept_after("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"));
  EXPECT_TRUE(kept_after("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"));
  EXPECT_TRUE(kept_after("HTTP/1.1 204 No Content\r\n\r\n"));
  EXPECT_TRUE(kept_after("HTTP/1.1 304 Not Modified\r\n\r\n"));
  EXPECT_TRUE(kept_after("HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok"));
}

TEST_F(HttpPoolTest, DropsAConnectionThatTheOriginWantsClosed) {
  EXPECT_FALSE(kept_after("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"));
  EXPECT_FALSE(kept_after("HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok"));
}

TEST_F(HttpPoolTest, DropsAConnectionWithOctetsBeyondTheResponse) {
  EXPECT_FALSE(
      kept_after("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx"));
  EXPECT_FALSE(kept_after("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok\r\n"));
  EXPECT_FALSE(kept_after("HTTP/1.1 304 Not Modified\r\n\r\nbody of a 304"));
  EXPECT_FALSE(kept_after("HTTP/1.1 204 No Content\r\n\r\nbody of a 204"));
  EXPECT_FALSE(kept_after("HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\n"));
  EXPECT_FALSE(kept_after("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", "HEAD"));
}

TEST_F(HttpPoolTest, DoesNotHandOctetsBeyondAResponseToTheNextInLine) {
  std::atomic<bool> second_waits = false;
  ScriptedOrigin origin({[&](Peer& p) {
                           p.read_head();
                           while (!second_waits) std::this_thread::yield();
                           p.send(std::string(kHello) + "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison");
                           p.read_to_end();
                         },
                         [](Peer& p) { p.answer(kHello); }});
  connect_to(origin.port(), 1);
  RecordingSink first, second;
  const auto one = client_->fetch(head("GET"), first);
  const auto two = client_->fetch(head("GET"), second);
  settle();
  second_waits = true;
  ASSERT_TRUE(run_until_over(second));
  EXPECT_EQ(first.body, "hello") << first.error_text();
  EXPECT_EQ(second.body, "hello") << second.error_text();
}

TEST_F(HttpPoolTest, DropsARestingConnectionOnWhichASecondAnswerComes) {
  std::atomic<bool> answered = false;
  ScriptedOrigin origin({[&](Peer& p) {
                           p.answer(kHello);
                           while (!answered) std::this_thread::yield();
                           p.send("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison");
                           p.read_to_end(); // until we drop it
                         },
                         [](Peer& p) { p.answer(kHello); }});
  connect_to(origin.port());
  EXPECT_EQ(ask().body, "hello");
  answered = true;
  ASSERT_TRUE(run_until([&] { return origin.done() == 1; }));
  EXPECT_EQ(ask().body, "hello");
}

TEST_F(HttpPoolTest, ClosesAConnectionThatRestsTooLong) {
  ScriptedOrigin origin({[](Peer& p) {
    p.answer(kHello);
    p.read_to_end();
  }});
  connect_to(origin.port());
  ask();
  advance(timeouts_.idle - Millis(200));
  EXPECT_EQ(origin.done(), 0);
  advance(Millis(400));
  EXPECT_TRUE(run_until([&] { return origin.done() == 1; }));
}

TEST_F(HttpPoolTest, ClosesWhatRestsWhenTheClientGoes) {
  ScriptedOrigin origin({[](Peer& p) {
    p.answer(kHello);
    p.read_to_end();
  }});
  connect_to(origin.port());
  ask();
  client_.reset();
  settle();
  EXPECT_TRUE(run_until([&] { return origin.done() == 1; }));
}

TEST_F(HttpPoolTest, LetsAFetchEndThatOutlivesTheClient) {
  ScriptedOrigin origin({[](Peer& p) {
    p.answer(kHello);
    p.read_to_end();
  }});
  connect_to(origin.port());
  RecordingSink sink;
  const auto fetch = client_->fetch(head("GET"), sink);
  client_.reset();
  ASSERT_TRUE(run_until_over(sink));
  EXPECT_EQ(sink.body, "hello") << sink.error_text();
  EXPECT_TRUE(run_until([&] { return origin.done() == 1; })); // not kept
}

TEST_F(HttpPoolTest, AsksAgainOnceWhenAKeptConnectionDiedBeforeTheAnswer) {
  for (const bool with_reset : {false, true}) {
    ScriptedOrigin origin({[&](Peer& p) {
                             p.answer(kHello);
                             p.read_head(); // and no answer
                             if (with_reset) p.reset();
                           },
                           [](Peer& p) { p.answer(kHello); }});
    connect_to(origin.port());
    EXPECT_EQ(ask().body, "hello");
    const auto second = ask();
    EXPECT_EQ(second.body, "hello") << second.error_text();
    EXPECT_TRUE(run_until([&] { return origin.done() == 2; }));
    client_.reset();
    settle();
  }
}

TEST_F(HttpPoolTest, DoesNotAskAThirdTime) {
  ScriptedOrigin origin({[](Peer& p) {
                           p.answer(kHello);
                           p.read_head();
                         },
                         [](Peer& p) { p.read_head(); }, [](Peer& p) { p.answer(kHello); }});
  connect_to(origin.port());
  ask();
  const auto second = ask();
  ASSERT_TRUE(second.error);
  EXPECT_EQ(second.error->code, Errc::closed);
  EXPECT_EQ(origin.done(), 2);
}

TEST_F(HttpPoolTest, NeverSendsAPostOrAnUnknownMethodTwice) {
  for (const char* method : {"POST", "PATCH", "BREW"}) {
    ScriptedOrigin origin({[](Peer& p) {
                             p.answer(kHello);
                             p.read_head();
                           },
                           [](Peer& p) { p.answer(kHello); }});
    connect_to(origin.port());
    ask();
    const auto second = ask(head(method));
    ASSERT_TRUE(second.error) << method;
    EXPECT_EQ(second.error->code, Errc::closed) << method;
    EXPECT_EQ(origin.done(), 1) << method;
    client_.reset();
    settle();
  }
}

TEST_F(HttpPoolTest, DoesNotSendABodyTwice) {
  ScriptedOrigin origin({[](Peer& p) {
                           p.answer(kHello);
                           p.read_head();
                         },
                         [](Peer& p) { p.answer(kHello); }});
  connect_to(origin.port());
  ask();
  RecordingSink sink;
  const auto fetch = client_->fetch(with_body("PUT", 1), sink);
  fetch->send_body("x");
  fetch->end_body();
  ASSERT_TRUE(run_until_over(sink));
  EXPECT_TRUE(sink.error);
}

TEST_F(HttpPoolTest, DoesNotAskAgainOnceAnOctetOfTheAnswerCame) {
  ScriptedOrigin origin({[](Peer& p) {
                           p.answer(kHello);
                           p.answer("H");
                         },
                         [](Peer& p) { p.answer(kHello); }});
  connect_to(origin.port());
  ask();
  EXPECT_TRUE(ask().error);
}

TEST_F(HttpPoolTest, DoesNotAskAgainWhenAFirstConnectionDies) {
  ScriptedOrigin origin({[](Peer& p) { p.read_head(); }, [](Peer& p) { p.answer(kHello); }});
  connect_to(origin.port());
  const auto sink = ask();
  ASSERT_TRUE(sink.error);
  EXPECT_EQ(sink.error->code, Errc::closed);
  EXPECT_TRUE(sink.error->what.starts_with("origin api: 127.0.0.1:")) << sink.error_text();
}

TEST_F(HttpPoolTest, LetsOneWaitForTheOtherWhenAllConnectionsAreTaken) {
  std::atomic<bool> second_waits = false;
  ScriptedOrigin origin({[&](Peer& p) {
    p.read_head();
    while (!second_waits) std::this_thread::yield();
    p.send(kHello);
    p.answer("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecond");
    p.read_to_end();
  }});
  connect_to(origin.port(), 1);
  RecordingSink first, second;
  const auto one = client_->fetch(head("GET"), first);
  const auto two = client_->fetch(head("GET"), second);
  settle();
  second_waits = true;
  ASSERT_TRUE(run_until_over(second));
  EXPECT_TRUE(first.ended);
  EXPECT_EQ(second.body, "second") << second.error_text();
}

TEST_F(HttpPoolTest, GivesTheSlotOfABrokenConnectionToTheNextInLine) {
  ScriptedOrigin origin({[](Peer& p) { p.answer("nonsense\r\n\r\n"); }, [](Peer& p) { p.answer(kHello); }});
  connect_to(origin.port(), 1);
  RecordingSink first, second;
  const auto one = client_->fetch(head("GET"), first);
  const auto two = client_->fetch(head("GET"), second);
  ASSERT_TRUE(run_until_over(second));
  EXPECT_TRUE(first.error);
  EXPECT_EQ(second.body, "hello") << second.error_text();
}

TEST_F(HttpPoolTest, GivesTheSlotOfAFetchThatWasThrownAwayToTheNextInLine) {
  std::atomic<bool> asked = false;
  ScriptedOrigin origin({[&](Peer& p) {
                           p.read_head();
                           asked = true;
                           p.read_to_end();
                         },
                         [](Peer& p) { p.answer(kHello); }});
  connect_to(origin.port(), 1);
  RecordingSink first, gone, second;
  auto one = client_->fetch(head("GET"), first);
  auto leaves = client_->fetch(head("GET"), gone);
  const auto two = client_->fetch(head("GET"), second);
  ASSERT_TRUE(run_until([&] { return asked.load(); }));
  leaves.reset(); // out of the line
  one.reset();
  ASSERT_TRUE(run_until_over(second));
  EXPECT_EQ(second.body, "hello") << second.error_text();
  EXPECT_FALSE(first.over());
  EXPECT_FALSE(gone.over());
}

TEST_F(HttpPoolTest, HasItsSlotBackWheneverAFetchIsThrownAway) {
  for (int turns = 0; turns < 12; ++turns) { // at first it resolves, then connects, then waits for the answer
    ScriptedOrigin origin({[](Peer& p) { p.answer(kHello); }, [](Peer& p) { p.answer(kHello); }});
    connect_to(origin.port(), 1);
    RecordingSink gone;
    auto fetch = client_->fetch(head("GET"), gone);
    for (int i = 0; i < turns; ++i) {
      loop_->post([] {});
      loop_->run_once();
    }
    fetch.reset();
    const bool before = gone.over();
    // The thrown away connection may have been accepted or not: one of the two scripts answers.
    const auto sink = ask();
    EXPECT_EQ(sink.body, "hello") << turns << ": " << sink.error_text();
    EXPECT_EQ(gone.over(), before);
    client_.reset();
    settle();
  }
}

TEST_F(HttpPoolTest, EndsAWaitThatTakesTooLong) {
  std::atomic<bool> asked = false;
  ScriptedOrigin origin({[&](Peer& p) {
    p.answer("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n");
    asked = true;
    p.read_to_end();
  }});
  connect_to(origin.port(), 1);
  RecordingSink first, second;
  const auto one = client_->fetch(head("GET"), first);
  ASSERT_TRUE(run_until([&] { return first.head.has_value(); }));
  const auto two = client_->fetch(head("GET"), second);
  advance(timeouts_.connect + timeouts_.first_byte + Millis(200));
  ASSERT_TRUE(second.error);
  EXPECT_EQ(second.error->code, Errc::timeout);
  EXPECT_EQ(second.error->side, Side::origin);
  EXPECT_EQ(second.error_text(), "origin api: all 1 connections were in use for 13000 ms");
  EXPECT_FALSE(first.over());
}

} // namespace verge::origin
