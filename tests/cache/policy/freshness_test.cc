#include "cache/policy/freshness.h"

#include <gtest/gtest.h>

#include "tests/cache/policy/values.h"

namespace verge::policy {
namespace {

using namespace std::chrono_literals;

// RFC 9111 section 4.2.1: lifetime.

TEST(Lifetime, SMaxageBeatsMaxAgeAndMaxAgeBeatsExpires) {
  const std::string expires = date_at(1000s);
  const auto all = fresh_at_once(
      answer(200, {{"date", kNowText}, {"expires", expires}, {"cache-control", "max-age=50, s-maxage=7"}}));
  EXPECT_EQ(all.lifetime, 7s);
  EXPECT_EQ(all.source, LifetimeSource::s_maxage);
  const auto two =
      fresh_at_once(answer(200, {{"date", kNowText}, {"expires", expires}, {"cache-control", "max-age=0"}}));
  EXPECT_EQ(two.lifetime, 0s);
  EXPECT_EQ(two.source, LifetimeSource::max_age);
  const auto one = fresh_at_once(answer(200, {{"date", kNowText}, {"expires", expires}}));
  EXPECT_EQ(one.lifetime, 1000s);
  EXPECT_EQ(one.source, LifetimeSource::expires);
}

TEST(Lifetime, AnInvalidExpiresDoesNotMatterBesideMaxAge) {
  EXPECT_EQ(fresh_at_once(answer(200, {{"expires", "0"}, {"cache-control", "max-age=50"}})).lifetime, 50s);
}

TEST(Lifetime, ExpiresIsHeldAgainstTheResponsesDateNotOurClock) {
  const std::string date = date_at(400s), earlier = date_at(300s), later = date_at(420s);
  EXPECT_EQ(fresh_at_once(answer(200, {{"date", date}, {"expires", earlier}})).lifetime, 0s);
  EXPECT_EQ(fresh_at_once(answer(200, {{"date", date}, {"expires", later}})).lifetime, 20s);
}

TEST(Lifetime, ExpiresIsHeldAgainstTheTimeOfReceiptWhereDateIsMissingOrInvalid) {
  const std::string expires = date_at(10s);
  EXPECT_EQ(fresh_at_once(answer(200, {{"expires", expires}})).lifetime, 10s);
  EXPECT_EQ(fresh_at_once(answer(200, {{"date", "foo"}, {"expires", expires}})).lifetime, 10s);
}

TEST(Lifetime, AnInvalidExpiresIsExplicitAndStale) {
  for (const std::string_view value : {"0", "-1", "", "Thu, 18 Aug 2050 02:01:18 UTC", "tomorrow"}) {
    const auto f = fresh_at_once(answer(200, {{"date", kNowText}, {"expires", value}}));
    EXPECT_EQ(f.lifetime, 0s) << value;
    EXPECT_EQ(f.source, LifetimeSource::expires) << value;
  }
}

TEST(Lifetime, SeveralExpiresLinesAreInvalidEvenWhenAlike) {
  const std::string expires = date_at(100s);
  EXPECT_EQ(fresh_at_once(answer(200, {{"date", kNowText}, {"expires", expires}, {"expires", expires}})).lifetime, 0s);
}

TEST(Lifetime, ExpiresMayBeInAnyOfTheThreeForms) {
  EXPECT_EQ(fresh_at_once(answer(200, {{"date", kNowText}, {"expires", "Sunday, 06-Nov-94 08:50:37 GMT"}})).lifetime,
            60s);
  EXPECT_EQ(fresh_at_once(answer(200, {{"date", kNowText}, {"expires", "Sun Nov  6 08:50:37 1994"}})).lifetime, 60s);
}

TEST(Lifetime, NothingToGoByIsNoLifetime) {
  const auto f = fresh_at_once(answer(200, {{"date", kNowText}, {"etag", "\"a\""}}));
  EXPECT_EQ(f.source, LifetimeSource::none);
  EXPECT_EQ(f.lifetime, 0s);
}

// RFC 9111 section 4.2.2: heuristics.

TEST(HeuristicLifetime, IsATenthOfTheTimeSinceLastModified) {
  const std::string modified = date_at(-1000s);
  const auto f = fresh_at_once(answer(200, {{"date", kNowText}, {"last-modified", modified}}));
  EXPECT_EQ(f.lifetime, 100s);
  EXPECT_EQ(f.source, LifetimeSource::heuristic);
}

TEST(HeuristicLifetime, IsNeverMoreThanADay) {
  const std::string modified = date_at(-24h * 365);
  EXPECT_EQ(fresh_at_once(answer(200, {{"date", kNowText}, {"last-modified", modified}})).lifetime,
            kMaxHeuristicLifetime);
}

TEST(HeuristicLifetime, IsNotUsedBesideAnExplicitOne) {
  const std::string modified = date_at(-1000s);
  EXPECT_EQ(
      fresh_at_once(answer(200, {{"date", kNowText}, {"last-modified", modified}, {"cache-control", "max-age=1"}}))
          .source,
      LifetimeSource::max_age);
  EXPECT_EQ(fresh_at_once(answer(200, {{"date", kNowText}, {"last-modified", modified}, {"expires", "0"}})).lifetime,
            0s);
}

TEST(HeuristicLifetime, GoesOnlyWithStatusesThatAllowIt) {
  const std::string modified = date_at(-1000s);
  for (const int status : {200, 203, 204, 300, 301, 308, 404, 405, 410, 414}) {
    EXPECT_EQ(fresh_at_once(answer(status, {{"date", kNowText}, {"last-modified", modified}})).lifetime, 100s)
        << status;
  }
  for (const int status : {201, 202, 206, 302, 303, 307, 400, 403, 500, 501, 502, 503, 504, 599}) {
    EXPECT_EQ(fresh_at_once(answer(status, {{"date", kNowText}, {"last-modified", modified}})).source,
              LifetimeSource::none)
        << status;
  }
}

TEST(HeuristicLifetime, PublicAllowsItForAnyStatus) {
  const std::string modified = date_at(-1000s);
  EXPECT_EQ(fresh_at_once(answer(599, {{"date", kNowText}, {"last-modified", modified}, {"cache-control", "public"}}))
                .lifetime,
            100s);
}

TEST(HeuristicLifetime, IsNoneForALastModifiedNotInThePast) {
  const std::string future = date_at(5s);
  EXPECT_EQ(fresh_at_once(answer(200, {{"date", kNowText}, {"last-modified", future}})).source, LifetimeSource::none);
  EXPECT_EQ(fresh_at_once(answer(200, {{"date", kNowText}, {"last-modified", kNowText}})).source, LifetimeSource::none);
  EXPECT_EQ(fresh_at_once(answer(200, {{"date", kNowText}, {"last-modified", "x"}})).source, LifetimeSource::none);
}

TEST(HeuristicLifetime, CanBeSwitchedOff) {
  const std::string modified = date_at(-1000s);
  Rules rules;
  rules.heuristic = false;
  EXPECT_EQ(fresh_at_once(answer(200, {{"date", kNowText}, {"last-modified", modified}}), rules).source,
            LifetimeSource::none);
}

// The route's rules.

TEST(RouteLifetime, TheDefaultComesBeforeTheHeuristicAndAfterAllThatIsExplicit) {
  Rules rules;
  rules.ttl_default = 60s;
  const std::string modified = date_at(-1000s);
  const auto f = fresh_at_once(answer(200, {{"date", kNowText}, {"last-modified", modified}}), rules);
  EXPECT_EQ(f.lifetime, 60s);
  EXPECT_EQ(f.source, LifetimeSource::route);
  EXPECT_EQ(fresh_at_once(answer(200, {{"cache-control", "max-age=5"}}), rules).lifetime, 5s);
  EXPECT_EQ(fresh_at_once(answer(200, {{"expires", "0"}}), rules).lifetime, 0s);
}

TEST(RouteLifetime, TheDefaultDoesNotKeepErrorsOfTheMoment) {
  Rules rules;
  rules.ttl_default = 60s;
  for (const int status : {302, 403, 500, 501, 503}) {
    EXPECT_EQ(fresh_at_once(answer(status), rules).source, LifetimeSource::none) << status;
  }
}

TEST(RouteLifetime, TheLeastRaisesExplicitAndGuessedLifetimes) {
  Rules rules;
  rules.ttl_min = 60s;
  EXPECT_EQ(fresh_at_once(answer(200, {{"cache-control", "max-age=5"}}), rules).lifetime, 60s);
  EXPECT_EQ(fresh_at_once(answer(200, {{"cache-control", "max-age=500"}}), rules).lifetime, 500s);
  const std::string modified = date_at(-100s);
  EXPECT_EQ(fresh_at_once(answer(200, {{"date", kNowText}, {"last-modified", modified}}), rules).lifetime, 60s);
}

TEST(RouteLifetime, TheLeastGivesNoLifetimeToWhatHasNoneOrForbidsIt) {
  Rules rules;
  rules.ttl_min = 60s;
  EXPECT_EQ(fresh_at_once(answer(200), rules).lifetime, 0s);
  for (const std::string_view d : {"no-store, max-age=5", "private, max-age=5", "no-cache, max-age=5"}) {
    EXPECT_EQ(fresh_at_once(answer(200, {{"cache-control", d}}), rules).lifetime, 5s) << d;
  }
}

TEST(RouteLifetime, TheMostCutsAll) {
  Rules rules;
  rules.ttl_max = 10s;
  rules.ttl_default = 60s;
  const std::string expires = date_at(1000s);
  EXPECT_EQ(fresh_at_once(answer(200, {{"cache-control", "max-age=50"}}), rules).lifetime, 10s);
  EXPECT_EQ(fresh_at_once(answer(200, {{"cache-control", "s-maxage=50"}}), rules).lifetime, 10s);
  EXPECT_EQ(fresh_at_once(answer(200, {{"expires", expires}}), rules).lifetime, 10s);
  EXPECT_EQ(fresh_at_once(answer(200), rules).lifetime, 10s);
}

// RFC 9111 sections 4.2.3 and 5.1: age.

Millis initial_age(Lines lines) { return fresh_at_once(answer(200, lines)).initial_age; }

TEST(Age, TheFirstMemberOfTheFirstLineCounts) {
  EXPECT_EQ(initial_age({{"age", "7200"}}), 7200s);
  EXPECT_EQ(initial_age({{"age", "7200, 0"}}), 7200s);
  EXPECT_EQ(initial_age({{"age", "0, 7200"}}), 0s);
  EXPECT_EQ(initial_age({{"age", "7200"}, {"age", "0"}}), 7200s);
  EXPECT_EQ(initial_age({{"age", "0"}, {"age", "7200"}}), 0s);
}

TEST(Age, AnInvalidValueIsIgnored) {
  for (const std::string_view value : {"abc", "-7200", "7200.0", "", "x, 7200", "72 00", "\"7200\""}) {
    EXPECT_EQ(initial_age({{"age", value}}), 0s) << value;
  }
}

TEST(Age, AParameterDoesNotMakeItYounger) { EXPECT_EQ(initial_age({{"age", "7200;foo=bar"}}), 7200s); }

TEST(Age, WhatIsTooLargeIsVeryOld) {
  EXPECT_EQ(initial_age({{"age", "2147483648"}}), 2147483648s);
  EXPECT_EQ(initial_age({{"age", "99999999999999999999999"}}), 2147483648s);
}

TEST(Age, DateMakesItOlderButNeverYounger) {
  const std::string past = date_at(-100s), future = date_at(100s);
  EXPECT_EQ(initial_age({{"date", past}}), 100s);
  EXPECT_EQ(initial_age({{"date", past}, {"age", "30"}}), 100s);
  EXPECT_EQ(initial_age({{"date", past}, {"age", "300"}}), 300s);
  EXPECT_EQ(initial_age({{"date", future}, {"age", "15"}}), 15s);
  EXPECT_EQ(initial_age({{"date", future}}), 0s);
  EXPECT_EQ(initial_age({{"date", "foo"}}), 0s);
}

TEST(Age, CountsTheTimeOnTheWay) {
  EXPECT_EQ(freshness(answer(200, {{"age", "10"}}), kNow - 2500ms, kNow, {}).initial_age, 12'500ms);
  EXPECT_EQ(freshness(answer(200), kNow - 2500ms, kNow, {}).initial_age, 2500ms);
}

TEST(Age, TheFractionThatDateCannotTellIsNotHeldAgainstTheResponse) {
  EXPECT_EQ(freshness(answer(200, {{"date", kNowText}}), kNow + 950ms, kNow + 950ms, {}).initial_age, 0ms);
}

TEST(Age, GrowsWhileTheResponseRests) {
  const auto f = fresh_at_once(answer(200, {{"age", "10"}}));
  EXPECT_EQ(current_age(f, kNow, kNow), 10s);
  EXPECT_EQ(current_age(f, kNow, kNow + 1500ms), 11'500ms);
}

TEST(Age, DoesNotShrinkWhenAClockIsSetBack) {
  const auto f = freshness(answer(200, {{"age", "10"}}), kNow + 5s, kNow, {});
  EXPECT_EQ(f.initial_age, 10s);
  EXPECT_EQ(current_age(f, kNow, kNow - 100s), 10s);
}

// What it may be used for.

Freshness lasting(Seconds lifetime) {
  Freshness f;
  f.lifetime = lifetime;
  f.source = LifetimeSource::max_age;
  return f;
}
RequestDirectives asking(std::string_view cache_control) {
  return request_directives(headers_of({{"cache-control", cache_control}}));
}
Use use(const Freshness& f, Millis age, std::string_view cache_control = "", const Rules& rules = {}) {
  return decide_use(f, age, asking(cache_control), rules);
}

TEST(DecideUse, AResponseIsFreshWhileItsLifetimeExceedsItsAge) {
  EXPECT_EQ(use(lasting(10s), 9999ms), Use::fresh);
  EXPECT_EQ(use(lasting(10s), 10s), Use::must_validate);
  EXPECT_EQ(use(lasting(0s), 0s), Use::must_validate);
}

TEST(DecideUse, NoCacheInTheResponseAlwaysAsks) {
  auto f = lasting(10s);
  f.always_validate = true;
  EXPECT_EQ(use(f, 0s), Use::must_validate);
  EXPECT_EQ(use(f, 0s, "max-stale"), Use::must_validate);
}

TEST(DecideUse, NoCacheInTheRequestAsks) { EXPECT_EQ(use(lasting(10s), 0s, "no-cache"), Use::must_validate); }

TEST(DecideUse, MaxAgeBoundsTheAge) {
  EXPECT_EQ(use(lasting(100s), 5s, "max-age=5"), Use::fresh);
  EXPECT_EQ(use(lasting(100s), 5001ms, "max-age=5"), Use::must_validate);
}

TEST(DecideUse, MaxAgeZeroAsksEvenAboutWhatHasJustCome) {
  EXPECT_EQ(use(lasting(100s), 0s, "max-age=0"), Use::must_validate);
}

TEST(DecideUse, MinFreshWantsThatMuchLeft) {
  EXPECT_EQ(use(lasting(100s), 40s, "min-fresh=60"), Use::fresh);
  EXPECT_EQ(use(lasting(100s), 41s, "min-fresh=60"), Use::must_validate);
}

TEST(DecideUse, MaxStaleTakesAStaleResponseAsOldAsItSays) {
  EXPECT_EQ(use(lasting(10s), 15s, "max-stale=5"), Use::stale_revalidate);
  EXPECT_EQ(use(lasting(10s), 16s, "max-stale=5"), Use::must_validate);
  EXPECT_EQ(use(lasting(10s), 9999s, "max-stale"), Use::stale_revalidate);
  EXPECT_EQ(use(lasting(10s), 5s, "max-stale=5"), Use::fresh);
}

TEST(DecideUse, MaxStaleWithoutSecondsDoesNotWidenOneWithThem) {
  EXPECT_EQ(use(lasting(10s), 16s, "max-stale, max-stale=5"), Use::must_validate);
  EXPECT_EQ(use(lasting(10s), 15s, "max-stale=5, max-stale"), Use::stale_revalidate);
}

TEST(DecideUse, MaxStaleCannotOverruleTheOrigin) {
  auto f = lasting(10s);
  f.never_stale = true;
  EXPECT_EQ(use(f, 11s, "max-stale"), Use::must_validate);
}

TEST(DecideUse, StaleWhileRevalidateServesWithinItsWindow) {
  auto f = lasting(10s);
  f.stale_while_revalidate = 5s;
  EXPECT_EQ(use(f, 9s), Use::fresh);
  EXPECT_EQ(use(f, 10s), Use::stale_revalidate);
  EXPECT_EQ(use(f, 14'999ms), Use::stale_revalidate);
  EXPECT_EQ(use(f, 15s), Use::must_validate);
}

TEST(DecideUse, AClientThatBoundsTheAgeGetsNothingStale) {
  auto f = lasting(10s);
  f.stale_while_revalidate = 50s;
  EXPECT_EQ(use(f, 12s, "max-age=30"), Use::must_validate);
  EXPECT_EQ(use(f, 12s, "min-fresh=1"), Use::must_validate);
  EXPECT_EQ(use(f, 12s, "max-age=30, max-stale=5"), Use::stale_revalidate);
}

TEST(DecideUse, RequestDirectivesCountOnlyWhereTheRouteHonoursThem) {
  Rules rules;
  rules.honoured = {false, false, false, false, false, false};
  EXPECT_EQ(use(lasting(10s), 5s, "no-cache, max-age=0, min-fresh=100", rules), Use::fresh);
  EXPECT_EQ(use(lasting(10s), 11s, "max-stale", rules), Use::must_validate);
  auto f = lasting(10s);
  f.stale_while_revalidate = 5s;
  EXPECT_EQ(use(f, 11s, "no-cache", rules), Use::stale_revalidate);
  f.always_validate = true;
  EXPECT_EQ(use(f, 1s, "", rules), Use::must_validate);
}

TEST(DecideUse, ImmutableDoesNotOverruleTheClientsNoCache) { // RFC 8246 section 2
  const auto f = fresh_at_once(answer(200, {{"cache-control", "max-age=100, immutable"}}));
  EXPECT_EQ(use(f, 5s), Use::fresh);
  EXPECT_EQ(use(f, 5s, "no-cache"), Use::must_validate);
  EXPECT_EQ(use(f, 100s), Use::must_validate); // a stale one is as stale as any other
}

TEST(DecideUse, AFreshImmutableResponseIsNotValidatedForAReload) { // RFC 8246 section 2
  const auto f = fresh_at_once(answer(200, {{"cache-control", "max-age=100, immutable"}}));
  EXPECT_EQ(use(f, 5s, "max-age=0"), Use::fresh);
  EXPECT_EQ(use(f, 5s, "max-age=3"), Use::fresh);
  EXPECT_EQ(use(f, 100s, "max-age=0"), Use::must_validate);
  EXPECT_EQ(use(f, 5s, "min-fresh=200"), Use::must_validate);
  const auto other = fresh_at_once(answer(200, {{"cache-control", "max-age=100"}}));
  EXPECT_EQ(use(other, 5s, "max-age=0"), Use::must_validate);
}

TEST(DecideUse, EachRequestDirectiveCanBeSwitchedOffAlone) {
  const auto only = [](bool Honoured::* which) {
    Rules rules;
    rules.honoured = {false, false, false, false, false, false};
    rules.honoured.*which = true;
    return rules;
  };
  const auto f = lasting(10s);
  EXPECT_EQ(use(f, 5s, "no-cache", only(&Honoured::no_cache)), Use::must_validate);
  EXPECT_EQ(use(f, 5s, "max-age=1, min-fresh=100", only(&Honoured::no_cache)), Use::fresh);
  EXPECT_EQ(use(f, 5s, "max-age=1", only(&Honoured::max_age)), Use::must_validate);
  EXPECT_EQ(use(f, 5s, "no-cache, min-fresh=100", only(&Honoured::max_age)), Use::fresh);
  EXPECT_EQ(use(f, 5s, "min-fresh=100", only(&Honoured::min_fresh)), Use::must_validate);
  EXPECT_EQ(use(f, 5s, "no-cache, max-age=1", only(&Honoured::min_fresh)), Use::fresh);
  EXPECT_EQ(use(f, 11s, "max-stale=5, no-cache", only(&Honoured::max_stale)), Use::stale_revalidate);
  EXPECT_EQ(use(f, 11s, "max-stale", only(&Honoured::no_cache)), Use::must_validate);
}

// Errors that name no lifetime.

TEST(NegativeTtl, IsForErrorsThatNameNoLifetime) {
  Rules rules;
  rules.negative = {{404, 10s}, {4, 2s}, {503, 1s}};
  EXPECT_EQ(fresh_at_once(answer(404), rules).lifetime, 10s); // the status goes before its class
  EXPECT_EQ(fresh_at_once(answer(410), rules).lifetime, 2s);
  EXPECT_EQ(fresh_at_once(answer(503), rules).lifetime, 1s);
  EXPECT_EQ(fresh_at_once(answer(503), rules).source, LifetimeSource::negative);
  EXPECT_EQ(fresh_at_once(answer(500), rules).source, LifetimeSource::none);
  EXPECT_EQ(fresh_at_once(answer(200), rules).source, LifetimeSource::none);
}

TEST(NegativeTtl, TheOriginsOwnWordGoesBefore) {
  Rules rules;
  rules.negative = {{4, 60s}};
  EXPECT_EQ(fresh_at_once(answer(404, {{"cache-control", "max-age=5"}}), rules).lifetime, 5s);
  EXPECT_EQ(fresh_at_once(answer(404, {{"cache-control", "max-age=0"}}), rules).lifetime, 0s);
  EXPECT_EQ(fresh_at_once(answer(404, {{"expires", "0"}}), rules).lifetime, 0s);
  EXPECT_TRUE(fresh_at_once(answer(404, {{"cache-control", "no-cache"}}), rules).always_validate);
}

TEST(NegativeTtl, GoesBeforeTheGuessTheDefaultAndTheLeast) {
  Rules rules;
  rules.negative = {{404, 10s}};
  rules.ttl_default = 60s;
  rules.ttl_min = 30s;
  EXPECT_EQ(fresh_at_once(answer(404, {{"last-modified", date_at(-100'000s)}}), rules).lifetime, 10s);
  rules.ttl_max = 4s;
  EXPECT_EQ(fresh_at_once(answer(404), rules).lifetime, 4s);
}

TEST(NegativeTtl, AnErrorIsNotShownLongerThanIt) {
  Rules rules;
  rules.negative = {{5, 1s}};
  rules.stale_while_revalidate = 60s;
  rules.stale_if_error = 60s;
  const auto f = fresh_at_once(answer(503), rules);
  EXPECT_EQ(use(f, 2s, "", rules), Use::must_validate);
  EXPECT_FALSE(may_serve_stale_on_error(f, 2s, true));
  EXPECT_FALSE(may_serve_stale_on_error(f, 2s, false));
}

// RFC 9111 section 4.2.4 and RFC 5861: stale answers.

Freshness of(std::string_view cache_control, const Rules& rules = {}) {
  return fresh_at_once(answer(200, {{"cache-control", cache_control}}), rules);
}

TEST(Stale, IsServedWhenTheOriginCannotBeReached) { EXPECT_TRUE(may_serve_stale_on_error(of("max-age=2"), 1h, false)); }

TEST(Stale, IsNotServedForAnErrorTheOriginSentUnlessAWindowSaysSo) {
  EXPECT_FALSE(may_serve_stale_on_error(of("max-age=2"), 3s, true));
  EXPECT_TRUE(may_serve_stale_on_error(of("max-age=2, stale-if-error=60"), 61'999ms, true));
  EXPECT_FALSE(may_serve_stale_on_error(of("max-age=2, stale-if-error=60"), 62s, true));
}

TEST(Stale, TheRoutesWindowsServeWhereTheResponseNamesNone) {
  Rules rules;
  rules.stale_if_error = 60s;
  rules.stale_while_revalidate = 30s;
  EXPECT_TRUE(may_serve_stale_on_error(of("max-age=2", rules), 61s, true));
  EXPECT_EQ(of("max-age=2", rules).stale_while_revalidate, 30s);
  EXPECT_EQ(of("max-age=2, stale-while-revalidate=0, stale-if-error=5", rules).stale_while_revalidate, 0s);
  EXPECT_EQ(of("max-age=2, stale-while-revalidate=0, stale-if-error=5", rules).stale_if_error, 5s);
}

TEST(Stale, MustRevalidateProxyRevalidateNoCacheAndSMaxageForbidIt) {
  Rules rules;
  rules.stale_if_error = 60s;
  rules.stale_while_revalidate = 60s;
  for (const std::string_view d : {"max-age=2, must-revalidate", "max-age=2, proxy-revalidate", "max-age=2, no-cache",
                                   "s-maxage=2", "max-age=2, s-maxage=2"}) {
    const auto f = of(d, rules);
    EXPECT_FALSE(may_serve_stale_on_error(f, 3s, false)) << d;
    EXPECT_FALSE(may_serve_stale_on_error(f, 3s, true)) << d;
    EXPECT_EQ(use(f, 3s), Use::must_validate) << d;
    EXPECT_EQ(use(f, 3s, "max-stale"), Use::must_validate) << d;
  }
}

TEST(Stale, MustRevalidateForbidsEvenWindowsTheResponseNames) {
  const auto f = of("max-age=2, must-revalidate, stale-while-revalidate=60, stale-if-error=60");
  EXPECT_EQ(use(f, 3s), Use::must_validate);
  EXPECT_FALSE(may_serve_stale_on_error(f, 3s, true));
}

TEST(Stale, AWindowNamedBesideSMaxageIsTheOriginsWish) {
  const auto f = of("s-maxage=2, stale-while-revalidate=60");
  EXPECT_EQ(use(f, 3s), Use::stale_revalidate);
  EXPECT_EQ(use(f, 3s, "max-stale"), Use::stale_revalidate);
  EXPECT_EQ(use(f, 63s), Use::must_validate);
  EXPECT_FALSE(may_serve_stale_on_error(f, 3s, false)); // no stale-if-error was named
}

TEST(Stale, WhatIsFreshIsServedWhenTheOriginCannotBeReached) {
  EXPECT_TRUE(may_serve_stale_on_error(of("max-age=20, must-revalidate"), 3s, false));
  EXPECT_FALSE(may_serve_stale_on_error(of("max-age=20"), 3s, true)); // a client's reload sees the origin's error
}

// RFC 9213.

TEST(TargetedLifetime, CdnCacheControlMakesExpiresVoid) {
  const std::string expires = date_at(10'000s);
  EXPECT_EQ(fresh_at_once(answer(200, {{"cdn-cache-control", "max-age=3600"}, {"expires", "0"}})).lifetime, 3600s);
  EXPECT_EQ(fresh_at_once(answer(200, {{"cdn-cache-control", "max-age=0"}, {"expires", expires}})).lifetime, 0s);
  EXPECT_EQ(fresh_at_once(answer(200, {{"cdn-cache-control", "foo"}, {"expires", expires}})).source,
            LifetimeSource::none);
}

TEST(TargetedLifetime, AgeCountsStill) {
  const auto f = fresh_at_once(answer(200, {{"cdn-cache-control", "max-age=3600"}, {"age", "7200"}}));
  EXPECT_EQ(use(f, f.initial_age), Use::must_validate);
}

} // namespace
} // namespace verge::policy
