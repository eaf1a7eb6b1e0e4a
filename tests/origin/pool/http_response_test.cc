// How an HttpClient takes what an origin answers.
#include <fmt/core.h>

#include "tests/origin/pool/client_harness.h"

namespace verge::origin {

namespace {
using HttpResponse = HttpClientTest;
}

TEST_F(HttpResponse, WithALengthIsGivenWhole) {
  const auto sink = answered_with("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello");
  ASSERT_TRUE(sink.ended) << sink.error_text();
  EXPECT_EQ(sink.head->status, 200);
  EXPECT_EQ(sink.head->content_length, 5U);
  EXPECT_EQ(sink.field("content-type"), "text/plain");
  EXPECT_EQ(sink.body, "hello");
}

TEST_F(HttpResponse, InChunksIsGivenWithoutTheirFrames) {
  const auto sink =
      answered_with("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n");
  ASSERT_TRUE(sink.ended) << sink.error_text();
  EXPECT_EQ(sink.body, "hello world");
  EXPECT_EQ(sink.head->content_length, std::nullopt);
  EXPECT_FALSE(sink.head->headers.has("transfer-encoding"));
}

TEST_F(HttpResponse, UpToTheEndOfTheConnectionIsGivenWhole) {
  const auto sink = answered_with("HTTP/1.0 200 OK\r\n\r\nall there is");
  ASSERT_TRUE(sink.ended) << sink.error_text();
  EXPECT_EQ(sink.body, "all there is");
}

TEST_F(HttpResponse, IsTheSameWhereverItIsSplit) {
  const std::string wire =
      "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  for (size_t cut = 1; cut < wire.size(); ++cut) {
    // The second half goes out when the first was taken: the loop says so.
    std::atomic<bool> taken = false;
    ScriptedOrigin origin({[&](Peer& p) {
      p.read_head();
      p.send(std::string_view(wire).substr(0, cut));
      while (!taken) std::this_thread::yield();
      p.send(std::string_view(wire).substr(cut));
      p.read_to_end();
    }});
    connect_to(origin.port());
    RecordingSink sink;
    const auto fetch = client_->fetch(head("GET"), sink);
    ASSERT_TRUE(run_until([&] {
      loop_->post([] {});
      taken = true;
      return sink.over();
    }));
    ASSERT_TRUE(sink.ended) << cut << ": " << sink.error_text();
    EXPECT_EQ(sink.body, "abcde") << cut;
    ASSERT_EQ(sink.interims.size(), 1U) << cut;
    EXPECT_EQ(sink.interims[0].status, 103);
    client_.reset();
    settle();
  }
}

TEST_F(HttpResponse, LosesItsHopByHopFields) {
  const auto sink = answered_with(
      "HTTP/1.1 200 OK\r\nConnection: keep-alive, x-hop\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\nX-End: 2\r\n"
      "Content-Length: 0\r\n\r\n");
  ASSERT_TRUE(sink.head);
  EXPECT_FALSE(sink.head->headers.has("connection"));
  EXPECT_FALSE(sink.head->headers.has("keep-alive"));
  EXPECT_FALSE(sink.head->headers.has("x-hop"));
  EXPECT_EQ(sink.field("x-end"), "2");
}

TEST_F(HttpResponse, IsPrecededByInterimOnesButNot100) {
  const auto sink = answered_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" +
                                  std::string(kHello));
  ASSERT_TRUE(sink.ended) << sink.error_text();
  ASSERT_EQ(sink.interims.size(), 1U);
  EXPECT_EQ(sink.interims[0].status, 103);
  EXPECT_EQ(sink.interims[0].headers.get("link"), "</a>");
  EXPECT_EQ(sink.body, "hello");
}

TEST_F(HttpResponse, That101NobodyAskedForIsAnError) {
  const auto sink = answered_with("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n");
  ASSERT_TRUE(sink.error);
  EXPECT_EQ(sink.error->code, Errc::bad_input);
  EXPECT_EQ(sink.error->side, Side::origin);
}

TEST_F(HttpResponse, ToHeadHasALengthAndNoBody) {
  ScriptedOrigin origin({[](Peer& p) {
    p.answer("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n");
    p.answer(kHello);
    p.read_to_end();
  }});
  connect_to(origin.port());
  const auto sink = ask(head("HEAD"));
  ASSERT_TRUE(sink.ended) << sink.error_text();
  EXPECT_EQ(sink.head->content_length, 5U);
  EXPECT_EQ(sink.body, "");
  EXPECT_EQ(ask().body, "hello"); // the connection stands where it should
}

TEST_F(HttpResponse, CutShortIsNeverComplete) {
  for (const char* wire :
       {"", "HTT", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhell", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"}) {
    const auto sink = answered_with(wire);
    EXPECT_FALSE(sink.ended) << wire;
    ASSERT_TRUE(sink.error) << wire;
    EXPECT_EQ(sink.error->code, Errc::closed) << wire << ": " << sink.error_text();
    EXPECT_EQ(sink.error->side, Side::origin);
  }
}

TEST_F(HttpResponse, EndedByAResetIsNotCompleteEvenWithoutALength) {
  std::atomic<bool> arrived = false;
  ScriptedOrigin origin({[&](Peer& p) {
    p.answer("HTTP/1.1 200 OK\r\n\r\nhalf");
    while (!arrived) std::this_thread::yield();
    p.reset();
  }});
  connect_to(origin.port());
  RecordingSink sink;
  const auto fetch = client_->fetch(head("GET"), sink);
  sink.at_data = [&] { arrived = true; };
  ASSERT_TRUE(run_until_over(sink));
  EXPECT_FALSE(sink.ended);
  EXPECT_EQ(sink.error->code, Errc::closed) << sink.error_text();
  EXPECT_EQ(sink.body, "half");
}

TEST_F(HttpResponse, ThatIsNonsenseIsAnErrorThatNamesOriginAndAddress) {
  for (const char* wire : {"SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nbad name: x\r\n\r\n",
                           "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
                           "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
                           "HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n",
                           "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
                           "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"}) {
    const auto sink = answered_with(wire);
    EXPECT_FALSE(sink.ended) << wire;
    ASSERT_TRUE(sink.error) << wire;
    EXPECT_EQ(sink.error->code, Errc::bad_input) << wire;
    EXPECT_EQ(sink.error->side, Side::origin);
    EXPECT_TRUE(sink.error->what.starts_with("origin api: 127.0.0.1:")) << sink.error_text();
  }
}

TEST_F(HttpResponse, WithAnOverlongHeadIsAnErrorOfTheOrigin) {
  const auto sink = answered_with("HTTP/1.1 200 OK\r\nx: " + std::string(100'000, 'x') + "\r\n\r\n");
  ASSERT_TRUE(sink.error);
  EXPECT_EQ(sink.error->code, Errc::bad_input);
  EXPECT_EQ(sink.error->side, Side::origin);
}

TEST_F(HttpResponse, StopsWhilePausedAndIsWholeAfterwards) {
  const std::string body(3'000'000, 'b');
  ScriptedOrigin origin({[&](Peer& p) {
    p.answer(fmt::format("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.size()));
    p.send(body);
    p.answer(kHello);
    p.read_to_end();
  }});
  connect_to(origin.port(), 1);
  RecordingSink sink;
  const auto fetch = client_->fetch(head("GET"), sink);
  sink.at_data = [&] { fetch->pause(); };
  ASSERT_TRUE(run_until([&] { return sink.data_calls == 1; }));
  for (int i = 0; i < 20; ++i) settle();
  EXPECT_EQ(sink.data_calls, 1);
  advance(Seconds(3600)); // a pause of ours is not the origin's silence
  EXPECT_FALSE(sink.over()) << sink.error_text();
  sink.at_data = [&] {
    fetch->pause();
    fetch->resume();
  };
  fetch->resume();
  ASSERT_TRUE(run_until_over(sink));
  EXPECT_TRUE(sink.ended) << sink.error_text();
  EXPECT_EQ(sink.body.size(), body.size());
  EXPECT_EQ(ask().body, "hello");
}

TEST_F(HttpResponse, WhoseEndCameWhilePausedEndsAfterTheResume) {
  ScriptedOrigin origin({[](Peer& p) {
    p.answer("HTTP/1.0 200 OK\r\n\r\nall");
    p.finish_sending();
    p.read_to_end();
  }});
  connect_to(origin.port());
  RecordingSink sink;
  const auto fetch = client_->fetch(head("GET"), sink);
  sink.at_data = [&] { fetch->pause(); };
  ASSERT_TRUE(run_until([&] { return sink.data_calls == 1; }));
  settle();
  EXPECT_FALSE(sink.over());
  fetch->resume();
  ASSERT_TRUE(run_until_over(sink));
  EXPECT_TRUE(sink.ended) << sink.error_text();
}

TEST_F(HttpResponse, MayBeThrownAwayInEveryCallback) {
  const std::string wire = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
  for (int at = 0; at < 3; ++at) {
    ScriptedOrigin origin({[&](Peer& p) {
      p.answer(wire);
      p.read_to_end();
    }});
    connect_to(origin.port());
    RecordingSink sink;
    auto fetch = client_->fetch(head("GET"), sink);
    const auto drop = [&] { fetch.reset(); };
    (at == 0 ? sink.at_head : at == 1 ? sink.at_data : sink.at_end) = drop;
    ASSERT_TRUE(run_until([&] { return fetch == nullptr; }));
    settle();
    EXPECT_EQ(sink.ended, at == 2);
    EXPECT_FALSE(sink.error);
    EXPECT_EQ(sink.data_calls, at == 0 ? 0 : 1);
    client_.reset();
    settle();
  }
}

} // namespace verge::origin
