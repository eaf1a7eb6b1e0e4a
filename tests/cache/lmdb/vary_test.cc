#include "cache/policy/vary.h"

#include <gtest/gtest.h>

#include "tests/cache/lmdb/disk_support.h"

namespace verge::cache {
namespace {

using testing::DiskTest;
using testing::head_for;
using testing::HeadSpec;

class DiskVaryTest : public DiskTest {
 protected:
  static http::Headers request(std::string_view name, std::string_view value) {
    http::Headers h;
    h.add(name, value);
    return h;
  }
  void put_variant(const std::vector<std::string>& fields, const http::Headers& of, std::string_view body,
                   Seconds received = Seconds(1'000)) {
    put("https://www.example.com/v", body,
        {.vary_fields = fields, .vary_values = policy::vary_key(fields, of), .received = received});
  }
  std::string get_variant(const http::Headers& of) { return get("https://www.example.com/v", of); }
};

TEST_F(DiskVaryTest, EachRequestFindsTheVariantItSelects) {
  open();
  put_variant({"x-a"}, request("x-a", "1"), "one");
  put_variant({"x-a"}, request("x-a", "2"), "two");
  put_variant({"x-a"}, {}, "absent");
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(get_variant(request("x-a", "1")), "one");
    EXPECT_EQ(get_variant(request("x-a", "2")), "two");
    EXPECT_EQ(get_variant({}), "absent");
    EXPECT_EQ(disk->stats().entries, 3U);
    open();
  }
}

TEST_F(DiskVaryTest, ARequestThatSelectsNoneLearnsThatThereAreOthers) {
  open();
  put_variant({"x-a"}, request("x-a", "1"), "one");
  const auto found = find("https://www.example.com/v", request("x-a", "3"));
  EXPECT_EQ(found.entry, nullptr);
  EXPECT_TRUE(found.other_variants);
}

TEST_F(DiskVaryTest, OfVariantsUnderDifferentListsTheOneReceivedLastAnswers) {
  open();
  http::Headers both = request("x-a", "1");
  both.add("x-b", "2");
  put_variant({"x-a"}, both, "newer", Seconds(2'000));
  put_variant({"x-a", "x-b"}, both, "older", Seconds(1'000));
  EXPECT_EQ(get_variant(both), "newer");
  EXPECT_EQ(get_variant(request("x-a", "1")), "newer");
}

TEST_F(DiskVaryTest, WhenTheOriginBeginsOrCeasesToVaryTheOldAnswersAreNotUsed) {
  open();
  put_variant({}, {}, "plain");
  put_variant({"x-a"}, request("x-a", "1"), "varied");
  EXPECT_EQ(get_variant(request("x-a", "1")), "varied");
  EXPECT_EQ(get_variant(request("x-a", "2")), "(none)");
  put_variant({}, {}, "plain again");
  EXPECT_EQ(get_variant(request("x-a", "1")), "plain again");
  EXPECT_EQ(get_variant(request("x-a", "2")), "plain again");
}

TEST_F(DiskVaryTest, ErasingOneVariantLeavesTheOthers) {
  open();
  put_variant({"x-a"}, request("x-a", "1"), "one");
  put_variant({"x-a"}, request("x-a", "2"), "two");
  disk->erase("https://www.example.com/v", policy::vary_key({"x-a"}, request("x-a", "1")));
  disk->flush();
  EXPECT_EQ(get_variant(request("x-a", "1")), "(none)");
  EXPECT_EQ(get_variant(request("x-a", "2")), "two");
  disk->erase("https://www.example.com/v", policy::vary_key({"x-a"}, request("x-a", "2")));
  disk->flush();
  EXPECT_EQ(disk->stats().entries, 0U);
  EXPECT_FALSE(find("https://www.example.com/v", {}).other_variants); // the list went with the last of them
}

TEST_F(DiskVaryTest, OnlySoManyListsOfNamesAreKeptForOneKey) {
  open();
  for (int i = 0; i < 12; ++i) {
    const std::string name = "x-" + std::to_string(i);
    put_variant({name}, request(name, "v"), name);
  }
  EXPECT_EQ(get_variant(request("x-11", "v")), "x-11");
  EXPECT_EQ(get_variant(request("x-4", "v")), "x-4");
  EXPECT_EQ(get_variant(request("x-3", "v")), "(none)"); // the oldest lists were forgotten
}

TEST_F(DiskVaryTest, AVariantAnswersWhoeverLikesItBest) {
  open();
  auto head = head_for("https://www.example.com/v", {.vary_fields = {"accept-language", "x-a"}});
  head->headers.add("content-language", "de");
  http::Headers first = request("accept-language", "en, de"), second = request("accept-language", "fr;q=0.5, de");
  first.add("x-a", "1");
  head->vary_values = policy::vary_key(head->vary_fields, first);
  ASSERT_TRUE(disk->store(entry_of(head, "deutsch")));
  disk->flush();
  EXPECT_EQ(get_variant(first), "deutsch");
  EXPECT_EQ(get_variant(second), "(none)") << "the other field differs";
  second.add("x-a", "1");
  EXPECT_EQ(get_variant(second), "deutsch");
  open();
  EXPECT_EQ(get_variant(second), "deutsch");
}

TEST_F(DiskVaryTest, BeyondTheLimitTheLeastUsedVariantGoes) {
  options.variants = 3;
  open();
  for (const char* value : {"1", "2", "3"}) put_variant({"x-a"}, request("x-a", value), value);
  EXPECT_EQ(get_variant(request("x-a", "1")), "1"); // read since it was stored
  put_variant({"x-a"}, request("x-a", "4"), "4");
  put_variant({"x-b"}, request("x-b", "5"), "5");
  EXPECT_EQ(get_variant(request("x-a", "1")), "1");
  EXPECT_EQ(get_variant(request("x-a", "2")), "(none)");
  EXPECT_EQ(get_variant(request("x-a", "3")), "(none)");
  EXPECT_EQ(get_variant(request("x-a", "4")), "4");
  EXPECT_EQ(get_variant(request("x-b", "5")), "5");
  EXPECT_EQ(disk->stats().entries, 3U);
  put_variant({"x-a"}, request("x-a", "4"), "4 again"); // takes its own place, nobody else's
  EXPECT_EQ(get_variant(request("x-a", "1")), "1");
  EXPECT_EQ(disk->stats().entries, 3U);
}

} // namespace
} // namespace verge::cache
