// The AWS origins against a server that says what the test writes down: what goes out on the wire, and what comes back.
#pragma once

#include <fmt/core.h>
#include <gmock/gmock.h>

#include <mutex>
#include <string>
#include <vector>

#include "origin/aws/aws_origins.h"

#include "origin/aws/sigv4.h"
#include "proxy/http/grammar.h"
#include "tests/origin/support/loop_harness.h"
#include "tests/origin/support/scripted_origin.h"

namespace verge::origin {

// A request as it came over the wire.
struct Received {
  std::string method, path, query, body;
  http::Headers headers;

  static Received read(Peer& peer) {
    Received out;
    std::string head = peer.read_head();
    const size_t line = head.find("\r\n"), space = head.find(' ');
    if (line == std::string::npos) return out;
    out.method = head.substr(0, space);
    std::string target = head.substr(space + 1, head.find(' ', space + 1) - space - 1);
    if (const size_t mark = target.find('?'); mark != std::string::npos) {
      out.query = target.substr(mark + 1);
      target.resize(mark);
    }
    out.path = target;
    for (size_t at = line + 2; at + 2 < head.size();) {
      const size_t end = head.find("\r\n", at), colon = head.find(':', at);
      out.headers.add(head.substr(at, colon - at),
                      http::trim(std::string_view(head).substr(colon + 1, end - colon - 1)));
      at = end + 2;
    }
    if (const auto length = out.headers.get("content-length")) out.body = peer.read(*http::parse_digits(*length));
    return out;
  }

  // What the Authorization must be for just this request.
  std::string right_authorization(std::string service, aws::PathRule rule, WallTime now) const {
    const std::string value(headers.get("authorization").value_or(""));
    const size_t begin = value.find("SignedHeaders=") + 14;
    const std::string names = ";" + value.substr(begin, value.find(',', begin) - begin) + ";";
    http::Headers fields;
    for (const http::Field f : headers) {
      if (names.find(fmt::format(";{};", f.name)) != std::string::npos) fields.add(f.name, f.value);
    }
    const bool s3 = service == "s3";
    aws::Signer signer("eu-west-1", std::move(service), rule, s3);
    const std::string payload = aws::hex(aws::sha256(body)), host(headers.get("host").value_or(""));
    const auto added = signer.sign({method, path, query, host, payload, &fields}, {"AK", "SK", "TOKEN", {}}, now);
    return std::string(*added.get("authorization"));
  }
};

// What the server's thread received, for the test's thread.
class Inbox {
 public:
  void read(Peer& peer) {
    Received one = Received::read(peer);
    const std::lock_guard lock(mutex_);
    all_.push_back(std::move(one));
  }
  Received at(size_t i) {
    const std::lock_guard lock(mutex_);
    return all_.at(i);
  }

 private:
  std::mutex mutex_;
  std::vector<Received> all_;
};

inline std::string response(int status, std::string_view body, std::string_view fields = "") {
  return fmt::format("HTTP/1.1 {} X\r\n{}content-length: {}\r\n\r\n{}", status, fields, body.size(), body);
}

class AwsOrigins : public LoopHarness {
 protected:
  ~AwsOrigins() override {
    origin_.reset();
    settle();
  }

  config::Origin options(config::OriginType type, const std::string& endpoint) {
    config::Origin o;
    o.name = "o";
    o.type = type;
    o.region = "eu-west-1";
    o.endpoint = endpoint;
    o.bucket = "site";
    o.function = "arn:aws:lambda:eu-west-1:1:function:hello";
    o.credentials = {.access_key_id = "AK", .secret_access_key = "SK", .session_token = "TOKEN", .profile = ""};
    return o;
  }
  void use(Result<std::unique_ptr<Origin>> made) {
    ASSERT_TRUE(made) << made.error().what;
    origin_ = std::move(*made);
  }
  void use_s3(const ScriptedOrigin& server, std::string index = "index.html") {
    auto o = options(config::OriginType::s3, server.url());
    o.index = std::move(index);
    use(make_s3_origin(o, context()));
  }
  void use_lambda(const ScriptedOrigin& server, uint64_t max_body = 0) {
    auto o = options(config::OriginType::lambda, server.url());
    o.max_request_body = max_body;
    use(make_lambda_origin(o, context()));
  }
  void use_gateway(const ScriptedOrigin& server, bool sign) {
    auto o = options(config::OriginType::api_gateway, "");
    o.url = server.url() + "/prod";
    o.sign = sign;
    use(make_api_gateway_origin(o, context()));
  }

  static FetchRequest with_method(std::string method, std::string path, std::optional<uint64_t> length = {}) {
    FetchRequest request = get(std::move(path));
    request.head.method = std::move(method);
    request.head.has_body = length.has_value();
    request.head.content_length = length;
    return request;
  }
  RecordingSink ask(FetchRequest request, std::string_view body = "") {
    RecordingSink sink;
    const bool has_body = request.head.has_body;
    const auto fetch = origin_->fetch(std::move(request), sink);
    EXPECT_FALSE(sink.over() || sink.head) << "an event inside fetch()";
    if (has_body) {
      fetch->send_body(body);
      fetch->end_body();
    }
    EXPECT_TRUE(run_until_over(sink));
    settle();
    return sink;
  }

  WallTime now() const { return clock_.wall(); }
  std::unique_ptr<Origin> origin_;
};

} // namespace verge::origin
