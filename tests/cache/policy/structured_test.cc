#include "cache/policy/structured.h"

#include <gtest/gtest.h>

namespace verge::policy {
namespace {

bool list(std::string_view value, std::vector<Item>& out) {
  out.clear();
  return read_list(value, [&](const Item& item) { out.push_back(item); });
}

TEST(StructuredList, HasItemsOfAllTypes) {
  std::vector<Item> items;
  ASSERT_TRUE(list("1, \"two\\\"\", three, ?0, (\"a\" 4);p, :aGk=:, 1.5, @5", items));
  ASSERT_EQ(items.size(), 8u);
  EXPECT_EQ(items[0].number, 1);
  EXPECT_EQ(items[1].text, "two\"");
  EXPECT_EQ(items[1].kind, Item::Kind::string);
  EXPECT_EQ(items[2].kind, Item::Kind::other);
  EXPECT_EQ(items[3].kind, Item::Kind::boolean);
  EXPECT_FALSE(items[3].truth);
  EXPECT_EQ(items[4].kind, Item::Kind::list);
  ASSERT_EQ(items[4].items.size(), 2u);
  EXPECT_EQ(items[4].items[0].text, "a");
}

TEST(StructuredList, AnEmptyOneIsValid) {
  std::vector<Item> items;
  EXPECT_TRUE(list("", items));
  EXPECT_TRUE(list("  ", items));
  EXPECT_TRUE(items.empty());
}

TEST(StructuredList, WhatBreaksTheGrammarFailsAsAWhole) {
  std::vector<Item> items;
  for (const std::string_view value : {",", "1,", "1 2", "\"a", "a=1", "(1", "1,,2", "\t1", "-", "é"}) {
    EXPECT_FALSE(list(value, items)) << value;
  }
}

TEST(StructuredDictionary, AKeyAloneIsTrue) {
  bool seen = false;
  EXPECT_TRUE(read_dictionary("a;x, b=(\"c\")", [&](std::string_view key, const Item& item) {
    if (key == "a") seen = item.kind == Item::Kind::boolean && item.truth;
    if (key == "b") {
      EXPECT_EQ(item.items.size(), 1u);
    }
  }));
  EXPECT_TRUE(seen);
}

} // namespace
} // namespace verge::policy
