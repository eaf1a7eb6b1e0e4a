#include "cache/policy/reference.h"

#include <gtest/gtest.h>

namespace verge::policy {
namespace {

http::RequestHead request() {
  http::RequestHead q;
  q.method = "POST";
  q.scheme = "https";
  q.authority = "www.example.com";
  q.path = "/api/items/7";
  return q;
}

TEST(SameOriginKey, TakesEveryFormOfReferenceToTheSameOrigin) {
  const auto q = request();
  for (const char* reference : {"https://www.example.com/api/items/8?x=1", "HTTPS://WWW.EXAMPLE.COM/api/items/8?x=1",
                                "https://www.example.com:443/api/items/8?x=1", "//www.example.com/api/items/8?x=1",
                                "/api/items/8?x=1", "8?x=1", "./8?x=1", "../items/8?x=1#part"}) {
    EXPECT_EQ(same_origin_key(q, reference), "https://www.example.com/api/items/8?x=1") << reference;
  }
  EXPECT_EQ(same_origin_key(q, "https://www.example.com"), "https://www.example.com/");
  EXPECT_EQ(same_origin_key(q, "?y"), "https://www.example.com/api/items/7?y");
}

TEST(SameOriginKey, NothingButAFragmentIsTheRequestsOwnUri) {
  auto q = request();
  q.has_query = true;
  q.query = "x=1";
  EXPECT_EQ(same_origin_key(q, "#part"), "https://www.example.com/api/items/7?x=1");
  EXPECT_EQ(same_origin_key(q, ""), "https://www.example.com/api/items/7?x=1");
  EXPECT_EQ(same_origin_key(q, "?"), "https://www.example.com/api/items/7?");
}

TEST(SameOriginKey, RefusesOtherOriginsBecauseTheyCouldBeEmptiedByAnyone) {
  for (const char* reference : {"http://www.example.com/a", "https://example.com/a", "https://www.example.com:8443/a",
                                "//evil.example/a", "https://www.example.com@evil.example/a"}) {
    EXPECT_FALSE(same_origin_key(request(), reference)) << reference;
  }
}

TEST(SameOriginKey, RefusesWhatIsNoHttpReference) {
  for (const char* reference : {"mailto:a@b", "javascript:alert(1)", "https:/a", "/%zz", "/../../a", "https:///a"}) {
    EXPECT_FALSE(same_origin_key(request(), reference)) << reference;
  }
}

} // namespace
} // namespace verge::policy
