#include "proxy/pipeline/route_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "proxy/base/glob.h"

namespace verge::pipeline {
namespace {

RouteTable table_of(const std::vector<std::string>& matches) {
  RouteTable table;
  for (const auto& m : matches) table.add(m);
  return table;
}

TEST(RouteTable, TheFirstRouteWinsBeItExactAPrefixOrAGlob) {
  const auto table = table_of({"/api/*/open", "/api/status", "/api/*", "/api/status", "/api/late", "/*.css", "/*"});
  EXPECT_EQ(table.first("/api/v1/open"), 0U);
  EXPECT_EQ(table.first("/api/status"), 1U);
  EXPECT_EQ(table.first("/api/late"), 2U); // the prefix stands before it
  EXPECT_EQ(table.first("/a/b.css"), 5U);
  EXPECT_EQ(table.first("/"), 6U);
}

TEST(RouteTable, SaysNoneWhereNoRouteMatches) {
  EXPECT_EQ(table_of({}).first("/"), std::nullopt);
  EXPECT_EQ(table_of({"/api/*", "/x"}).first("/ap"), std::nullopt);
}

TEST(RouteTable, APrefixCoversItsOwnBeginningAsAGlobDoes) { EXPECT_EQ(table_of({"/api/*"}).first("/api/"), 0U); }

// Against the plain rule: try one after the other.
TEST(RouteTable, FindsWhatTryingEveryRouteInTurnFinds) {
  std::mt19937 random{20261121}; // NOLINT: repeatable on purpose
  const auto text = [&](size_t most, std::string_view alphabet) {
    std::string out = "/";
    for (size_t n = random() % most; n > 0; --n) out.push_back(alphabet[random() % alphabet.size()]);
    return out;
  };
  size_t found = 0;
  for (int round = 0; round < 400; ++round) {
    std::vector<std::string> matches;
    for (size_t n = random() % 12; n > 0; --n) matches.push_back(text(6, "ab/**"));
    const auto table = table_of(matches);
    for (int i = 0; i < 50; ++i) {
      const auto path = text(8, "ab/");
      const auto it = std::ranges::find_if(matches, [&](const auto& m) { return glob_match(m, path); });
      const auto expected = it == matches.end() ? std::nullopt : std::optional<size_t>(it - matches.begin());
      ASSERT_EQ(table.first(path), expected) << path << " of " << ::testing::PrintToString(matches);
      found += expected ? 1 : 0;
    }
  }
  EXPECT_GT(found, 5000U);
}

} // namespace
} // namespace verge::pipeline
