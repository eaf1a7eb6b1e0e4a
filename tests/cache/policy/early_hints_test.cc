#include "cache/policy/early_hints.h"

#include <gtest/gtest.h>

namespace verge::policy {
namespace {

std::vector<std::string> links(std::initializer_list<std::string_view> lines) {
  http::Headers headers;
  for (const auto line : lines) headers.add("link", line);
  std::vector<std::string> out;
  for (const auto link : early_links(headers)) out.emplace_back(link);
  return out;
}
using List = std::vector<std::string>;

TEST(EarlyLinks, AreThoseAClientActsOnEarly) {
  EXPECT_EQ(links({"</a>; rel=preload, </b>; rel=next, </c>;rel=\"preconnect\"", "</d>; rel=ModulePreload"}),
            (List{"</a>; rel=preload", "</c>;rel=\"preconnect\"", "</d>; rel=ModulePreload"}));
}
TEST(EarlyLinks, KnowCommasAndSemicolonsInTargetsAndQuotes) {
  EXPECT_EQ(links({"</a,b;c>; title=\"x, y; rel=next\"; rel=preload"}),
            (List{"</a,b;c>; title=\"x, y; rel=next\"; rel=preload"}));
}
TEST(EarlyLinks, TakeOneOfSeveralRelationsAndTheFirstRelAlone) {
  EXPECT_EQ(links({"</a>; rel=\"next preload\""}).size(), 1u);
  EXPECT_EQ(links({"</a>; rel=next; rel=preload"}).size(), 0u);
}
TEST(EarlyLinks, LeaveOutWhatCannotBeParsed) {
  EXPECT_EQ(links({"</a; rel=preload", "/b; rel=preload", "</c>; rel=\"preload", "</d>", ""}), List{});
}
TEST(EarlyLinks, AreBounded) {
  http::Headers headers;
  for (int n = 0; n < 100; ++n) headers.add("link", "</a>; rel=preload");
  EXPECT_EQ(early_links(headers).size(), kMostHints);
}

} // namespace
} // namespace verge::policy
