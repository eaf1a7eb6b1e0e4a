// What the endpoint's tests stand on: one loop on the test's own thread, an HTTP(S) server on it that answers as a test
// says, a cache, and a clock that stands still.
#pragma once

#include <fmt/chrono.h>
#include <fmt/core.h>
#include <gmock/gmock.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cache/cache.h"
#include "proxy/base/metrics.h"
#include "proxy/control/events/sns_endpoint.h"
#include "proxy/net/tls_server.h"
#include "tests/proxy/control/support/signer.h"
#include "tests/proxy/net/certificates.h"
#include "tests/proxy/net/wire.h"

namespace verge::control {

inline std::string response(int status, std::string_view body, std::string_view fields = "") {
  return fmt::format("HTTP/1.1 {} X\r\ncontent-length: {}\r\n{}\r\n{}", status, body.size(), fields, body);
}

// Takes one request a connection and answers with the octets that `answer` makes of its target; nullopt: never.
class LoopServer {
 public:
  LoopServer(net::EventLoop& loop, bool tls) : loop_(loop) {
    if (tls) {
      net::ServerTlsOptions options;
      const auto& certificates = net::Certificates::get();
      options.certificates = {{certificates.pem("a"), certificates.key("a")}};
      options.http2 = false;
      tls_ = net::ServerTls::create(options).value();
    }
    const int fd = net::Listener::bind(*net::Endpoint::parse("127.0.0.1:0"), 64).value();
    url_ = fmt::format("{}://127.0.0.1:{}", tls ? "https" : "http", net::Listener::bound_port(fd));
    listener_ = std::make_unique<net::Listener>(loop, fd, [this](int peer, std::string address, uint16_t port) {
      auto& one = peers_.emplace_back(std::make_unique<Peer>(*this));
      one->connection = net::Connection::accepted(loop_, peer, std::move(address), port, tls_, {}, *one);
    });
  }
  const std::string& url() const { return url_; }
  std::function<std::optional<std::string>(const std::string& target)> answer;
  std::vector<std::string> requests; // heads, as they came
  int connections() const { return int(peers_.size()); }
  // Sends to all who still wait.
  void release(const std::string& octets) {
    for (auto& peer : peers_) {
      if (peer->waits) peer->say(octets);
    }
  }

 private:
  struct Peer final : net::Connection::Handler {
    explicit Peer(LoopServer& o) : owner(o) {}
    void on_open(net::Connection&) override {}
    void on_input(net::Connection& c) override {
      const auto end = c.input().find("\r\n\r\n");
      if (waits || end == std::string_view::npos) return;
      const std::string head(c.input().substr(0, end + 4));
      c.consume(c.input().size());
      owner.requests.push_back(head);
      waits = true;
      const auto first = head.find(' ') + 1;
      if (const auto octets = owner.answer(head.substr(first, head.find(' ', first) - first))) say(*octets);
    }
    void on_writable(net::Connection&) override {}
    void on_flushed(net::Connection&) override {}
    void on_closed(net::Connection&, const Error&) override { waits = false; }
    void say(const std::string& octets) {
      waits = false;
      connection->write(octets);
      connection->close_after_flush();
    }
    LoopServer& owner;
    bool waits = false;
    std::unique_ptr<net::Connection> connection;
  };
  net::EventLoop& loop_;
  std::shared_ptr<net::ServerTls> tls_;
  std::string url_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::unique_ptr<net::Listener> listener_;
};

// A real cache whose disk can be made to fail, or to take its time.
class FailingCache final : public cache::Cache {
 public:
  explicit FailingCache(cache::Cache& real) : real_(real) {}
  bool failing = false;
  std::function<void()> applying = [] {}; // called while an invalidation is applied
  std::vector<Task> held;                 // filled instead of answering, while `holding`
  bool holding = false;

  Lookup lookup(std::string_view key, const http::Headers& q, Executor& on, LookupDone done,
                cache::RamFront* front) override {
    return real_.lookup(key, q, on, std::move(done), front);
  }
  Join join(std::string_view key, Executor& loop, Task resume, Task abandoned,
            std::optional<MonoTime> uncacheable) override {
    return real_.join(key, loop, std::move(resume), std::move(abandoned), uncacheable);
  }
  std::unique_ptr<cache::Fill> solo(Executor& loop, Task resume, Task abandoned) override {
    return real_.solo(loop, std::move(resume), std::move(abandoned));
  }
  cache::EntryRef refresh(const cache::EntryRef& entry, cache::HeadRef head) override {
    return real_.refresh(entry, std::move(head));
  }
  cache::EntryRef with_head(const cache::EntryRef& entry, cache::HeadRef head) override {
    return real_.with_head(entry, std::move(head));
  }
  cache::EntryRef adopt(const cache::EntryRef& entry, cache::HeadRef head) override {
    return real_.adopt(entry, std::move(head));
  }
  void erase(const cache::EntryRef& entry) override { real_.erase(entry); }
  void invalidate(cache::Invalidation command, Executor& on, std::move_only_function<void(Result<uint64_t>)> done,
                  NoteOf note) override {
    ++invalidations;
    applying();
    if (failing) return on.post([done = std::move(done)]() mutable { done(fail(Errc::storage, "disk full")); });
    if (!holding) return real_.invalidate(std::move(command), on, std::move(done), std::move(note));
    held.emplace_back(
        [this, command = std::move(command), &on, done = std::move(done), note = std::move(note)]() mutable {
          real_.invalidate(std::move(command), on, std::move(done), std::move(note));
        });
  }
  void settle_with(Settle settle) override { real_.settle_with(std::move(settle)); }
  void list(uint64_t after, size_t most, cache::Wanted wanted, Executor& on,
            std::move_only_function<void(cache::Listing)> done) override {
    real_.list(after, most, std::move(wanted), on, std::move(done));
  }
  void inspect(std::string_view key, Executor& on,
               std::move_only_function<void(std::vector<cache::Listed>)> done) override {
    real_.inspect(key, on, std::move(done));
  }
  const cache::Epochs& epochs() const noexcept override { return real_.epochs(); }
  cache::Disk* disk() noexcept override { return real_.disk(); }
  Stats stats() const override { return real_.stats(); }
  void flush() override { real_.flush(); }
  int invalidations = 0;

 private:
  cache::Cache& real_;
};

class SnsWorld : public testing::Test {
 protected:
  SnsWorld() {
    options.topics = {kTopic};
    options.certificate_origin = certificates.url();
    options.certificate_ca = net::Certificates::get().pem("ca");
    options.confirm_endpoint = confirmer.url();
    certificates.answer = [this](const std::string& target) -> std::optional<std::string> {
      return target == kCertificatePath ? response(200, pem) : response(404, "none");
    };
    confirmer.answer = [](const std::string&) { return response(200, "<ConfirmSubscriptionResponse/>"); };
    open_cache("");
    open();
  }
  ~SnsWorld() override { settle(); }

  void open_cache(const std::string& path) {
    endpoint.reset();
    taker.reset();
    engine.reset();
    cache.reset();
    real.reset();
    cache::CacheOptions o;
    o.disk.path = path;
    o.disk.bytes = 16 << 20;
    real = cache::Cache::open(o, clock).value();
    cache = std::make_unique<FailingCache>(*real);
    engine = std::make_unique<PurgeEngine>(*cache, *loop, clock);
    taker = std::make_unique<EventTaker>(*engine);
    taker->use(EventReader::create({}).value());
  }
  void open() { endpoint = SnsEndpoint::create(options, *cache, *taker, *loop, *resolver, clock).value(); }
  void settle() {
    for (int i = 0; i < 5; ++i) {
      loop->post([] {});
      loop->run_once();
    }
  }
  void advance(Millis by) {
    clock.advance(by);
    settle();
  }

  std::string time(Millis from_now = Millis(0)) const {
    const auto t = clock.wall() + from_now;
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::floor<Seconds>(t)),
                       (t - std::chrono::floor<Seconds>(t)).count());
  }
  // A notification whose certificate is at our server.
  Draft note(const std::string& message, const std::string& id = "id-1", Millis from_now = Millis(0)) const {
    auto d = notification(message, id, time(from_now));
    d["SigningCertURL"] = options.certificate_origin + kCertificatePath;
    return d;
  }
  Draft subscription(const std::string& type, const std::string& id = "sub-1") const {
    auto d = confirmation(type, id, time());
    d["SigningCertURL"] = options.certificate_origin + kCertificatePath;
    return d;
  }

  struct Answer {
    std::optional<http::Reply> reply;
  };
  std::shared_ptr<Answer> send(std::string body, const http::Headers& fields = {}, std::string method = "POST") {
    http::RequestHead head;
    head.method = std::move(method);
    head.path = options.path;
    head.headers = fields;
    auto answer = std::make_shared<Answer>();
    endpoint->handle(std::move(head), std::move(body), "203.0.113.9", *loop,
                     [answer](http::Reply r) { answer->reply = std::move(r); });
    EXPECT_FALSE(answer->reply) << "answered inside the call";
    return answer;
  }
  int status(const std::shared_ptr<Answer>& answer) {
    EXPECT_TRUE(net::run_until(*loop, [&] { return answer->reply.has_value(); }));
    return answer->reply ? answer->reply->status : 0;
  }
  int post(const std::string& body, const http::Headers& fields = {}, const std::string& method = "POST") {
    return status(send(body, fields, method));
  }
  int post(const Draft& message, const http::Headers& fields = {}) { return post(message.dump(), fields); }
  bool until(const std::function<bool()>& done) { return net::run_until(*loop, done); }

  // Would a response to this URL, fetched when the test began, still be served?
  cache::Verdict verdict(const std::string& url) const { return cache->epochs().check(url, {}, 1); }
  bool purged(const std::string& url) const { return verdict(url) == cache::Verdict::dead; }

  static uint64_t counted(const std::string& result) {
    const std::string text = metrics::render(), row = "verge_sns_messages_total{result=\"" + result + "\"} ";
    const auto at = text.find(row);
    return at == std::string::npos ? 0 : std::stoull(text.substr(at + row.size()));
  }

  ManualClock clock{SystemClock().wall()}; // near the real time, by which TLS judges its certificates
  std::unique_ptr<net::EventLoop> loop = net::make_loop(clock);
  std::map<std::string, std::vector<std::string>> names;
  std::unique_ptr<net::Resolver> resolver =
      net::Resolver::create(clock, Seconds(30), 1, [this](const std::string& host) -> Result<std::vector<std::string>> {
        const auto it = names.find(host);
        if (it == names.end()) return fail(Errc::not_found, "no such name: " + host, Side::origin, Retry::safe);
        return it->second;
      });
  LoopServer certificates{*loop, true};
  LoopServer confirmer{*loop, false};
  std::string pem = Signer::get().certificate(clock.wall() - std::chrono::hours(24),
                                              clock.wall() + std::chrono::hours(24 * 30), "DNS:sns.test");
  config::Sns options;
  std::unique_ptr<cache::Cache> real;
  std::unique_ptr<FailingCache> cache;
  std::unique_ptr<PurgeEngine> engine;
  std::unique_ptr<EventTaker> taker;
  std::unique_ptr<SnsEndpoint> endpoint;
};

} // namespace verge::control
