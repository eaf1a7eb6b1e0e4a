// Origins that can't be reached, or are silent.
#include "tests/origin/pool/client_harness.h"

namespace verge::origin {

namespace {

using HttpFault = HttpClientTest;

// Answers every name alike.
class FixedResolver final : public net::Resolver {
 public:
  explicit FixedResolver(Result<std::vector<std::string>> answer) : answer_(std::move(answer)) {}
  void resolve(const std::string&, Executor& on, Done done) override {
    on.post([done = std::move(done), answer = answer_]() mutable { done(std::move(answer)); });
  }

 private:
  Result<std::vector<std::string>> answer_;
};
// Never answers.
class SilentResolver final : public net::Resolver {
 public:
  void resolve(const std::string&, Executor&, Done) override {}
};

} // namespace

TEST_F(HttpFault, RefusedNamesOriginAndAddress) {
  uint16_t port = 0;
  {
    const ListenSocket closed;
    port = closed.port();
  }
  connect_to(port);
  const auto sink = ask();
  ASSERT_TRUE(sink.error);
  EXPECT_EQ(sink.error->code, Errc::refused);
  EXPECT_EQ(sink.error->side, Side::origin);
  EXPECT_EQ(sink.error->retry, Retry::safe);
  EXPECT_TRUE(sink.error->what.starts_with("origin api: ")) << sink.error_text();
  EXPECT_NE(sink.error->what.find("127.0.0.1:" + std::to_string(port)), std::string::npos) << sink.error_text();
}

TEST_F(HttpFault, ANameWithoutAddressIsRefused) {
  FixedResolver resolver(fail(Errc::not_found, "no such name"));
  HttpClient client({*loop_, resolver}, HttpEndpoint{false, "gone.example", 80}, nullptr, timeouts_, 8, "api");
  RecordingSink sink;
  const auto fetch = client.fetch(head("GET"), sink);
  ASSERT_TRUE(run_until_over(sink));
  EXPECT_EQ(sink.error->code, Errc::refused);
  EXPECT_EQ(sink.error->side, Side::origin);
  EXPECT_EQ(sink.error_text(), "origin api: gone.example: no such name");
}

TEST_F(HttpFault, AnAddressThatRefusesIsFollowedByTheNext) {
  const ScriptedOrigin origin({[](Peer& p) { p.answer(kHello); }, [](Peer& p) { p.answer(kHello); }});
  FixedResolver resolver(std::vector<std::string>{"127.0.0.2", "127.0.0.1"});
  HttpClient client({*loop_, resolver}, HttpEndpoint{false, "two.example", origin.port()}, nullptr, timeouts_, 8,
                    "api");
  for (int i = 0; i < 2; ++i) { // the turn begins once with the one and once with the other
    RecordingSink sink;
    const auto fetch = client.fetch(head("GET"), sink);
    ASSERT_TRUE(run_until_over(sink));
    EXPECT_EQ(sink.body, "hello") << sink.error_text();
    ASSERT_TRUE(run_until([&] { return origin.done() == i + 1; }));
    settle();
  }
}

TEST_F(HttpFault, ANameThatIsNotResolvedInTimeIsATimeout) {
  SilentResolver resolver;
  HttpClient client({*loop_, resolver}, HttpEndpoint{false, "slow.example", 80}, nullptr, timeouts_, 8, "api");
  RecordingSink sink;
  const auto fetch = client.fetch(head("GET"), sink);
  advance(timeouts_.connect + Millis(200));
  ASSERT_TRUE(sink.error);
  EXPECT_EQ(sink.error->code, Errc::timeout);
  EXPECT_EQ(sink.error_text(), "origin api: slow.example: no address within 3000 ms");
}

TEST_F(HttpFault, AnAddressThatDoesNotConnectIsATimeout) {
  const ListenSocket full(0);
  // One connection fills the queue; the kernel then drops every further SYN.
  const int filler = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(full.port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(filler, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  connect_to(full.port());
  RecordingSink sink;
  const auto fetch = client_->fetch(head("GET"), sink);
  settle();
  EXPECT_FALSE(sink.over());
  advance(timeouts_.connect + Millis(200));
  settle();
  ::close(filler);
  ASSERT_TRUE(sink.error);
  EXPECT_EQ(sink.error->code, Errc::timeout);
  EXPECT_EQ(sink.error->side, Side::origin);
}

TEST_F(HttpFault, SilenceAfterTheRequestIsATimeout) {
  std::atomic<bool> asked = false;
  ScriptedOrigin origin({[&](Peer& p) {
    p.read_head();
    asked = true;
    p.read_to_end();
  }});
  connect_to(origin.port());
  RecordingSink sink;
  const auto fetch = client_->fetch(head("GET"), sink);
  ASSERT_TRUE(run_until([&] { return asked.load(); }));
  settle();
  advance(timeouts_.first_byte - Millis(200));
  EXPECT_FALSE(sink.over()) << sink.error_text();
  advance(Millis(400));
  ASSERT_TRUE(sink.error);
  EXPECT_EQ(sink.error->code, Errc::timeout);
  EXPECT_EQ(sink.error->side, Side::origin);
  EXPECT_EQ(sink.error_text(),
            "origin api: 127.0.0.1:" + std::to_string(origin.port()) + ": no response within 10000 ms of the request");
  EXPECT_TRUE(run_until([&] { return origin.done() == 1; })); // and the connection is gone
}

TEST_F(HttpFault, SilenceWithinTheBodyIsATimeoutAndNotAnEnd) {
  ScriptedOrigin origin({[](Peer& p) {
    p.answer("HTTP/1.1 200 OK\r\n\r\nhalf");
    p.read_to_end();
  }});
  connect_to(origin.port());
  RecordingSink sink;
  const auto fetch = client_->fetch(head("GET"), sink);
  ASSERT_TRUE(run_until([&] { return sink.body == "half"; }));
  advance(timeouts_.between_bytes - Millis(200));
  EXPECT_FALSE(sink.over());
  advance(Millis(400));
  ASSERT_TRUE(sink.error);
  EXPECT_EQ(sink.error->code, Errc::timeout);
}

TEST_F(HttpFault, AHeadThatTricklesInIsATimeoutAsAWhole) {
  std::atomic<int> given = 0, wanted = 0;
  std::atomic<bool> over = false;
  ScriptedOrigin origin({[&](Peer& p) {
    p.answer("HTTP/1.1 200 OK\r\n");
    while (!over) {
      if (given < wanted) {
        p.send("x: y\r\n");
        ++given;
      }
      std::this_thread::yield();
    }
  }});
  connect_to(origin.port());
  RecordingSink sink;
  const auto fetch = client_->fetch(head("GET"), sink);
  for (int second = 0; second < 61 && !sink.over(); second += 5) {
    ++wanted;
    ASSERT_TRUE(run_until([&] { return given == wanted; }));
    for (int i = 0; i < 10; ++i) settle(); // no silence is ever longer than 5 s
    advance(Seconds(5));
  }
  over = true;
  ASSERT_TRUE(sink.error);
  EXPECT_EQ(sink.error->code, Errc::timeout);
  EXPECT_NE(sink.error->what.find("no response head within 60000 ms"), std::string::npos) << sink.error_text();
}

} // namespace verge::origin
