// What an HttpClient puts on the wire, and request bodies on their way.
#include <fmt/core.h>

#include "tests/origin/pool/client_harness.h"

namespace verge::origin {

namespace {

class HttpRequest : public HttpClientTest {
 protected:
  // What arrives at the origin, from the first octet to the end of the head.
  std::string wire_head(http::RequestHead h) {
    std::string seen;
    ScriptedOrigin origin({[&](Peer& p) { seen = p.answer(kEmpty); }});
    connect_to(origin.port());
    ask(std::move(h));
    EXPECT_TRUE(run_until([&] { return origin.done() == 1; }));
    return seen;
  }
  // Hangs up and waits for the script, so that what it wrote down may be looked at.
  void hang_up(const ScriptedOrigin& origin) {
    client_.reset();
    EXPECT_TRUE(run_until([&] { return origin.done() == 1; }));
  }
};

} // namespace

TEST_F(HttpRequest, HasTheTargetAndAuthorityExactlyAsGiven) {
  auto h = head("GET", "/a%2fb/../c");
  h.query = "x=%20&&y";
  h.has_query = true;
  h.headers.add("accept", "*/*");
  const std::string wire = wire_head(std::move(h));
  EXPECT_TRUE(wire.starts_with("GET /a%2fb/../c?x=%20&&y HTTP/1.1\r\nhost: api.example.com\r\n")) << wire;
  EXPECT_NE(wire.find("accept: */*\r\n"), std::string::npos) << wire;
  EXPECT_EQ(wire.find("content-length"), std::string::npos) << wire;
}

TEST_F(HttpRequest, WithoutABodySaysSoIfItsMethodUsuallyHasOne) {
  EXPECT_NE(wire_head(head("POST")).find("content-length: 0\r\n"), std::string::npos);
  EXPECT_EQ(wire_head(head("DELETE")).find("content-length"), std::string::npos);
}

TEST_F(HttpRequest, BodyOfKnownLengthGoesOutUnframed) {
  std::string seen;
  ScriptedOrigin origin({[&](Peer& p) {
    seen = p.read_head();
    seen += p.read(10);
    p.send(kHello);
    p.read_to_end();
  }});
  connect_to(origin.port());
  RecordingSink sink;
  const auto fetch = client_->fetch(with_body("PUT", 10), sink);
  EXPECT_FALSE(fetch->send_body("01234")); // no connection yet
  ASSERT_TRUE(run_until([&] { return sink.writable == 1; }));
  EXPECT_TRUE(fetch->send_body("56789"));
  fetch->end_body();
  ASSERT_TRUE(run_until_over(sink));
  EXPECT_EQ(sink.body, "hello") << sink.error_text();
  hang_up(origin);
  EXPECT_NE(seen.find("content-length: 10\r\n"), std::string::npos) << seen;
  EXPECT_TRUE(seen.ends_with("\r\n\r\n0123456789")) << seen;
}

TEST_F(HttpRequest, BodyOfUnknownLengthGoesOutInChunks) {
  std::string seen;
  ScriptedOrigin origin({[&](Peer& p) {
    seen = p.read_head();
    seen += p.read_until("0\r\n\r\n");
    p.send(kHello);
    p.read_to_end();
  }});
  connect_to(origin.port());
  RecordingSink sink;
  const auto fetch = client_->fetch(with_body("POST", std::nullopt), sink);
  sink.at_writable = [&] {
    fetch->send_body("defg");
    fetch->send_body(""); // must not end the body
    fetch->send_body("h");
    fetch->end_body();
  };
  fetch->send_body("abc");
  ASSERT_TRUE(run_until_over(sink));
  EXPECT_EQ(sink.body, "hello") << sink.error_text();
  hang_up(origin);
  EXPECT_NE(seen.find("transfer-encoding: chunked\r\n"), std::string::npos) << seen;
  EXPECT_TRUE(seen.ends_with("\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n1\r\nh\r\n0\r\n\r\n")) << seen;
}

TEST_F(HttpRequest, BodyGivenWholeBeforeThereIsAConnectionArrives) {
  for (const auto length : {std::optional<uint64_t>(3), std::optional<uint64_t>()}) {
    std::string seen;
    ScriptedOrigin origin({[&](Peer& p) {
      p.read_head();
      seen = length ? p.read(3) : p.read_until("0\r\n\r\n");
      p.send(kHello);
      p.read_to_end();
    }});
    connect_to(origin.port());
    RecordingSink sink;
    const auto fetch = client_->fetch(with_body("POST", length), sink);
    fetch->send_body("abc");
    fetch->end_body();
    ASSERT_TRUE(run_until_over(sink));
    EXPECT_EQ(sink.body, "hello") << sink.error_text();
    hang_up(origin);
    EXPECT_EQ(seen, length ? "abc" : "3\r\nabc\r\n0\r\n\r\n");
    client_.reset();
    settle();
  }
}

TEST_F(HttpRequest, BodyWaitsForAnOriginThatDoesNotRead) {
  std::atomic<bool> read = false;
  size_t arrived = 0;
  constexpr size_t kTotal = 24'000'000;
  ScriptedOrigin origin({[&](Peer& p) {
    p.read_head();
    while (!read) std::this_thread::yield();
    arrived = p.read(kTotal).size();
    p.send(kHello);
    p.read_to_end();
  }});
  connect_to(origin.port());
  RecordingSink sink;
  const auto fetch = client_->fetch(with_body("POST", kTotal), sink);
  const std::string piece(64'000, 'x');
  size_t given = 0;
  const auto give = [&] {
    while (given < kTotal) {
      given += piece.size();
      if (!fetch->send_body(piece)) return;
    }
    fetch->end_body();
  };
  sink.at_writable = give;
  give();
  ASSERT_TRUE(run_until([&] { return sink.writable > 0; }));
  for (int i = 0; i < 200; ++i) settle();
  EXPECT_LT(given, kTotal); // the kernel's buffers and our mark bound it
  read = true;
  ASSERT_TRUE(run_until_over(sink));
  EXPECT_EQ(sink.body, "hello") << sink.error_text();
  hang_up(origin);
  EXPECT_EQ(arrived, kTotal);
}

TEST_F(HttpRequest, BodyThatTheOriginDoesNotTakeEndsInATimeout) {
  ListenSocket deaf; // the kernel connects, nobody reads
  connect_to(deaf.port());
  RecordingSink sink;
  const auto fetch = client_->fetch(with_body("POST", std::nullopt), sink);
  const std::string piece(64'000, 'x');
  sink.at_writable = [&] {
    while (fetch->send_body(piece)) {
    }
  };
  fetch->send_body(piece);
  ASSERT_TRUE(run_until([&] { return sink.writable > 0; }));
  for (int i = 0; i < 100; ++i) settle();
  advance(timeouts_.between_bytes + Millis(200)); // looks, sees that some went out since
  advance(timeouts_.between_bytes + Millis(200));
  ASSERT_TRUE(sink.error);
  EXPECT_EQ(sink.error->code, Errc::timeout);
  EXPECT_NE(sink.error->what.find("takes nothing of the request"), std::string::npos) << sink.error_text();
}

TEST_F(HttpRequest, BodyOfASlowClientIsNotTheOriginsDelay) {
  ScriptedOrigin origin({[](Peer& p) {
    p.read_head();
    p.send("HTTP/1.1 100 Continue\r\n\r\n");
    p.read(4);
    p.send(kHello);
    p.read_to_end();
  }});
  connect_to(origin.port());
  RecordingSink sink;
  const auto fetch = client_->fetch(with_body("POST", 4), sink);
  fetch->send_body("a");
  ASSERT_TRUE(run_until([&] { return sink.writable == 1; }));
  for (int i = 0; i < 20; ++i) settle();
  advance(Seconds(3600));
  fetch->send_body("b");
  for (int i = 0; i < 20; ++i) settle();
  advance(Seconds(3600));
  EXPECT_FALSE(sink.over()) << sink.error_text();
  fetch->send_body("cd");
  fetch->end_body();
  ASSERT_TRUE(run_until_over(sink));
  EXPECT_EQ(sink.body, "hello") << sink.error_text();
}

TEST_F(HttpRequest, AnsweredEarlySendsNoMoreAndClosesTheConnection) {
  std::string rest = "?";
  ScriptedOrigin origin({[&](Peer& p) {
                           p.read_head();
                           p.read(5);
                           p.send("HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nno!");
                           rest = p.read_to_end();
                         },
                         [](Peer& p) { p.answer(kHello); }});
  connect_to(origin.port());
  RecordingSink sink;
  const auto fetch = client_->fetch(with_body("POST", 1'000), sink);
  fetch->send_body("12345");
  ASSERT_TRUE(run_until_over(sink));
  EXPECT_TRUE(sink.ended) << sink.error_text();
  EXPECT_EQ(sink.head->status, 413);
  EXPECT_EQ(sink.body, "no!");
  EXPECT_TRUE(fetch->send_body("67890"));
  fetch->end_body();
  ASSERT_TRUE(run_until([&] { return origin.done() == 1; }));
  EXPECT_EQ(rest, "");
  EXPECT_EQ(ask().body, "hello"); // on another connection
}

TEST_F(HttpRequest, SendsNothingMoreOnceTheHeadOfAnEarlyAnswerIsHere) {
  std::atomic<bool> offered = false;
  std::string rest = "?";
  ScriptedOrigin origin({[&](Peer& p) {
    p.read_head();
    p.read(5);
    p.send("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\n");
    while (!offered) std::this_thread::yield();
    p.send("no");
    rest = p.read_to_end();
  }});
  connect_to(origin.port());
  RecordingSink sink;
  const auto fetch = client_->fetch(with_body("POST", 10), sink);
  fetch->send_body("12345");
  ASSERT_TRUE(run_until([&] { return sink.head.has_value(); }));
  EXPECT_TRUE(fetch->send_body("67890"));
  fetch->end_body();
  settle();
  offered = true;
  ASSERT_TRUE(run_until_over(sink));
  EXPECT_EQ(sink.body, "no") << sink.error_text();
  ASSERT_TRUE(run_until([&] { return origin.done() == 1; })); // not kept: the origin still waits for the rest
  EXPECT_EQ(rest, "");
}

TEST_F(HttpRequest, BodyLongerThanDeclaredIsNotSentAsARequestOfItsOwn) {
  std::string seen;
  ScriptedOrigin origin({[&](Peer& p) {
    p.read_head();
    seen = p.read_to_end();
  }});
  connect_to(origin.port());
  RecordingSink sink;
  const auto fetch = client_->fetch(with_body("POST", 3), sink);
  fetch->send_body("abc");
  ASSERT_TRUE(run_until([&] { return sink.writable == 1; }));
  fetch->send_body("GET /admin HTTP/1.1\r\n\r\n");
  EXPECT_FALSE(sink.over()); // not inside our call
  ASSERT_TRUE(run_until_over(sink));
  EXPECT_EQ(sink.error->code, Errc::bad_input);
  EXPECT_EQ(sink.error->side, Side::client);
  ASSERT_TRUE(run_until([&] { return origin.done() == 1; }));
  EXPECT_EQ(seen, "abc");
}

TEST_F(HttpRequest, BodyShorterThanDeclaredIsTheClientsFault) {
  ScriptedOrigin origin({[](Peer& p) { p.read_to_end(); }});
  connect_to(origin.port());
  RecordingSink sink;
  const auto fetch = client_->fetch(with_body("POST", 3), sink);
  fetch->send_body("ab");
  fetch->end_body();
  ASSERT_TRUE(run_until_over(sink));
  EXPECT_EQ(sink.error->code, Errc::bad_input);
  EXPECT_EQ(sink.error->side, Side::client);
}

TEST_F(HttpRequest, BodyAboveTheLimitIsTooLargeWhetherDeclaredOrCounted) {
  ScriptedOrigin origin({[](Peer& p) { p.read_to_end(); }});
  connect_to(origin.port());
  RecordingSink declared;
  const auto one = client_->fetch(with_body("POST", 101), declared, 100);
  EXPECT_FALSE(declared.over());
  ASSERT_TRUE(run_until_over(declared));
  EXPECT_EQ(declared.error->code, Errc::too_large);
  EXPECT_EQ(declared.error->side, Side::client);

  RecordingSink counted;
  const auto two = client_->fetch(with_body("POST", std::nullopt), counted, 100);
  two->send_body(std::string(100, 'x'));
  settle();
  EXPECT_FALSE(counted.over());
  two->send_body("x");
  ASSERT_TRUE(run_until_over(counted));
  EXPECT_EQ(counted.error->code, Errc::too_large);
  EXPECT_EQ(counted.error->side, Side::client);
}

} // namespace verge::origin
