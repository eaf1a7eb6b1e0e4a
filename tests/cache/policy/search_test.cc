#include "cache/policy/search.h"

#include <gtest/gtest.h>

#include "tests/cache/policy/values.h"

namespace verge::policy {
namespace {

std::optional<SearchRule> rule(std::string_view value) { return search_rule(headers_of({{"no-vary-search", value}})); }

bool same(std::string_view value, std::string_view a, std::string_view b) {
  const auto r = rule(value);
  EXPECT_TRUE(r.has_value()) << value;
  const std::string url = "https://h/p";
  return r && search_key(url + std::string(a), *r) == search_key(url + std::string(b), *r);
}

TEST(SearchRule, SaysNothingWithoutTheField) {
  EXPECT_EQ(search_rule(headers_of({})), std::nullopt);
  for (const char* v : {"", "key-order=?0", "params=?0", "params=()", "key-order=?0, params=()"}) {
    EXPECT_EQ(rule(v), std::nullopt) << v;
  }
}

TEST(SearchRule, IsReadAsADictionary) {
  EXPECT_EQ(rule("key-order"), (SearchRule{true, false, {}}));
  EXPECT_EQ(rule("params"), (SearchRule{false, true, {}}));
  EXPECT_EQ(rule("params=(\"b\" \"a\" \"b\")"), (SearchRule{false, false, {"a", "b"}}));
  EXPECT_EQ(rule("key-order, params, except=(\"id\")"), (SearchRule{true, true, {"id"}}));
  EXPECT_EQ(rule("params=(\"a%20b\" \"c+d\")"), (SearchRule{false, false, {"a b", "c d"}}));
  EXPECT_EQ(rule("key-order;x=1"), (SearchRule{true, false, {}})) << "parameters mean nothing";
  EXPECT_EQ(rule("key-order=?0, key-order"), (SearchRule{true, false, {}})) << "of doubles the last counts";
  EXPECT_EQ(search_rule(headers_of({{"no-vary-search", "key-order"}, {"no-vary-search", "params=(\"a\")"}})),
            (SearchRule{true, false, {"a"}}));
}

TEST(SearchRule, IsIgnoredWhenAnythingInItIsWrong) {
  for (const char* v : {"key-order, &&&", "key-order=1", "key-order=\"x\"", "params=\"a\"", "params=a", "params=(a b)",
                        "params=(\"a\" 1)", "params=(\"a\"", "except=(\"a\")", "params=(\"a\"), except=(\"b\")",
                        "params, except=\"a\"", "params, except=(a)", "params, except", "params=?0, except=(\"a\")",
                        "key-order, later=?1", "Params", "params,"}) {
    EXPECT_EQ(rule(v), std::nullopt) << v;
  }
  std::string many = "params=(";
  for (size_t i = 0; i <= kMostSearchNames; ++i) many += "\"p" + std::to_string(i) + "\" ";
  EXPECT_EQ(rule(many + ")"), std::nullopt);
}

TEST(SearchKey, NamedParametersMeanNothing) {
  const char* v = "params=(\"utm_source\" \"gclid\")";
  EXPECT_TRUE(same(v, "?id=1&utm_source=x", "?gclid=9&id=1"));
  EXPECT_TRUE(same(v, "?utm_source=x", ""));
  EXPECT_TRUE(same(v, "?utm%5Fsource=x&id=1", "?id=1"));
  EXPECT_FALSE(same(v, "?id=1&utm_source=x", "?id=2&utm_source=x"));
  EXPECT_FALSE(same(v, "?a=1&b=2", "?b=2&a=1")) << "the order still counts";
  EXPECT_FALSE(same(v, "?utm_source2=x", ""));
  EXPECT_FALSE(same(v, "?UTM_SOURCE=x", ""));
}

TEST(SearchKey, AllButTheExceptedMayBeIgnored) {
  EXPECT_TRUE(same("params", "?a=1&b=2", "?c"));
  EXPECT_TRUE(same("params, except=(\"id\")", "?a=1&id=2", "?id=2&z"));
  EXPECT_FALSE(same("params, except=(\"id\")", "?id=1", "?id=2"));
  EXPECT_FALSE(same("params, except=(\"id\")", "?id=1", ""));
  EXPECT_FALSE(same("params, except=(\"id\")", "?id=1&id=2", "?id=2&id=1"));
}

TEST(SearchKey, TheOrderOfDifferentNamesMayMeanNothing) {
  EXPECT_TRUE(same("key-order", "?b=1&a=2", "?a=2&b=1"));
  EXPECT_FALSE(same("key-order", "?a=1&a=2", "?a=2&a=1")) << "values of one name keep theirs";
  EXPECT_TRUE(same("key-order", "?b=0&a=1&a=2", "?a=1&b=0&a=2"));
  EXPECT_FALSE(same("key-order", "?a=1", "?a=2"));
}

TEST(SearchKey, ParametersAreComparedDecoded) {
  EXPECT_TRUE(same("key-order", "?a=%41+b&&c", "?c=&a=A%20b"));
  EXPECT_FALSE(same("key-order", "?a=1%262=3", "?a=1&2=3"));
  EXPECT_FALSE(same("key-order", "?a%3D=1", "?a==1"));
  EXPECT_TRUE(same("key-order", "?a=%", "?a=%25"));
  EXPECT_TRUE(same("key-order", "?a=%4", "?a=%254"));
}

TEST(SearchKey, RulesAndOtherPartsAreKeptApart) {
  const auto one = *rule("key-order"), other = *rule("key-order, params=(\"x\")");
  EXPECT_NE(search_key("https://h/p?a=1", one), search_key("https://h/p?a=1", other));
  EXPECT_EQ(search_key("https://h/p?b=1&a=2\nslice=3", one), search_key("https://h/p?a=2&b=1\nslice=3", one));
  EXPECT_NE(search_key("https://h/p?a=1\nslice=3", one), search_key("https://h/p?a=1", one));
  EXPECT_NE(search_key("https://h/p?a=1", one), search_key("https://h/q?a=1", one));
  EXPECT_NE(*rule("params, except=(\"a\")"), *rule("params=(\"a\")"));
  EXPECT_NE(search_key("https://h/p", *rule("params, except=(\"a\")")),
            search_key("https://h/p", *rule("params=(\"a\")")));
}

TEST(AnswersUrl, OnlyItsOwnUrlOrThoseItsRuleCallsEquivalent) {
  const auto response = headers_of({{"no-vary-search", "params=(\"u\")"}});
  const std::string filed = search_key("https://h/p?id=1&u=2", *search_rule(response));
  EXPECT_TRUE(answers_url(filed, true, response, "https://h/p?u=3&id=1"));
  EXPECT_FALSE(answers_url(filed, true, response, "https://h/p?id=2"));
  EXPECT_TRUE(answers_url("https://h/p?id=1", false, {}, "https://h/p?id=1\nheader:x=1"));
  EXPECT_FALSE(answers_url("https://h/p?id=1", false, {}, "https://h/p?id=1&u=2"));
}

} // namespace
} // namespace verge::policy
