#include "proxy/pipeline/failing.h"

#include <gtest/gtest.h>

namespace verge::pipeline {
namespace {

using namespace std::chrono_literals;

struct FailingTest : ::testing::Test {
  ManualClock clock{WallTime{}};
  Failing failing{clock};
  void fail(Errc code, std::string_view key) {
    failing.failed("app", key, Error{code, Side::origin, Retry::never, ""}, 10s);
  }
};

TEST_F(FailingTest, NoAnswerAtAllIsRememberedForTheWholeOrigin) {
  fail(Errc::timeout, "a");
  EXPECT_TRUE(failing.is_failing("app", "a"));
  EXPECT_TRUE(failing.is_failing("app", "b"));
  EXPECT_FALSE(failing.is_failing("other", "b"));
}
TEST_F(FailingTest, ABrokenAnswerIsRememberedForItsKey) {
  fail(Errc::closed, "a");
  EXPECT_TRUE(failing.is_failing("app", "a"));
  EXPECT_FALSE(failing.is_failing("app", "b"));
}
TEST_F(FailingTest, IsForgottenAfterItsTime) {
  fail(Errc::refused, "a");
  clock.advance(10s);
  EXPECT_FALSE(failing.is_failing("app", "a"));
}
TEST_F(FailingTest, AGoodAnswerEndsIt) {
  fail(Errc::refused, "a");
  failing.answered("app", "a");
  EXPECT_FALSE(failing.is_failing("app", "a"));
  EXPECT_FALSE(failing.is_failing("app", "b"));
}
TEST_F(FailingTest, WhatTheClientOrWeDidIsNotTheOriginsFault) {
  failing.failed("app", "a", Error{Errc::timeout, Side::client, Retry::never, ""}, 10s);
  EXPECT_FALSE(failing.is_failing("app", "a"));
}
TEST_F(FailingTest, NothingIsRememberedForNoTime) {
  failing.failed("app", "a", Error{Errc::timeout, Side::origin, Retry::never, ""}, 0s);
  EXPECT_FALSE(failing.is_failing("app", "a"));
}
TEST_F(FailingTest, AnOriginThatDoesNotAnswerIsProbedOnceASecond) {
  EXPECT_TRUE(failing.may_probe("app"));
  fail(Errc::timeout, "a");
  EXPECT_FALSE(failing.may_probe("app"));
  clock.advance(1s);
  EXPECT_TRUE(failing.may_probe("app"));
  EXPECT_FALSE(failing.may_probe("app"));
}

} // namespace
} // namespace verge::pipeline
