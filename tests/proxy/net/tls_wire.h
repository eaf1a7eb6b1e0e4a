// A TLS server on the test's loop that answers with what TLS agreed on, and real clients of it.
#pragma once

#include <thread>

#include "proxy/net/tls_client.h"
#include "proxy/net/tls_server.h"
#include "tests/proxy/net/certificates.h"
#include "tests/proxy/net/wire.h"

namespace verge::net {

// Answers the first input with "ok" and ends; keeps what TLS said.
struct Answering : Notes {
  TlsInfo info;
  std::unique_ptr<Connection> connection;
  Answering() {
    when_open = [this](Connection& c) { info = *c.tls(); };
    when_input = [](Connection& c) {
      if (c.input().empty() && !c.peer_closed()) c.write("ok\n");
      c.close_after_flush();
    };
  }
};

struct TlsTest : testing::Test {
  const Certificates& certs = Certificates::get();
  SystemClock clock;
  std::unique_ptr<EventLoop> loop = make_loop(clock);
  std::shared_ptr<ServerTls> server_tls;
  std::vector<std::unique_ptr<Answering>> clients; // as the server saw them
  std::unique_ptr<Listener> listener;
  uint16_t port = 0;

  ServerTlsOptions serving(std::vector<std::string> names) const {
    ServerTlsOptions options;
    for (const std::string& name : names) options.certificates.push_back({certs.pem(name), certs.key(name)});
    return options;
  }
  void serve(const ServerTlsOptions& options) {
    auto made = ServerTls::create(options);
    ASSERT_TRUE(made.has_value()) << made.error().what;
    server_tls = *made;
    if (listener) return; // new settings for the connections to come
    const auto fd = Listener::bind(*Endpoint::parse("127.0.0.1:0"), 128);
    ASSERT_TRUE(fd.has_value()) << fd.error().what;
    port = Listener::bound_port(*fd);
    listener = std::make_unique<Listener>(*loop, *fd, [this](int taken, std::string address, uint16_t peer_port) {
      clients.push_back(std::make_unique<Answering>());
      clients.back()->connection =
          Connection::accepted(*loop, taken, std::move(address), peer_port, server_tls, {}, *clients.back());
    });
  }
  const Answering& last() const { return *clients.back(); }

  // What a program says that talks to the server, run to its end while the loop turns.
  std::string talk(const std::vector<std::string>& words, std::string_view input = "hello\n") {
    std::string said;
    bool done = false;
    std::jthread runner([&] {
      said = run_program(words, input);
      loop->post([&] { done = true; });
    });
    EXPECT_TRUE(run_until(*loop, [&] { return done && !clients.empty(); }));
    EXPECT_TRUE(run_until(*loop, [&] { return clients.back()->closed != nullptr; }));
    return said;
  }
  std::string s_client(std::vector<std::string> more) {
    std::vector<std::string> words = {"openssl", "s_client", "-connect", "127.0.0.1:" + std::to_string(port),
                                      "-ign_eof"};
    words.insert(words.end(), more.begin(), more.end());
    return talk(words);
  }
  std::vector<std::string> identity(const std::string& name) const {
    return {"-cert", certs.pem(name), "-key", certs.key(name)};
  }
};

} // namespace verge::net
