// Differential test: our signatures against those of two official programs (botocore, and the C signer behind awscrt),
// over requests made by a generator with a fixed seed.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "origin/aws/encoding.h"
#include "origin/aws/sigv4.h"

namespace verge::origin::aws {
namespace {

using Json = nlohmann::json;

// Requests as a front end may have to sign them: odd keys, odd queries, repeated and blank-ridden fields.
class Generator {
 public:
  Json next() {
    const bool s3 = below(2) == 0;
    const bool unsigned_payload = s3 && below(4) == 0;
    const bool odd_query = below(4) == 0; // spelled as clients do; botocore takes queries as they stand
    const std::string body = below(2) == 0 ? "" : text(below(40));
    return {{"s3", s3},
            {"unsigned", unsigned_payload},
            {"ask_botocore", !odd_query},
            {"method", pick({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})},
            {"host", pick({"examplebucket.s3.eu-west-1.amazonaws.com", "127.0.0.1:4568", "localhost:8443",
                           "abc123.execute-api.us-east-1.amazonaws.com"})},
            {"path", path(s3)},
            {"query", query(odd_query)},
            {"headers", headers()},
            {"body", body},
            {"payload_hash", unsigned_payload ? std::string(kUnsignedPayload) : hex(sha256(body))},
            {"region", pick({"us-east-1", "eu-west-1", "cn-north-1"})},
            {"service", s3 ? "s3" : pick({"lambda", "execute-api", "sqs", "cloudfront"})},
            {"key", "AKIA" + std::to_string(below(1000))},
            {"secret", text(30)},
            {"token", below(3) == 0 ? "IQoJb3JpZ2lu//" + std::to_string(below(1000)) + "+=" : ""},
            {"time", 1'300'000'000 + static_cast<int64_t>(below(900'000'000))}};
  }

 private:
  size_t below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random_); }
  std::string pick(std::vector<std::string> of) { return of[below(of.size())]; }
  std::string text(size_t size) {
    static constexpr std::string_view kAlphabet = "abcXYZ019/+=!$&'()*,-._~:@ %#?\"<>[]{}|";
    std::string out;
    for (size_t i = 0; i < size; ++i) out += kAlphabet[below(kAlphabet.size())];
    return out;
  }
  std::string segment() {
    return pick({"a", "index.html", "a b", "ü", "日本", "a+b", "100%", "x*y", "~u", "(1)", "a,b;c=d", "e@f", "q?r",
                 "#h", "'q'", "&", ":", "%2F"});
  }
  std::string path(bool s3) {
    std::string out;
    for (size_t i = 0, n = below(5); i < n; ++i) {
      out += '/';
      const size_t kind = below(10);
      if (kind == 0) continue; // a double slash
      if (kind == 1 && !s3) {
        out += below(2) == 0 ? "." : "..";
      } else {
        out += percent_encode(segment(), false);
      }
    }
    if (out.empty() || below(4) == 0) out += '/';
    return out;
  }
  std::string query(bool odd) {
    std::string out;
    for (size_t i = 0, n = below(5); i < n; ++i) {
      if (!out.empty()) out += '&';
      const std::string name = pick({"a", "A", "b", "list-type", "ü", "x y", "a-b", "a.b", "a"});
      const std::string value = pick({"", "1", "2", "a b", "a+b", "%", "ü", "x=y", "/", "~", "*"});
      out += percent_encode(name, false) + "=";
      // As browsers spell it: fewer characters escaped, in lower case.
      out += odd ? pick({"a%2fb", "!x", "%c3%bc", "(1)", "it's", "a:b@c"}) : percent_encode(value, false);
    }
    return out;
  }
  Json headers() {
    Json out = Json::array();
    for (size_t i = 0, n = below(5); i < n; ++i) {
      out.push_back({pick({"content-type", "range", "if-none-match", "x-amz-meta-a", "x-amz-meta-b", "cache-control",
                           "x-api-key", "x-amz-meta-a"}),
                     pick({"bytes=0-9", "\"etag\"", "a  b   c", "text/plain; charset=utf-8", "a,b", "1"})});
    }
    return out;
  }

  std::mt19937_64 random_{20130524};
};

std::string our_authorization(const Json& c) {
  http::Headers headers;
  for (const Json& field : c["headers"]) headers.add(field[0].get<std::string>(), field[1].get<std::string>());
  const bool s3 = c["s3"];
  Signer signer(c["region"], c["service"], s3 ? PathRule::verbatim : PathRule::normalized, s3);
  const std::string method = c["method"], path = c["path"], query = c["query"], host = c["host"],
                    payload = c["payload_hash"];
  const SignRequest request{method, path, query, host, payload, &headers};
  const Credentials credentials{c["key"], c["secret"], c["token"], {}};
  const http::Headers added = signer.sign(request, credentials, WallTime(Seconds(c["time"].get<int64_t>())));
  return std::string(added.get("authorization").value_or(""));
}

TEST(SigV4, AgreesWithBotocoreAndTheOfficialCSignerOnTwoThousandRandomRequests) {
  std::string dir = (std::filesystem::temp_directory_path() / "verge-sigv4-XXXXXX").string();
  ASSERT_NE(::mkdtemp(dir.data()), nullptr);
  const std::string in = dir + "/cases", out = dir + "/signed";
  std::vector<Json> cases;
  {
    Generator generator;
    std::ofstream file(in);
    for (int i = 0; i < 2000; ++i) {
      cases.push_back(generator.next());
      file << cases.back().dump() << "\n";
    }
  }
  const std::string command = "/usr/bin/python3 " VERGE_SOURCE_DIR "/tests/origin/aws/sign_oracle.py " + in + " " + out;
  const int status = std::system(command.c_str());
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
    std::filesystem::remove_all(dir);
    GTEST_SKIP() << "needs the Debian packages python3-botocore and python3-awscrt";
  }
  ASSERT_EQ(status, 0) << command;
  std::ifstream file(out);
  std::string line;
  size_t asked_both = 0;
  for (const Json& c : cases) {
    ASSERT_TRUE(std::getline(file, line));
    const Json theirs = Json::parse(line);
    const std::string ours = our_authorization(c);
    EXPECT_EQ(ours, theirs["awscrt"].get<std::string>()) << c.dump();
    if (!theirs["botocore"].is_null()) {
      EXPECT_EQ(ours, theirs["botocore"].get<std::string>()) << c.dump();
      ++asked_both;
    }
    if (HasFailure()) break;
  }
  EXPECT_GT(asked_both, 1000u);
  std::filesystem::remove_all(dir);
}

} // namespace
} // namespace verge::origin::aws
