#include "cache/policy/key_rules.h"

#include <gtest/gtest.h>

#include "cache/policy/key.h"

namespace verge::policy {
namespace {

using Mode = KeyRules::Query;

http::RequestHead asking(std::string query, std::string authority = "h") {
  http::RequestHead q;
  q.method = "GET";
  q.scheme = "http";
  q.authority = std::move(authority);
  q.path = "/p";
  q.has_query = true;
  q.query = std::move(query);
  return q;
}

KeyRules rules(Mode mode, std::initializer_list<std::string_view> names, bool sort = false) {
  KeyRules r;
  r.query = mode;
  for (const auto name : names) r.query_names.add(name);
  r.sort_query = sort;
  return r;
}

std::string key(const KeyRules& r, std::string query) { return key_of(r, asking(std::move(query))); }

TEST(KeyRules, WithoutRulesTheKeyIsTheUrlAsSent) {
  for (const char* query : {"b=1&a=2", "", "&&", "utm_source=x", "a%20b"}) {
    const auto q = asking(query);
    EXPECT_EQ(key_of({}, q), key_text(q.scheme, q.authority, q.path, true, q.query));
  }
  EXPECT_TRUE(KeyRules{}.plain());
}

TEST(KeyRules, NoneLeavesTheWholeQueryOut) {
  EXPECT_EQ(key(rules(Mode::none, {}), "a=1"), "http://h/p");
  EXPECT_EQ(key(rules(Mode::none, {}), ""), "http://h/p");
}

TEST(KeyRules, AllowKeepsOnlyWhatItNames) {
  const auto r = rules(Mode::allow, {"page", "filter_*"});
  EXPECT_EQ(key(r, "page=2&x=1&filter_a=b&filter=c"), "http://h/p?page=2&filter_a=b");
}

TEST(KeyRules, DenyKeepsAllButWhatItNames) {
  const auto r = rules(Mode::deny, {"utm_*", "gclid"});
  EXPECT_EQ(key(r, "utm_source=x&a=1&gclid=2&Gclid=3"), "http://h/p?a=1&Gclid=3");
}

TEST(KeyRules, WhenNothingIsLeftThereIsNoQuery) {
  EXPECT_EQ(key(rules(Mode::deny, {"utm_*"}), "utm_source=x"), "http://h/p");
  EXPECT_EQ(key(rules(Mode::deny, {"utm_*"}), "&&"), "http://h/p");
}

TEST(KeyRules, ANameIsComparedPercentDecodedWithItsCase) {
  const auto r = rules(Mode::deny, {"utm_source"});
  EXPECT_EQ(key(r, "utm%5Fsource=x&utm%5fsource&UTM_source=y&%"), "http://h/p?UTM_source=y&%");
}

TEST(KeyRules, AParameterEndsAtAnAmpersandOnly) {
  // An origin that also cuts at ";" still sees nothing that is not in the key: what is dropped is not forwarded.
  const auto r = rules(Mode::deny, {"utm_source"});
  auto q = asking("utm_source=x;admin=1&a=2;utm_source=3");
  EXPECT_EQ(key_of(r, q), "http://h/p?a=2;utm_source=3");
  to_keyed(r, q);
  EXPECT_EQ(q.query, "a=2;utm_source=3");
}

TEST(KeyRules, SortingKeepsTheOrderOfOneName) {
  const auto r = rules(Mode::all, {}, true);
  EXPECT_EQ(key(r, "b=1&a=2&a=1&=0&a"), "http://h/p?=0&a=2&a=1&a&b=1");
  EXPECT_NE(key(r, "a=1&a=2"), key(r, "a=2&a=1"));
  EXPECT_EQ(key(r, "b=1&a=2"), key(r, "a=2&b=1"));
}

TEST(KeyRules, TheTrackingListNamesWhatCampaignsAdd) {
  KeyRules r;
  r.query = Mode::deny;
  for (const auto name : kTrackingParameters) r.query_names.add(name);
  EXPECT_EQ(key(r, "utm_source=a&utm_id=b&gclid=c&fbclid=d&msclkid=e&mc_eid=f&ttclid=g&id=7"), "http://h/p?id=7");
}

TEST(KeyRules, TheOriginIsAskedWhatTheKeyNames) {
  auto r = rules(Mode::deny, {"utm_*"}, true);
  r.scheme = "https";
  r.host = "www.example.com";
  auto q = asking("b=1&utm_id=2&a=3", "alias.example.com:8080");
  const std::string text = key_of(r, q);
  EXPECT_EQ(text, "https://www.example.com/p?a=3&b=1");
  to_keyed(r, q);
  EXPECT_EQ(key_of({}, q), text);
}

TEST(KeyRules, ADroppedParameterIsForwardedWhereTheRouteSaysSo) {
  auto r = rules(Mode::deny, {"utm_*"});
  r.forward_dropped = true;
  auto q = asking("utm_id=2&a=3");
  EXPECT_EQ(key_of(r, q), "http://h/p?a=3");
  to_keyed(r, q);
  EXPECT_EQ(q.query, "utm_id=2&a=3");
}

TEST(KeyRules, AFieldIsInTheKeyWithItsNameAndAbsenceIsNotEmptiness) {
  KeyRules r;
  r.headers = {"x-a", "x-b"};
  auto q = asking("");
  EXPECT_EQ(key_of(r, q), "http://h/p?");
  q.headers.add("x-b", "");
  EXPECT_EQ(key_of(r, q), "http://h/p?\nheader:x-b=");
  q.headers.add("x-a", "1");
  q.headers.add("x-a", "2");
  EXPECT_EQ(key_of(r, q), "http://h/p?\nheader:x-a=1,2\nheader:x-b=");
}

TEST(KeyRules, SpellingsOfAFieldThatMeanTheSameShareAKey) {
  KeyRules r;
  r.headers = {"accept-encoding", "accept-language"};
  auto a = asking(""), b = asking("");
  a.headers.add("accept-encoding", "gzip, br");
  b.headers.add("accept-encoding", "br;q=0.9,gzip;q=1.0");
  EXPECT_EQ(key_of(r, a), key_of(r, b));
  b.headers.add("accept-language", "de");
  EXPECT_NE(key_of(r, a), key_of(r, b));
}

TEST(KeyRules, CookiesAreInTheKeyByNameWhateverTheirOrder) {
  KeyRules r;
  r.cookies_named = true;
  r.cookies.add("lang");
  r.cookies.add("ab_*");
  auto a = asking(""), b = asking("");
  a.headers.add("cookie", "session=1; lang=de;ab_x=2; lang");
  b.headers.add("cookie", "ab_x=2; lang=de");
  b.headers.add("cookie", "lang; other=9");
  EXPECT_EQ(key_of(r, a), "http://h/p?\ncookie:ab_x=2\ncookie:lang=de\ncookie:lang");
  EXPECT_EQ(key_of(r, a), key_of(r, b));
}

TEST(KeyRules, CookiesThatAreNotInTheKeyAreNotForwarded) {
  KeyRules r;
  r.cookies_named = true;
  r.cookies.add("lang");
  http::Headers h;
  h.add("cookie", "session=1; lang=de; x=y");
  drop_unkeyed_cookies(r, h);
  EXPECT_EQ(h.joined("cookie"), "lang=de");
  h.set("cookie", "session=1");
  drop_unkeyed_cookies(r, h);
  EXPECT_FALSE(h.has("cookie"));
  h.add("cookie", "a=b");
  drop_unkeyed_cookies({}, h);
  EXPECT_TRUE(h.has("cookie"));
}

TEST(KeyRules, WhatIsBehindTheUrlChangesNeitherHostNorPath) {
  KeyRules r;
  r.headers = {"x-a"};
  auto q = asking("q=1", "h:8080");
  q.headers.add("x-a", "http://other/");
  const std::string text = key_of(r, q);
  const auto parts = key_parts(text);
  EXPECT_EQ(parts.host, "h");
  EXPECT_EQ(parts.path_and_query, "/p?q=1");
}

TEST(KeyRules, AUrlIsBroughtToTheFormOfItsKey) {
  auto r = rules(Mode::deny, {"utm_*"}, true);
  std::string host = "h", path = "/p?utm_source=x&b=1&a=2";
  to_key_url(r, host, path);
  EXPECT_EQ(path, "/p?a=2&b=1");
  EXPECT_EQ(host, "h");
  r.host = "www.example.com";
  path = "/p?utm_source=x";
  to_key_url(r, host, path);
  EXPECT_EQ(path, "/p");
  EXPECT_EQ(host, "www.example.com");
}

} // namespace
} // namespace verge::policy
