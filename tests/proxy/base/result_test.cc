#include "proxy/base/result.h"

#include <gtest/gtest.h>

namespace verge {
namespace {

Result<int> connected(bool works) {
  if (works) return 7;
  return fail(Errc::timeout, "connect 10.0.3.7:443: timed out after 3s", Side::origin, Retry::safe);
}

TEST(Result, CarriesAValueOrWhatWentWrong) {
  EXPECT_EQ(connected(true).value(), 7);
  const auto failed = connected(false);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Errc::timeout);
  EXPECT_EQ(failed.error().side, Side::origin);
  EXPECT_EQ(failed.error().retry, Retry::safe);
}

TEST(Result, AFailureIsOursAndFinalUnlessSaidOtherwise) {
  const Result<> failed = fail(Errc::storage, "disk full");
  EXPECT_EQ(failed.error().side, Side::self);
  EXPECT_EQ(failed.error().retry, Retry::never);
}

TEST(Result, EachCallerAddsItsViewInFront) {
  auto failed = connected(false);
  const Error told = std::move(failed.error()).in("api-eu").in("origin");
  EXPECT_EQ(told.what, "origin: api-eu: connect 10.0.3.7:443: timed out after 3s");
  EXPECT_EQ(told.code, Errc::timeout);
}

} // namespace
} // namespace verge
