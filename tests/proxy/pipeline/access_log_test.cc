#include "proxy/pipeline/access_log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

namespace verge::pipeline {
namespace {

http::RequestHead request() {
  http::RequestHead q;
  q.method = "GET";
  q.scheme = "https";
  q.authority = "h";
  q.path = "/a";
  q.query = "token=secret&x=1&flag";
  q.has_query = true;
  q.version = http::Version::http2;
  q.headers.add("user-agent", "a\"b\\c\x01\xff");
  q.headers.add("referer", "https://r/p?code=secret");
  q.headers.add("cookie", "session=secret");
  q.headers.add("authorization", "Bearer secret");
  return q;
}

AccessRecord record(const http::RequestHead& q) {
  AccessRecord r;
  r.time = WallTime(std::chrono::milliseconds(1'800'000'000'123));
  r.remote = "192.0.2.1";
  r.request_id = "id";
  r.request = &q;
  r.status = 200;
  r.bytes_sent = 5;
  r.micros = 1'500;
  r.cache = CacheResult::hit;
  return r;
}

TEST(AccessLog, JsonLinesAreJsonWhateverTheClientSends) {
  const auto q = request();
  const auto line = format_json(record(q));
  ASSERT_EQ(line.back(), '\n');
  const auto json = nlohmann::json::parse(line, nullptr, false);
  ASSERT_FALSE(json.is_discarded()) << line;
  EXPECT_EQ(json["time"], "2027-01-15T08:00:00.123Z");
  EXPECT_EQ(json["status"], 200);
  EXPECT_EQ(json["request_time"], 0.0015);
  EXPECT_EQ(json["protocol"], "HTTP/2.0");
  EXPECT_EQ(json["cache"], "hit");
}

TEST(AccessLog, NamesQueryParametersButNotTheirValues) {
  const auto q = request();
  EXPECT_EQ(nlohmann::json::parse(format_json(record(q)))["uri"], "/a?token=*&x=*&flag");
}

TEST(AccessLog, HoldsNoSecretOfTheRequest) {
  const auto q = request();
  EXPECT_EQ(format_json(record(q)).find("secret"), std::string::npos);
  EXPECT_EQ(format_combined(record(q)).find("secret"), std::string::npos);
}

TEST(AccessLog, CombinedIsWhatApacheAndNginxWrite) {
  auto q = request();
  q.headers.set("user-agent", "curl/8");
  EXPECT_EQ(format_combined(record(q)),
            "192.0.2.1 - - [15/Jan/2027:08:00:00 +0000] \"GET /a?token=*&x=*&flag HTTP/2.0\" 200 5 \"https://r/p\" "
            "\"curl/8\"\n");
}

TEST(AccessLog, SaysWhenTheClientDidNotGetAll) {
  const auto q = request();
  auto r = record(q);
  r.complete = false;
  EXPECT_EQ(nlohmann::json::parse(format_json(r))["complete"], false);
}

TEST(AccessLog, WritesWhatIsWaitingWhenItEnds) {
  char path[] = "/tmp/verge-access-XXXXXX";
  ::close(::mkstemp(path));
  {
    auto log = AccessLog::open({path, config::LogFormat::json});
    ASSERT_TRUE(log);
    const auto q = request();
    for (int i = 0; i < 1000; ++i) (*log)->write(record(q));
  }
  std::ifstream file(path);
  int lines = 0;
  for (std::string line; std::getline(file, line);) ++lines;
  EXPECT_EQ(lines, 1000);
  std::remove(path);
}

TEST(AccessLog, AFileThatCannotBeOpenedIsAnErrorOfTheConfiguration) {
  const auto log = AccessLog::open({"/nonexistent/dir/access.log", config::LogFormat::json});
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, Errc::config);
  EXPECT_NE(log.error().what.find("/nonexistent/dir/access.log"), std::string::npos);
}

} // namespace
} // namespace verge::pipeline
