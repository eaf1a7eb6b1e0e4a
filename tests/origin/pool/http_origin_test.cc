#include "origin/pool/http_origin.h"

#include <fmt/core.h>

#include "tests/origin/support/child_process.h"
#include "tests/origin/support/loop_harness.h"
#include "tests/origin/support/nginx.h"
#include "tests/origin/support/scripted_origin.h"
#include "tests/origin/support/temp_folder.h"

namespace verge::origin {

namespace {

class HttpOriginTest : public LoopHarness {
 protected:
  ~HttpOriginTest() override {
    origin_.reset();
    settle();
  }
  void make(const std::string& url) {
    options_.name = "app";
    options_.url = url;
    auto made = make_origin(options_, context());
    ASSERT_TRUE(made) << made.error().what;
    origin_ = std::move(*made);
  }
  RecordingSink ask(FetchRequest request) {
    RecordingSink sink;
    const auto fetch = origin_->fetch(std::move(request), sink);
    EXPECT_TRUE(run_until_over(sink));
    settle();
    return sink;
  }
  // What a request looks like when it arrives.
  std::string arrives(FetchRequest request, const std::string& prefix = "") {
    std::string seen;
    ScriptedOrigin server({[&](Peer& p) { seen = p.answer("HTTP/1.1 204 No Content\r\n\r\n"); }});
    make(server.url() + prefix);
    ask(std::move(request));
    EXPECT_TRUE(run_until([&] { return server.done() == 1; }));
    return seen;
  }

  config::Origin options_;
  std::unique_ptr<Origin> origin_;
};

// A certificate for `name`, signed by itself.
void make_certificate(const TempFolder& folder, const std::string& name) {
  ChildProcess openssl({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=" + name, "-addext", "subjectAltName=" + name, "-keyout",
                        folder.path("key.pem"), "-out", folder.path("cert.pem")});
  ASSERT_EQ(openssl.wait(), 0);
}

// Answers each connection with `response` over TLS and hangs up without TLS's own good-bye, as a cut line does.
constexpr const char* kRudeTlsServer = R"(
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    raw, _ = listener.accept()
    tls = context.wrap_socket(raw, server_side=True, suppress_ragged_eofs=True)
    while not tls.recv(65536).endswith(b"\r\n\r\n"): pass
    tls.sendall(sys.argv[3].encode())
    tls.close()
)";

} // namespace

TEST_F(HttpOriginTest, PutsItsPathBeforeTheClientsAndKeepsTheQuery) {
  auto request = get("/a%20b");
  request.head.query = "x=1";
  request.head.has_query = true;
  EXPECT_TRUE(arrives(std::move(request), "/base/").starts_with("GET /base/a%20b?x=1 HTTP/1.1\r\n"));
}

TEST_F(HttpOriginTest, SendsTheClientsHostUnlessToldAnother) {
  EXPECT_NE(arrives(get("/")).find("\r\nhost: www.example.com\r\n"), std::string::npos);
  options_.host = "internal.example";
  EXPECT_NE(arrives(get("/")).find("\r\nhost: internal.example\r\n"), std::string::npos);
}

TEST_F(HttpOriginTest, TellsAboutTheClientWhateverTheClientSaysOfItself) {
  auto request = get("/");
  request.head.headers.add("x-forwarded-for", "203.0.113.66");
  request.head.headers.add("x-forwarded-proto", "gopher");
  request.head.headers.add("x-forwarded-host", "evil.example");
  const std::string seen = arrives(std::move(request));
  EXPECT_NE(seen.find("\r\nx-forwarded-for: 192.0.2.7\r\n"), std::string::npos) << seen;
  EXPECT_NE(seen.find("\r\nx-forwarded-proto: https\r\n"), std::string::npos) << seen;
  EXPECT_NE(seen.find("\r\nx-forwarded-host: www.example.com\r\n"), std::string::npos) << seen;
  EXPECT_EQ(seen.find("203.0.113.66"), std::string::npos) << seen;
}

TEST_F(HttpOriginTest, AddsItselfToTheEndOfVia) {
  auto request = get("/");
  request.head.headers.add("via", "1.0 fred");
  request.head.version = http::Version::http2;
  EXPECT_NE(arrives(std::move(request)).find("\r\nvia: 1.0 fred, 2 verge\r\n"), std::string::npos);
  EXPECT_NE(arrives(get("/")).find("\r\nvia: 1.1 verge\r\n"), std::string::npos);
}

TEST_F(HttpOriginTest, TakesEveryMethod) {
  make("http://127.0.0.1:9");
  for (const char* method : {"GET", "POST", "DELETE", "PROPFIND"}) EXPECT_TRUE(origin_->allows(method));
}

TEST_F(HttpOriginTest, HonoursTheLimitOfTheRequestBody) {
  options_.max_request_body = 10;
  make("http://127.0.0.1:9");
  auto request = get("/");
  request.head.method = "POST";
  request.head.has_body = true;
  request.head.content_length = 11;
  const auto sink = ask(std::move(request));
  ASSERT_TRUE(sink.error);
  EXPECT_EQ(sink.error->code, Errc::too_large);
  EXPECT_EQ(sink.error->side, Side::client);
}

TEST_F(HttpOriginTest, IsNotMadeOfABadUrl) {
  options_.name = "app";
  options_.url = "app.internal:9000";
  const auto made = make_origin(options_, context());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::config);
  EXPECT_TRUE(made.error().what.starts_with("origins.app: url \"app.internal:9000\"")) << made.error().what;
}

TEST_F(HttpOriginTest, ReadsFromPythonsServerWhichSpeaksHttp10) {
  TempFolder files;
  const std::string big(1'000'003, 'p');
  files.write("big.bin", big);
  ChildProcess python({"python3", "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", files.path()});
  const std::string line = python.read_line(); // "Serving HTTP on 127.0.0.1 port 40123 (http://..."
  const size_t at = line.find(" port ");
  ASSERT_NE(at, std::string::npos) << line;
  make("http://127.0.0.1:" + std::to_string(std::atoi(line.c_str() + at + 6)));
  for (int i = 0; i < 2; ++i) {
    const auto sink = ask(get("/big.bin"));
    ASSERT_TRUE(sink.ended) << sink.error_text();
    EXPECT_EQ(sink.head->status, 200);
    EXPECT_EQ(sink.body, big);
  }
  EXPECT_EQ(ask(get("/missing")).head->status, 404);
}

TEST_F(HttpOriginTest, ReadsFromNginxOverOneKeptConnection) {
  TempFolder files;
  const std::string big(3'000'001, 'n');
  files.write("big.bin", big);
  Nginx nginx(fmt::format("root {}; location = /count {{ return 200 $connection_requests; }}", files.path()));
  make("http://127.0.0.1:" + std::to_string(nginx.port()));
  const auto first = ask(get("/big.bin"));
  ASSERT_TRUE(first.ended) << first.error_text();
  EXPECT_EQ(first.body, big);
  auto request = get("/big.bin");
  request.head.method = "HEAD";
  EXPECT_EQ(ask(std::move(request)).head->content_length, big.size());
  request = get("/big.bin");
  request.head.headers.add("if-none-match", first.field("etag"));
  EXPECT_EQ(ask(std::move(request)).head->status, 304);
  EXPECT_EQ(ask(get("/count")).body, "4");
}

TEST_F(HttpOriginTest, UploadsToNginxInChunks) {
  TempFolder files;
  Nginx nginx(fmt::format("root {}; client_max_body_size 0; location / {{ dav_methods PUT; }}", files.path()));
  make("http://127.0.0.1:" + std::to_string(nginx.port()));
  auto request = get("/up.bin");
  request.head.method = "PUT";
  request.head.has_body = true;
  RecordingSink sink;
  const auto fetch = origin_->fetch(std::move(request), sink);
  int pieces = 0;
  sink.at_writable = [&] {
    while (pieces < 100) {
      ++pieces;
      if (!fetch->send_body(std::string(50'000, static_cast<char>('a' + pieces % 26)))) return;
    }
    fetch->end_body();
  };
  sink.at_writable();
  ASSERT_TRUE(run_until_over(sink));
  ASSERT_TRUE(sink.ended) << sink.error_text();
  EXPECT_EQ(sink.head->status, 201);
  EXPECT_EQ(std::filesystem::file_size(files.path("up.bin")), 5'000'000U);
}

TEST_F(HttpOriginTest, ReadsOverTlsFromAnOriginItCanVerify) {
  TempFolder files;
  make_certificate(files, "IP:127.0.0.1");
  const std::string big(2'000'001, 't');
  files.write("big.bin", big);
  Nginx nginx(fmt::format("root {0}; ssl_certificate {0}/cert.pem; ssl_certificate_key {0}/key.pem;", files.path()),
              "ssl");
  options_.tls_ca = files.path("cert.pem");
  make("https://127.0.0.1:" + std::to_string(nginx.port()));
  for (int i = 0; i < 2; ++i) {
    const auto sink = ask(get("/big.bin"));
    ASSERT_TRUE(sink.ended) << sink.error_text();
    EXPECT_EQ(sink.body, big);
  }
}

TEST_F(HttpOriginTest, RefusesTlsThatItCannotVerifyAndSaysWhy) {
  TempFolder files;
  make_certificate(files, "DNS:other.example");
  Nginx nginx(
      fmt::format("return 200 secret; ssl_certificate {0}/cert.pem; ssl_certificate_key {0}/key.pem;", files.path()),
      "ssl");
  const std::string url = "https://127.0.0.1:" + std::to_string(nginx.port());
  make(url); // the system's roots know nothing of it
  const auto unknown = ask(get("/"));
  ASSERT_TRUE(unknown.error);
  EXPECT_EQ(unknown.error->code, Errc::tls);
  EXPECT_EQ(unknown.error->side, Side::origin);
  EXPECT_TRUE(unknown.error->what.starts_with("origin app: ")) << unknown.error_text();
  EXPECT_NE(unknown.error->what.find("self-signed certificate"), std::string::npos) << unknown.error_text();

  options_.tls_ca = files.path("cert.pem"); // known, but for another name
  make(url);
  const auto misnamed = ask(get("/"));
  ASSERT_TRUE(misnamed.error);
  EXPECT_EQ(misnamed.error->code, Errc::tls);
  EXPECT_NE(misnamed.error->what.find("mismatch"), std::string::npos) << misnamed.error_text();

  options_.tls_verify = false;
  make(url);
  EXPECT_EQ(ask(get("/")).body, "secret");
}

TEST_F(HttpOriginTest, DoesNotTakeACutTlsConnectionForTheEndOfABody) {
  TempFolder files;
  make_certificate(files, "IP:127.0.0.1");
  ChildProcess server({"python3", "-c", kRudeTlsServer, files.path("cert.pem"), files.path("key.pem"),
                       "HTTP/1.1 200 OK\r\n\r\nhalf of it"});
  options_.tls_ca = files.path("cert.pem");
  make("https://127.0.0.1:" + server.read_line());
  const auto sink = ask(get("/"));
  EXPECT_FALSE(sink.ended);
  ASSERT_TRUE(sink.error);
  EXPECT_EQ(sink.error->side, Side::origin);
}

TEST_F(HttpOriginTest, GivesAWholeAnswerThatCameBeforeTheConnectionBrokeWhilePaused) {
  TempFolder files;
  make_certificate(files, "IP:127.0.0.1");
  ChildProcess server({"python3", "-c", kRudeTlsServer, files.path("cert.pem"), files.path("key.pem"),
                       "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"});
  options_.tls_ca = files.path("cert.pem");
  make("https://127.0.0.1:" + server.read_line());
  RecordingSink sink;
  const auto fetch = origin_->fetch(get("/"), sink);
  sink.at_data = [&] { fetch->pause(); };
  ASSERT_TRUE(run_until([&] { return sink.data_calls == 1; }));
  for (int i = 0; i < 20; ++i) settle();
  EXPECT_FALSE(sink.over()) << sink.error_text();
  fetch->resume();
  ASSERT_TRUE(run_until([&] { return sink.data_calls == 2; }));
  fetch->resume();
  ASSERT_TRUE(run_until_over(sink));
  EXPECT_TRUE(sink.ended) << sink.error_text();
  EXPECT_EQ(sink.body, "onetwo");
}

} // namespace verge::origin
