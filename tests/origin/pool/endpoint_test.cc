#include "origin/pool/endpoint.h"

#include <gtest/gtest.h>

namespace verge::origin {

TEST(ParseHttpUrl, TakesSchemeHostPortAndPrefixApart) {
  std::string prefix;
  const auto e = parse_http_url("https://API.example.com:8443/v1/users", &prefix);
  ASSERT_TRUE(e);
  EXPECT_TRUE(e->tls);
  EXPECT_EQ(e->host, "api.example.com");
  EXPECT_EQ(e->port, 8443);
  EXPECT_EQ(prefix, "/v1/users");
}

TEST(ParseHttpUrl, KnowsThePortOfEachScheme) {
  EXPECT_EQ(parse_http_url("http://a", nullptr)->port, 80);
  EXPECT_EQ(parse_http_url("HTTPS://a", nullptr)->port, 443);
}

TEST(ParseHttpUrl, GivesThePrefixWithoutASlashAtItsEnd) {
  std::string prefix = "x";
  ASSERT_TRUE(parse_http_url("http://a/", &prefix));
  EXPECT_EQ(prefix, "");
  ASSERT_TRUE(parse_http_url("http://a/b/", &prefix));
  EXPECT_EQ(prefix, "/b");
}

TEST(ParseHttpUrl, TakesAnIpv6AddressOutOfItsBrackets) {
  const auto e = parse_http_url("http://[::1]:8080", nullptr);
  ASSERT_TRUE(e);
  EXPECT_EQ(e->host, "::1");
  EXPECT_EQ(e->authority(), "[::1]:8080");
}

TEST(ParseHttpUrl, RefusesWhatCannotBeMeant) {
  for (const char* url :
       {"", "a.example", "ftp://a", "http://", "http:///x", "http://u@a", "http://u:p@a/", "http://a?b", "http://a/b?c",
        "http://a/#f", "http://a:0", "http://a:70000", "http://a:b", "http://a b/", "http://a/b c", "http://[::1"}) {
    const auto e = parse_http_url(url, nullptr);
    ASSERT_FALSE(e) << url;
    EXPECT_EQ(e.error().code, Errc::config);
    EXPECT_NE(e.error().what.find("expected https://host"), std::string::npos) << e.error().what;
  }
}

TEST(HttpEndpoint, LeavesTheSchemesOwnPortOutOfTheAuthority) {
  EXPECT_EQ((HttpEndpoint{true, "a", 443}).authority(), "a");
  EXPECT_EQ((HttpEndpoint{true, "a", 80}).authority(), "a:80");
  EXPECT_EQ((HttpEndpoint{false, "a", 80}).authority(), "a");
}

TEST(MakeClientTls, NamesTheOriginWhoseCaCannotBeRead) {
  config::Origin options;
  options.name = "api";
  options.tls_ca = "/nowhere/ca.pem";
  const auto tls = make_client_tls(options);
  ASSERT_FALSE(tls);
  EXPECT_TRUE(tls.error().what.starts_with("origins.api: ")) << tls.error().what;
  EXPECT_NE(tls.error().what.find("/nowhere/ca.pem"), std::string::npos) << tls.error().what;
}

} // namespace verge::origin
