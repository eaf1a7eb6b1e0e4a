#include "proxy/http/headers.h"

#include <gtest/gtest.h>

namespace verge::http {
namespace {

std::string text_of(const Headers& h) {
  std::string out;
  for (const Field f : h) out.append(f.name).append("=").append(f.value).append(";");
  return out;
}

TEST(Headers, KeepOrderAndLowerTheNames) {
  Headers h;
  h.add("Content-Type", "Text/HTML");
  h.add("X-A", "1");
  h.add("x-a", "2");
  EXPECT_EQ(text_of(h), "content-type=Text/HTML;x-a=1;x-a=2;");
  EXPECT_EQ(h.get("x-a"), "1");
  EXPECT_EQ(h.count("x-a"), 2u);
  EXPECT_EQ(h.joined("x-a"), "1, 2");
  EXPECT_EQ(h.joined("x-b"), "");
  EXPECT_FALSE(h.has("x-b"));
}

TEST(Headers, SetReplacesAllLinesInTheFirstOnesPlace) {
  Headers h;
  h.add("a", "1");
  h.add("b", "2");
  h.add("a", "3");
  h.set("A", "4");
  EXPECT_EQ(text_of(h), "a=4;b=2;");
  h.set("c", "5");
  EXPECT_EQ(text_of(h), "a=4;b=2;c=5;");
}

TEST(Headers, RemoveTellsHowManyLinesThereWere) {
  Headers h;
  h.add("a", "1");
  h.add("b", "2");
  h.add("a", "3");
  EXPECT_EQ(h.remove("a"), 2u);
  EXPECT_EQ(h.remove("a"), 0u);
  EXPECT_EQ(text_of(h), "b=2;");
  EXPECT_EQ(h.bytes(), 2u);
}

TEST(Headers, TakeViewsIntoThemselvesAsArguments) {
  Headers h;
  h.add("name", "some value that is long enough to lie on the heap");
  for (int i = 0; i < 50; ++i) h.add(h.at(0).name, h.at(0).value);
  h.set(h.at(3).name, h.at(7).value);
  EXPECT_EQ(text_of(h), "name=some value that is long enough to lie on the heap;");
}

TEST(Headers, KnowWhetherTheyHaveAnyOfSomeNames) {
  constexpr Headers::Names<2> kNames({"range", "if-range"});
  Headers h;
  EXPECT_FALSE(h.has_any(kNames));
  for (char a = 'a'; a <= 'z'; ++a) h.add(std::string("r") + a + "nge", "1"); // some look like it: "range" is one
  EXPECT_TRUE(h.has_any(kNames));
  h.remove("range");
  EXPECT_FALSE(h.has_any(kNames));
  h.add("If-Range", "");
  EXPECT_TRUE(h.has_any(kNames));
}

TEST(Headers, AnEmptyValueIsNotAMissingField) {
  Headers h;
  h.add("a", "");
  ASSERT_TRUE(h.get("a").has_value());
  EXPECT_EQ(*h.get("a"), "");
}

TEST(Headers, CopiesAreIndependent) {
  Headers h;
  h.add("a", "1");
  const Headers copy = h;
  h.set("a", "2");
  h.clear();
  EXPECT_TRUE(h.empty());
  EXPECT_EQ(copy.get("a"), "1");
}

} // namespace
} // namespace verge::http
