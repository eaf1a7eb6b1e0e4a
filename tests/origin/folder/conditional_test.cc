#include "origin/folder/conditional.h"

#include <gtest/gtest.h>

namespace verge::origin {

namespace {

const std::chrono::sys_seconds kModified(std::chrono::seconds(784'111'777)); // the RFC's own example

bool holds(std::initializer_list<http::Field> fields) {
  http::Headers headers;
  for (const http::Field f : fields) headers.add(f.name, f.value);
  return not_modified(headers, "\"v1\"", kModified);
}

} // namespace

TEST(HttpDate, IsWrittenAsRfc9110Says) {
  EXPECT_EQ(http_date(kModified), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(http_date(std::chrono::sys_seconds(std::chrono::seconds(1'709'164'799))), "Wed, 28 Feb 2024 23:59:59 GMT");
}

TEST(HttpDate, IsReadBack) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), kModified);
  EXPECT_EQ(parse_http_date("Thu, 29 Feb 2024 00:00:00 GMT"),
            std::chrono::sys_seconds(std::chrono::seconds(1'709'164'800)));
}

TEST(HttpDate, IsNoneForAnyOtherForm) {
  for (const char* text :
       {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 0x Nov 1994 08:49:37 GMT"}) {
    EXPECT_EQ(parse_http_date(text), std::nullopt) << text;
  }
}

TEST(NotModified, HoldsForOurTagStrongOrWeakAndAnywhereInTheList) {
  EXPECT_TRUE(holds({{"if-none-match", "\"v1\""}}));
  EXPECT_TRUE(holds({{"if-none-match", "W/\"v1\""}}));
  EXPECT_TRUE(holds({{"if-none-match", "\"v0\", \"v1\""}}));
  EXPECT_TRUE(holds({{"if-none-match", "\"v0\""}, {"if-none-match", "\"v1\""}}));
  EXPECT_TRUE(holds({{"if-none-match", "*"}}));
}

TEST(NotModified, DoesNotHoldForAnotherTag) { EXPECT_FALSE(holds({{"if-none-match", "\"v2\""}})); }

TEST(NotModified, LooksAtTheDateOnlyWithoutATag) {
  EXPECT_TRUE(holds({{"if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT"}}));
  EXPECT_TRUE(holds({{"if-modified-since", "Sun, 06 Nov 1994 08:49:38 GMT"}}));
  EXPECT_FALSE(holds({{"if-modified-since", "Sun, 06 Nov 1994 08:49:36 GMT"}}));
  EXPECT_FALSE(holds({{"if-none-match", "\"v2\""}, {"if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT"}}));
}

TEST(NotModified, IgnoresADateThatCannotBeRead) { EXPECT_FALSE(holds({{"if-modified-since", "yesterday"}})); }

TEST(NotModified, DoesNotHoldWithoutAnyCondition) { EXPECT_FALSE(holds({})); }

} // namespace verge::origin
