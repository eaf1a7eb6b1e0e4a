// Records, keys and small values: what is written is read back, and nothing else is believed.
#include <gtest/gtest.h>

#include "cache/lmdb/field_names.h"
#include "cache/lmdb/layout.h"
#include "cache/lmdb/pins.h"
#include "cache/lmdb/record.h"
#include "cache/lmdb/residency.h"
#include "tests/cache/lmdb/disk_support.h"

namespace verge::cache {
namespace {

using testing::head_for;

TEST(Record, ComesBackAsItWasPut) {
  const auto head = head_for("https://h.example/a", {.vary_fields = {"x-a", "x-b"}, .vary_values = "v", .tags = {"t"}});
  const std::string value = encode_record(7, *head, 5, "hello").value;
  const auto record = decode_record(7, value);
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->length, 5U);
  EXPECT_EQ(record->tail, "hello");
  EXPECT_EQ(record->head->key, head->key);
  EXPECT_EQ(record->head->vary_fields, head->vary_fields);
  EXPECT_EQ(record->head->vary_values, "v");
  EXPECT_EQ(record->head->tags, head->tags);
  EXPECT_EQ(record->head->content_length, 5U);
}

TEST(Record, KeepsWhatSpokeToUsApartFromWhatIsServed) {
  const auto head = head_for("https://h.example/a");
  head->control.add("surrogate-key", "a b");
  head->control.add("cdn-cache-control", "max-age=9");
  head->freshness.immutable = true;
  const std::string value = encode_record(7, *head, 5, "hello").value;
  const auto record = decode_record(7, value);
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->head->control.get("surrogate-key"), "a b");
  EXPECT_EQ(record->head->control.get("cdn-cache-control"), "max-age=9");
  EXPECT_FALSE(record->head->headers.has("surrogate-key"));
  EXPECT_EQ(record->head->h1_text, head->h1_text);
  EXPECT_TRUE(record->head->freshness.immutable);
  EXPECT_EQ(record->tail, "hello");
}

TEST(Record, OfAnotherVersionIsNoRecord) {
  std::string value = encode_record(7, *head_for("https://h.example/a"), 5, "hello").value;
  ASSERT_EQ(value[0], 4); // the version
  value[0] = 3;
  EXPECT_FALSE(decode_record(7, value).has_value());
}

TEST(Record, OfAStatusWithoutBodyHasNoLength) {
  const auto head = head_for("https://h.example/a");
  head->status = 204;
  const auto record = decode_record(7, encode_record(7, *head, 0, "").value);
  ASSERT_TRUE(record.has_value());
  EXPECT_FALSE(record->head->content_length.has_value());
}

TEST(Record, OfAnotherIdIsNotBelieved) {
  const std::string value = encode_record(7, *head_for("https://h.example/a"), 5, "hello").value;
  EXPECT_FALSE(decode_record(8, value).has_value());
}

TEST(Record, WithAnyOctetChangedOrCutOrAddedIsNotBelieved) {
  const std::string value = encode_record(7, *head_for("https://h.example/a", {.tags = {"t"}}), 5, "hello").value;
  for (size_t i = 0; i < value.size(); ++i) {
    for (const char bit : {'\x01', '\x80'}) {
      std::string changed = value;
      changed[i] = static_cast<char>(changed[i] ^ bit);
      EXPECT_FALSE(decode_record(7, changed).has_value()) << i;
    }
    EXPECT_FALSE(decode_record(7, std::string_view(value).substr(0, i)).has_value()) << i;
  }
  EXPECT_FALSE(decode_record(7, value + '\0').has_value());
}

TEST(Record, HoldsUsualNamesAsNumbersAndNumbersAsShortAsTheyAre) {
  const auto usual = head_for("https://h.example/a"), unusual = head_for("https://h.example/a");
  const size_t before = encode_record(7, *usual, 5, "hello").value.size();
  usual->headers.add("strict-transport-security", "x");
  usual->h1_text = unusual->h1_text + "strict-transport-security: x\r\n";
  EXPECT_EQ(encode_record(7, *usual, 5, "hello").value.size(), before + 3);
  unusual->headers.add("x-of-our-own", "x");
  unusual->h1_text += "x-of-our-own: x\r\n";
  EXPECT_EQ(encode_record(7, *unusual, 5, "hello").value.size(), before + 16);
  EXPECT_LE(before, 110U);
}

TEST(FieldNames, HaveEachANumberOfItsOwn) {
  ASSERT_GT(field_names(), 80U);
  for (size_t n = 1; n <= field_names(); ++n) {
    ASSERT_FALSE(field_name(n).empty());
    EXPECT_EQ(field_number(field_name(n)), n) << field_name(n);
  }
  EXPECT_TRUE(field_name(0).empty());
  EXPECT_TRUE(field_name(field_names() + 1).empty());
  EXPECT_TRUE(field_name(UINT64_MAX).empty());
  EXPECT_EQ(field_number("x-of-our-own"), 0);
  EXPECT_EQ(field_number(""), 0);
}

// The last Block of a body is cut so that it takes the fewest pages.
TEST(Tail, IsWhatFillsNoPageOfItsOwn) {
  EXPECT_EQ(tail_octets(300, 0), 0U);
  EXPECT_EQ(tail_octets(300, 1'700), 1'700U); // all of it shares a page
  EXPECT_EQ(tail_octets(300, 1'701), 1'701U); // a page of its own, the head with it
  EXPECT_EQ(tail_octets(300, 3'780), 3'780U); // ... to its last octet
  EXPECT_EQ(tail_octets(300, 3'781), 0U);     // or the body alone
  EXPECT_EQ(tail_octets(300, 4'080), 0U);     // which fills it
  EXPECT_EQ(tail_octets(300, 4'081), 1U);
  EXPECT_EQ(tail_octets(300, 4'096), 16U);
  EXPECT_EQ(tail_octets(300, 5'780), 1'700U);
  EXPECT_EQ(tail_octets(300, 5'781), 5'781U);
  EXPECT_EQ(tail_octets(300, 8'176), 0U);
  EXPECT_EQ(tail_octets(300, 8'192), 16U);
  EXPECT_EQ(tail_octets(300, 30'000), 1'344U);
  EXPECT_EQ(tail_octets(300, 32'000), 0U); // too long to be written again with each 304
  EXPECT_EQ(tail_octets(300, kBlockBytes), 0U);
  EXPECT_EQ(tail_octets(300, kBlockBytes - 1), 0U);
  EXPECT_EQ(tail_octets(3'000, 4'096), 4'096U); // two pages, the head with it
  EXPECT_EQ(tail_octets(5'000, 4'096), 0U);
}

TEST(IndexRow, ComesBackAsItWasPutAndNothingElseIsBelieved) {
  const IndexRow row{{9, 90, 1},
                     {{"x-a", {{{3, 31, 1}, 30, "", {}}}},
                      {"accept\nx-b", {{{4, 41, 2}, 40, "text/html\n", {41, 42}}, {{5, 51, 1}, 50, "", {}}}}}};
  const std::string value = encode(row);
  const auto back = decode_index_row(value);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->own, (Stored{9, 90, 1}));
  ASSERT_EQ(back->lists.size(), 2U);
  EXPECT_EQ(back->lists[1].names, "accept\nx-b");
  ASSERT_EQ(back->lists[1].variants.size(), 2U);
  EXPECT_EQ(back->lists[1].variants[0].offers, "text/html\n");
  EXPECT_EQ(back->lists[1].variants[0].lines, (std::vector<uint64_t>{41, 42}));
  EXPECT_EQ(back->lists[1].variants[1].values, 50U);
  EXPECT_EQ(back->responses(), row.responses());
  EXPECT_EQ(back->responses().size(), 4U);
  for (size_t i = 0; i < value.size(); ++i)
    EXPECT_FALSE(decode_index_row(std::string_view(value).substr(0, i)).has_value()) << i;
  EXPECT_FALSE(decode_index_row(value + "x").has_value());
}

TEST(EpochRowCodec, ComesBackAsItWasPutAndNothingElseIsBelieved) {
  const EpochRow row{{Target::Kind::pattern, "h.example", "/a/*"}, 5, 6};
  const std::string value = encode(row);
  const auto back = decode_epoch_row(value);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->target.kind, Target::Kind::pattern);
  EXPECT_EQ(back->target.host, "h.example");
  EXPECT_EQ(back->target.value, "/a/*");
  EXPECT_EQ(back->hard, 5U);
  EXPECT_EQ(back->soft, 6U);
  for (size_t i = 0; i < value.size(); ++i)
    EXPECT_FALSE(decode_epoch_row(std::string_view(value).substr(0, i)).has_value()) << i;
  std::string kind = value;
  kind[0] = 9;
  EXPECT_FALSE(decode_epoch_row(kind).has_value());
}

TEST(BodyKeys, SortByIdThenRecordThenChunks) {
  const auto less = [](const BodyKey& a, const BodyKey& b) { return a.view() < b.view(); };
  EXPECT_TRUE(less(record_key(1), chunk_key(1, 0, 77)));
  EXPECT_TRUE(less(chunk_key(1, 0, UINT64_MAX), chunk_key(1, 1, 0)));
  EXPECT_TRUE(less(chunk_key(1, 0xfffffffe, 5), record_key(2)));
  EXPECT_TRUE(less(record_key(255), record_key(256)));
  EXPECT_TRUE(less(chunk_key_from(3, 4), chunk_key(3, 4, 0)));
  EXPECT_TRUE(less(chunk_key(3, 3, UINT64_MAX), chunk_key_from(3, 4)));
  const auto parts = parse_body_key(chunk_key(3, 4, 0xabcdef).view());
  ASSERT_TRUE(parts.has_value());
  EXPECT_EQ(parts->id, 3U);
  EXPECT_EQ(parts->part, 5U);
  EXPECT_EQ(parts->checksum, 0xabcdefU);
  EXPECT_FALSE(parse_body_key("short").has_value());
  EXPECT_FALSE(parse_body_key(chunk_key(3, 4, 1).view().substr(0, 12)).has_value()); // a chunk without checksum
}

TEST(IndexRow, GivesUpOneResponseAndTheListThatItWasTheLastOf) {
  IndexRow row{{9, 1, 0},
               {{"x-a", {{{3, 1, 0}, 30, "", {}}}}, {"x-b", {{{4, 1, 0}, 40, "", {}}, {{5, 1, 0}, 50, "", {}}}}}};
  EXPECT_TRUE(row.holds(4));
  EXPECT_FALSE(row.remove(6));
  EXPECT_TRUE(row.remove(3));
  EXPECT_TRUE(row.remove(4));
  EXPECT_TRUE(row.remove(9));
  ASSERT_EQ(row.lists.size(), 1U);
  EXPECT_EQ(row.lists[0].names, "x-b");
  EXPECT_TRUE(row.remove(5));
  EXPECT_TRUE(row.empty());
}

TEST(IndexKeys, DependOnTheSeed) {
  EXPECT_NE(index_key("k", 1), index_key("k", 2));
  EXPECT_EQ(index_key("k", 1), index_key("k", 1));
  EXPECT_NE(values_hash("+1", 1), values_hash("+2", 1));
  EXPECT_NE(values_hash("+1", 1), values_hash("+1", 2));
  EXPECT_EQ(split_names(join_names({"a", "b", "c"})), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_TRUE(split_names("").empty());
}

TEST(IdBits, HoldEachIdByItselfWithinARing) {
  IdBits bits(1'000);
  bits.mark(5);
  EXPECT_TRUE(bits.test(5));
  EXPECT_FALSE(bits.test(6));
  EXPECT_TRUE(bits.test(5 + 1'024)); // a ring apart: a wrong yes
  bits.clear(5);
  EXPECT_FALSE(bits.test(5));
}

TEST(Residency, ForgetsWhatWasNotUsedWhileMuchElseWentThroughMemory) {
  Residency resident(1'000);
  EXPECT_FALSE(resident.likely(1));
  resident.touched(1, 100);
  resident.touched(2, 100);
  EXPECT_TRUE(resident.likely(1));
  constexpr uint64_t kMuch = 1ull << 50;
  resident.moved(kMuch);
  EXPECT_TRUE(resident.likely(1)); // used since, so it lives on
  resident.moved(kMuch);
  EXPECT_TRUE(resident.likely(1));
  EXPECT_FALSE(resident.likely(2));
}

TEST(PinsTest, WhatIsPinnedOrLeasedIsNotCondemnedAndWhatIsCondemnedIsNotLeased) {
  Pins pins;
  const MonoTime now{Seconds(100)};
  pins.pin(1);
  pins.pin(1);
  EXPECT_FALSE(pins.condemn(1, now));
  pins.unpin(1);
  EXPECT_FALSE(pins.condemn(1, now));
  pins.unpin(1);
  EXPECT_TRUE(pins.condemn(1, now));
  EXPECT_FALSE(pins.lease(1, now));
  pins.absolve(); // the transaction is over
  EXPECT_TRUE(pins.lease(1, now));
  EXPECT_FALSE(pins.condemn(1, now + Pins::kLease - Millis(1)));
  pins.sweep(now + Pins::kLease);
  EXPECT_TRUE(pins.condemn(1, now + Pins::kLease));
  pins.absolve();
}

} // namespace
} // namespace verge::cache
