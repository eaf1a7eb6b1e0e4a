#include "proxy/pipeline/remarks.h"

#include <gtest/gtest.h>

#include <vector>

namespace verge::pipeline {
namespace {

TEST(Remarks, EachAnswerSaysItsOwnWhateverTheOneBeforeSaid) {
  std::vector<policy::CacheStatus> all;
  for (const auto forward : {policy::Forward::uri_miss, policy::Forward::method, policy::Forward::none}) {
    for (const std::string_view detail : {"", "no-store", "no_store", "a word"}) {
      for (const bool flag : {false, true}) {
        policy::CacheStatus s;
        s.forward = forward;
        s.hit = forward == policy::Forward::none;
        s.forward_status = flag ? 200 : 404;
        s.collapsed = flag;
        s.detail = detail;
        all.push_back(s);
        s.stored = true;
        all.push_back(s);
        s.ttl = Seconds(flag ? 5 : 60);
        all.push_back(s);
        s.ttl.reset();
        s.key = "https://a.example/";
        all.push_back(s);
      }
    }
  }
  for (size_t step = 1; step < all.size(); step += 7) { // so that each comes after many others
    for (size_t i = 0; i < all.size(); ++i) {
      const auto& status = all[i * step % all.size()];
      for (int twice = 0; twice < 2; ++twice) {
        http::Headers out;
        add_cache_status(out, status);
        ASSERT_EQ(out.get("cache-status"), policy::format(status, "verge"));
      }
    }
  }
}

TEST(Remarks, WhatIsSaidDoesNotHangOnTheTextItWasGiven) {
  std::string detail = "set-cookie";
  policy::CacheStatus status;
  status.forward = policy::Forward::uri_miss;
  status.detail = detail;
  http::Headers first, second;
  add_cache_status(first, status);
  detail = "no-storing";
  add_cache_status(second, status);
  EXPECT_EQ(first.get("cache-status"), "verge; fwd=uri-miss; detail=set-cookie");
  EXPECT_EQ(second.get("cache-status"), "verge; fwd=uri-miss; detail=no-storing");
}

} // namespace
} // namespace verge::pipeline
