#include "cache/policy/selection.h"

#include <gtest/gtest.h>

#include <array>

#include "cache/policy/freshness.h"

namespace verge::policy {
namespace {

using namespace std::chrono_literals;

http::Headers fields(std::initializer_list<std::pair<std::string_view, std::string_view>> all) {
  http::Headers out;
  for (const auto& [name, value] : all) out.add(name, value);
  return out;
}

TEST(Conditions, NameEveryStoredEtagOnceTheSelectedOneFirst) {
  const auto mine = fields({{"etag", "\"b\""}, {"last-modified", "Mon, 02 Jan 2023 00:00:00 GMT"}});
  const auto same = fields({{"etag", "\"b\""}}), other = fields({{"etag", "\"a\""}});
  const std::array others = {&same, &other};
  auto request = fields({{"if-none-match", "\"client\""}});
  EXPECT_TRUE(set_conditions(request, &mine, others));
  EXPECT_EQ(request.get("if-none-match"), "\"b\", \"a\"");
  EXPECT_EQ(request.count("if-none-match"), 1u);
  EXPECT_EQ(request.get("if-modified-since"), "Mon, 02 Jan 2023 00:00:00 GMT");
}

TEST(Conditions, NameNoDateOfAnotherVariant) {
  const auto other = fields({{"etag", "\"a\""}, {"last-modified", "Mon, 02 Jan 2023 00:00:00 GMT"}});
  const std::array others = {&other};
  http::Headers request;
  EXPECT_TRUE(set_conditions(request, nullptr, others));
  EXPECT_EQ(request.get("if-none-match"), "\"a\"");
  EXPECT_FALSE(request.has("if-modified-since"));
}

TEST(Conditions, AreNoneWithoutValidators) {
  const auto mine = fields({{"x", "y"}});
  auto request = fields({{"if-match", "*"}});
  EXPECT_FALSE(set_conditions(request, &mine, {}));
  EXPECT_EQ(request.size(), 0u);
}

TEST(Conditions, KeepADateAloneSinceBesideAnEtagItWouldNotCount) {
  const auto mine = fields({{"last-modified", "Mon, 02 Jan 2023 00:00:00 GMT"}});
  const auto other = fields({{"etag", "\"a\""}});
  const std::array others = {&other};
  http::Headers request;
  EXPECT_TRUE(set_conditions(request, &mine, others));
  EXPECT_FALSE(request.has("if-none-match"));
  EXPECT_TRUE(request.has("if-modified-since"));
}

TEST(Offered, OnlyByAStrongEtagAndInACodingThatIsAccepted) {
  http::RequestHead request;
  request.headers = fields({{"accept-encoding", "br, gzip;q=0"}});
  EXPECT_TRUE(may_be_offered(request, fields({{"etag", "\"a\""}})));
  EXPECT_FALSE(may_be_offered(request, fields({{"etag", "W/\"a\""}})));
  EXPECT_FALSE(may_be_offered(request, fields({{"etag", "a"}})));
  EXPECT_TRUE(may_be_offered(request, fields({{"etag", "\"a\""}, {"content-encoding", "BR"}})));
  EXPECT_FALSE(may_be_offered(request, fields({{"etag", "\"a\""}, {"content-encoding", "gzip"}})));
  EXPECT_FALSE(may_be_offered(request, fields({{"etag", "\"a\""}, {"content-range", "bytes 0-1/2"}})));
}

TEST(NotModified, SelectsTheOneWhoseEtagItNames) {
  const auto mine = fields({{"etag", "\"m\""}}), a = fields({{"etag", "\"a\""}}), b = fields({{"etag", "\"b\""}});
  const std::array others = {&a, &b};
  EXPECT_EQ(selected_by(fields({{"etag", "\"m\""}}), &mine, others), -1);
  EXPECT_EQ(selected_by(fields({{"etag", "\"b\""}}), &mine, others), 1);
  EXPECT_EQ(selected_by(fields({{"etag", "\"a\""}}), nullptr, others), 0);
}

TEST(NotModified, SelectsNothingByAnEtagThatIsNotOurs) {
  const auto mine = fields({{"etag", "\"m\""}}), a = fields({{"etag", "\"a\""}});
  const std::array others = {&a};
  EXPECT_EQ(selected_by(fields({{"etag", "\"x\""}}), &mine, others), std::nullopt);
  EXPECT_EQ(selected_by(fields({{"etag", "W/\"a\""}}), nullptr, others), std::nullopt);
}

TEST(NotModified, WithoutEtagSelectsOnlyWhereOneWasAskedAbout) {
  const auto mine = fields({{"etag", "\"m\""}}), a = fields({{"etag", "\"a\""}}), b = fields({{"etag", "\"b\""}});
  const std::array one = {&a};
  const std::array two = {&a, &b};
  EXPECT_EQ(selected_by({}, &mine, {}), -1);
  EXPECT_EQ(selected_by({}, nullptr, one), 0);
  EXPECT_EQ(selected_by({}, nullptr, two), std::nullopt);
  EXPECT_EQ(selected_by({}, &mine, one), std::nullopt);
}

TEST(Head, UpdatesWhereEveryValidatorAndTheLengthAgree) {
  const auto stored = fields({{"etag", "\"a\""}, {"last-modified", "Mon, 02 Jan 2023 00:00:00 GMT"}});
  EXPECT_EQ(head_says(stored, 4, 200, fields({{"etag", "\"a\""}}), 4), HeadSays::same);
  EXPECT_EQ(head_says(stored, 4, 200, {}, std::nullopt), HeadSays::same);
  EXPECT_EQ(head_says(stored, 4, 200, fields({{"etag", "\"b\""}}), 4), HeadSays::other);
  EXPECT_EQ(head_says(stored, 4, 200, fields({{"last-modified", "x"}}), 4), HeadSays::other);
  EXPECT_EQ(head_says(stored, 4, 200, fields({{"etag", "\"a\""}}), 5), HeadSays::other);
  EXPECT_EQ(head_says(stored, 4, 410, {}, 4), HeadSays::nothing);
}

TEST(RefreshAhead, BeginsInTheLastPartOfTheTimeHere) {
  Freshness f;
  f.lifetime = 100s;
  Rules rules;
  EXPECT_FALSE(refresh_due(f, 99s, rules)); // off
  rules.refresh_ahead.percent = 10;
  EXPECT_FALSE(refresh_due(f, 89s, rules));
  EXPECT_TRUE(refresh_due(f, 90s, rules));
  EXPECT_FALSE(refresh_due(f, 100s, rules)); // that is expired
  rules.refresh_ahead = {0, 80s};
  EXPECT_FALSE(refresh_due(f, 49s, rules)); // at most half
  EXPECT_TRUE(refresh_due(f, 50s, rules));
  f.initial_age = 90s; // came old: half of what it has here
  EXPECT_FALSE(refresh_due(f, 94s, rules));
  EXPECT_TRUE(refresh_due(f, 95s, rules));
}

TEST(MayShare, NeedsWhatIsLeftOfALifetimeAndNoValidationOfItsOwn) {
  Freshness f;
  f.lifetime = 10s;
  const Rules rules;
  EXPECT_TRUE(may_share(f, 9s, false, {}, rules));
  EXPECT_FALSE(may_share(f, 10s, false, {}, rules));
  f.always_validate = true;
  EXPECT_FALSE(may_share(f, 0s, false, {}, rules));
}

TEST(MayShare, TakesAnAnswerThatCameAfterTheRequestAsValidated) {
  Freshness f;
  f.lifetime = 10s;
  const Rules rules;
  RequestDirectives reload;
  reload.no_cache = true;
  EXPECT_TRUE(may_share(f, 0s, false, reload, rules));
  EXPECT_FALSE(may_share(f, 0s, true, reload, rules));
}

} // namespace
} // namespace verge::policy
