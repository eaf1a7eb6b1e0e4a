// Surrogate-Control, sentence by sentence of the Edge Architecture Specification (W3C Note, 4 August 2001),
// section 2.2.
#include "cache/policy/surrogate.h"

#include <gtest/gtest.h>

#include "cache/policy/fields.h"
#include "cache/policy/storing.h"
#include "tests/cache/policy/values.h"

namespace verge::policy {
namespace {

using namespace std::chrono_literals;

std::optional<ResponseDirectives> said(std::string_view value) {
  return surrogate_directives(headers_of({{"surrogate-control", value}}), "verge");
}

TEST(SurrogateControl, MaxAgeIsHowLongTheResponseIsFresh) {
  const auto d = said("max-age=3600");
  ASSERT_TRUE(d);
  EXPECT_EQ(d->max_age, 3600s);
  EXPECT_EQ(d->stale_while_revalidate, std::nullopt);
  EXPECT_TRUE(d->targeted);
}

TEST(SurrogateControl, APlusNamesHowMuchLongerItMayBeShownStale) {
  const auto d = said("max-age=3600+600");
  ASSERT_TRUE(d);
  EXPECT_EQ(d->max_age, 3600s);
  EXPECT_EQ(d->stale_while_revalidate, 600s);
  EXPECT_EQ(d->stale_if_error, 600s);
  EXPECT_EQ(said("max-age=\"60+30\"")->stale_if_error, 30s);
}

TEST(SurrogateControl, AMaxAgeThatIsNoNumberIsStale) {
  for (const std::string_view value : {"max-age", "max-age=", "max-age=x", "max-age=+5", "max-age=5+", "max-age=5+x",
                                       "max-age=-1", "max-age=1.5", "max-age=60, max-age=x"}) {
    const auto d = said(value);
    ASSERT_TRUE(d) << value;
    EXPECT_EQ(d->max_age, 0s) << value;
    EXPECT_EQ(d->stale_if_error, std::nullopt) << value;
  }
}

TEST(SurrogateControl, AMaxAgeBeyondCountingIsTheLargest) {
  EXPECT_EQ(said("max-age=99999999999")->max_age, kMaxDelta);
}

TEST(SurrogateControl, NoStoreForbidsStoring) { EXPECT_TRUE(said("no-store")->no_store); }

TEST(SurrogateControl, NoStoreRemoteForbidsItToAnEdge) { EXPECT_TRUE(said("No-Store-Remote")->no_store); }

TEST(SurrogateControl, ContentAloneSaysNothingAboutStoring) {
  EXPECT_FALSE(said("content=\"ESI/1.0\""));
  EXPECT_FALSE(said("content=\"ESI/1.0 ESI-Inline/1.0\";verge"));
  EXPECT_EQ(said("content=\"ESI/1.0, a;b\", max-age=5")->max_age, 5s);
}

TEST(SurrogateControl, WhatIsUnknownOrEmptySaysNothing) {
  EXPECT_FALSE(said(""));
  EXPECT_FALSE(said(", ,"));
  EXPECT_FALSE(said("foobar, max-age =5"));
  EXPECT_FALSE(surrogate_directives({}, "verge"));
}

TEST(SurrogateControl, ADirectiveForAnotherSurrogateIsNotForUs) {
  EXPECT_FALSE(said("max-age=60;abc"));
  EXPECT_FALSE(said("no-store;abc"));
  EXPECT_EQ(said("max-age=60;abc, max-age=5")->max_age, 5s);
}

TEST(SurrogateControl, ADirectiveThatNamesUsGoesBeforeTheGeneralOne) {
  EXPECT_EQ(said("max-age=5, max-age=60;verge")->max_age, 60s);
  EXPECT_EQ(said("max-age=60;verge, max-age=5")->max_age, 60s);
  EXPECT_EQ(said("max-age=60;abc;VERGE, max-age=5;abc")->max_age, 60s);
  EXPECT_EQ(said("max-age=60 ; verge , max-age=5+5")->stale_if_error, std::nullopt);
  EXPECT_TRUE(said("max-age=60;verge, no-store")->no_store);
}

TEST(SurrogateControl, DirectivesOfCacheControlMeanWhatTheyMeanThere) {
  const auto d = said("max-age=60, stale-while-revalidate=5, must-revalidate");
  EXPECT_EQ(d->stale_while_revalidate, 5s);
  EXPECT_TRUE(d->must_revalidate);
  EXPECT_TRUE(said("private, max-age=60")->private_);
}

TEST(SurrogateControl, TakesTheDecisionFromCacheControlAndExpires) {
  const auto response = answer(200, {{"surrogate-control", "max-age=60"},
                                     {"cache-control", "no-store, max-age=0"},
                                     {"expires", "0"},
                                     {"date", kNowText}});
  const auto f = fresh_at_once(response);
  EXPECT_EQ(f.lifetime, 60s);
  EXPECT_EQ(may_store(get_with(), response, f, {}), StoreVerdict::store);
  const auto refused = answer(200, {{"surrogate-control", "no-store"}, {"cache-control", "max-age=60"}});
  EXPECT_EQ(may_store(get_with(), refused, fresh_at_once(refused), {}), StoreVerdict::no_store);
}

TEST(SurrogateControl, AgeStillCounts) {
  const auto f = fresh_at_once(answer(200, {{"surrogate-control", "max-age=60"}, {"age", "100"}}));
  EXPECT_EQ(f.initial_age, 100s);
}

// The order of the fields is the rules'.

TEST(Targets, TheFirstThatSpeaksIsHeard) {
  const auto all = headers_of({{"verge-cache-control", "max-age=1"},
                               {"cdn-cache-control", "max-age=2"},
                               {"surrogate-control", "max-age=3"},
                               {"cache-control", "max-age=4"}});
  Rules rules;
  EXPECT_EQ(response_directives(all, rules).max_age, 1s);
  rules.targets = {"cdn-cache-control", "verge-cache-control"};
  EXPECT_EQ(response_directives(all, rules).max_age, 2s);
  rules.targets = {"surrogate-control"};
  EXPECT_EQ(response_directives(all, rules).max_age, 3s);
  rules.targets = {};
  EXPECT_EQ(response_directives(all, rules).max_age, 4s);
  EXPECT_FALSE(response_directives(all, rules).targeted);
}

TEST(Targets, OneThatDoesNotParseLeavesTheWordToTheNext) {
  const auto headers = headers_of({{"verge-cache-control", "max-age=1, &&&"},
                                   {"cdn-cache-control", ""},
                                   {"surrogate-control", "content=\"ESI/1.0\""},
                                   {"cache-control", "max-age=4"}});
  EXPECT_EQ(response_directives(headers, {}).max_age, 4s);
  const auto next = headers_of({{"verge-cache-control", "max-age="}, {"cdn-cache-control", "max-age=2"}});
  EXPECT_EQ(response_directives(next, {}).max_age, 2s);
}

} // namespace
} // namespace verge::policy
