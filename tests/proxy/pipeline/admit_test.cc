#include "proxy/pipeline/admit.h"

#include <gtest/gtest.h>

namespace verge::pipeline {
namespace {

using namespace std::chrono_literals;
using policy::StoreVerdict;

const WallTime kSent{1'800'000'000'000ms}, kCame{1'800'000'000'500ms};
constexpr const char* kKey = "https://h/a";

http::RequestHead get() {
  http::RequestHead q;
  q.method = "GET";
  q.path = "/a";
  return q;
}

http::ResponseHead fresh(uint64_t length = 5) {
  http::ResponseHead r;
  r.status = 200;
  r.headers.add("cache-control", "max-age=60");
  r.headers.add("date", "Fri, 15 Jan 2027 08:00:00 GMT");
  r.content_length = length;
  return r;
}

TEST(Admit, StoresAFreshAnswerWithoutItsAge) {
  auto response = fresh();
  response.headers.add("age", "10");
  const auto a = admit(get(), std::move(response), kKey, 7, kSent, kCame, {});
  EXPECT_EQ(a.verdict, StoreVerdict::store);
  EXPECT_EQ(a.head->seq, 7u);
  EXPECT_EQ(a.head->content_length, 5u);
  EXPECT_FALSE(a.head->headers.has("age"));
  EXPECT_GE(a.head->freshness.initial_age, 10s);
  EXPECT_NE(a.head->h1_text.find("cache-control: max-age=60\r\n"), std::string::npos);
}

TEST(Admit, KeepsTheAgeOfAnAnswerThatPasses) {
  auto response = fresh();
  response.headers.set("cache-control", "private");
  response.headers.add("age", "10");
  const auto a = admit(get(), std::move(response), kKey, 1, kSent, kCame, {});
  EXPECT_EQ(a.verdict, StoreVerdict::private_response);
  EXPECT_EQ(a.head->headers.get("age"), "10");
}

TEST(Admit, AddsADateWhereTheOriginGaveNone) {
  auto response = fresh();
  response.headers.remove("date");
  const auto a = admit(get(), std::move(response), kKey, 1, kSent, kCame, {});
  EXPECT_EQ(a.head->headers.get("date"), "Fri, 15 Jan 2027 08:00:00 GMT");
}

TEST(Admit, RemembersWhatItVariesOn) {
  auto request = get();
  request.headers.add("x-lang", "de");
  auto response = fresh();
  response.headers.add("vary", "X-Lang");
  const auto a = admit(request, std::move(response), kKey, 1, kSent, kCame, {});
  EXPECT_EQ(a.head->vary_fields, std::vector<std::string>{"x-lang"});
  EXPECT_NE(a.head->vary_values.find("de"), std::string::npos);
}

TEST(Admit, DoesNotStoreWithoutAKeyOrAboveTheLimit) {
  EXPECT_NE(admit(get(), fresh(), "", 1, kSent, kCame, {}).verdict, StoreVerdict::store);
  policy::Rules rules;
  rules.max_object = 4;
  EXPECT_EQ(admit(get(), fresh(5), kKey, 1, kSent, kCame, rules).verdict, StoreVerdict::too_large);
}

TEST(Admit, AHeadResponseHasNoBodyLength) {
  auto request = get();
  request.method = "HEAD";
  EXPECT_FALSE(admit(request, fresh(), "", 1, kSent, kCame, {}).head->content_length.has_value());
}

TEST(Freshen, TakesTheFieldsOfThe304AndKeepsTheBodysLength) {
  const auto stored = admit(get(), fresh(), kKey, 1, kSent, kCame, {}).head;
  http::ResponseHead not_modified;
  not_modified.status = 304;
  not_modified.headers.add("cache-control", "max-age=600");
  not_modified.headers.add("x-new", "y");
  const auto out = freshen(*stored, not_modified, 9, kSent + 1h, kCame + 1h, {});
  EXPECT_EQ(out->freshness.lifetime, 600s);
  EXPECT_LT(out->freshness.initial_age, 2s); // without a Date of its own the 304 was made just now
  EXPECT_EQ(out->headers.get("x-new"), "y");
  EXPECT_EQ(out->content_length, 5u);
  EXPECT_EQ(out->seq, 9u);
  EXPECT_NE(out->h1_text.find("x-new: y\r\n"), std::string::npos);
}

TEST(Freshen, CountsTheAgeThatThe304CameWith) {
  const auto stored = admit(get(), fresh(), kKey, 1, kSent, kCame, {}).head;
  http::ResponseHead not_modified;
  not_modified.status = 304;
  not_modified.headers.add("age", "30");
  const auto out = freshen(*stored, not_modified, 9, kSent + 1h, kCame + 1h, {});
  EXPECT_GE(out->freshness.initial_age, 30s);
  EXPECT_FALSE(out->headers.has("age"));
}

TEST(Admit, KeepsWhatSpokeToUsApartFromWhatIsServed) {
  auto response = fresh();
  response.headers.add("surrogate-key", "A b");
  response.headers.add("surrogate-control", "max-age=600");
  response.headers.add("cache-groups", "\"G\"");
  const auto a = admit(get(), std::move(response), kKey, 1, kSent, kCame, {});
  EXPECT_EQ(a.verdict, StoreVerdict::store);
  EXPECT_EQ(a.head->freshness.lifetime, 600s);
  EXPECT_EQ(a.head->tags, (std::vector<std::string>{"a", "b", "https://h G"}));
  EXPECT_FALSE(a.head->headers.has("surrogate-key") || a.head->headers.has("surrogate-control"));
  EXPECT_EQ(a.head->h1_text.find("surrogate"), std::string::npos);
  EXPECT_EQ(a.head->control.size(), 2u);
  EXPECT_TRUE(a.head->headers.has("cache-groups"));
}

TEST(Admit, AnAnswerThatPassesIsStrippedToo) {
  auto response = fresh();
  response.headers.add("cache-tag", "a");
  response.headers.add("verge-cache-control", "no-store");
  response.headers.add("warning", "110 - \"x\"");
  const auto a = admit(get(), std::move(response), kKey, 1, kSent, kCame, {});
  EXPECT_EQ(a.verdict, StoreVerdict::no_store);
  EXPECT_FALSE(a.head->headers.has("cache-tag") || a.head->headers.has("verge-cache-control") ||
               a.head->headers.has("warning"));
}

TEST(Admit, FieldsForTheOneWhoAskedAreNotStored) {
  auto response = fresh();
  response.headers.set("cache-control", "max-age=60, private=\"set-cookie\"");
  response.headers.add("set-cookie", "a=1");
  const auto a = admit(get(), std::move(response), kKey, 1, kSent, kCame, {});
  EXPECT_EQ(a.verdict, StoreVerdict::store);
  EXPECT_FALSE(a.head->headers.has("set-cookie"));
  EXPECT_EQ(a.first_only.get("set-cookie"), "a=1");
}

TEST(Admit, WhatMayNotBeStoredPassesWithItsFieldsAndADate) {
  http::ResponseHead response;
  response.status = 200;
  response.headers.add("cache-control", "no-store");
  response.headers.add("surrogate-key", "a");
  response.content_length = 5;
  const auto a = admit(get(), std::move(response), kKey, 7, kSent, kCame, {});
  EXPECT_EQ(a.verdict, StoreVerdict::no_store);
  EXPECT_EQ(a.head->headers.get("cache-control"), "no-store");
  EXPECT_FALSE(a.head->headers.has("surrogate-key"));
  EXPECT_EQ(a.head->headers.get("date"), "Fri, 15 Jan 2027 08:00:00 GMT");
  EXPECT_EQ(a.head->content_length, 5u);
}

TEST(Freshen, WhatTheStripTookStillCounts) {
  auto response = fresh();
  response.headers.add("surrogate-key", "a");
  response.headers.add("surrogate-control", "max-age=600");
  response.headers.add("cache-groups", "\"g\"");
  const auto stored = admit(get(), std::move(response), kKey, 1, kSent, kCame, {}).head;
  http::ResponseHead not_modified;
  not_modified.status = 304;
  const auto same = freshen(*stored, not_modified, 9, kSent + 1h, kCame + 1h, {});
  EXPECT_EQ(same->freshness.lifetime, 600s);
  EXPECT_EQ(same->tags, (std::vector<std::string>{"a", "https://h g"}));
  EXPECT_EQ(same->control.size(), 2u);
  EXPECT_FALSE(same->headers.has("surrogate-key"));

  not_modified.headers.add("surrogate-key", "b");
  not_modified.headers.add("surrogate-control", "max-age=5");
  const auto changed = freshen(*same, not_modified, 10, kSent + 2h, kCame + 2h, {});
  EXPECT_EQ(changed->freshness.lifetime, 5s);
  EXPECT_EQ(changed->tags, (std::vector<std::string>{"b", "https://h g"}));
  EXPECT_EQ(changed->control.get("surrogate-key"), "b");
  EXPECT_EQ(changed->h1_text.find("surrogate"), std::string::npos);
}

} // namespace
} // namespace verge::pipeline
