#include "proxy/base/metrics.h"

#include <gmock/gmock.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace verge::metrics {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Metrics, ACounterSumsOverThreads) {
  Counter counter("test_sum_total", "", "Additions.");
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kSlots + 4; ++i) { // more threads than slots: some share one
    threads.emplace_back([&counter] {
      for (int n = 0; n < 100; ++n) counter.add();
      counter.add(5);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(counter.value(), (kSlots + 4) * 105);
}

TEST(Metrics, AreRenderedByFamilyWithHelpAndTypeOnce) {
  Counter ok("test_b_total", "status=\"200\"", "Requests.");
  Gauge level("test_a_level", "", "How full.", [] { return 0.5; });
  Counter bad("test_b_total", "status=\"500\"", "Requests.");
  ok.add(3);
  EXPECT_THAT(render(), HasSubstr("# HELP test_a_level How full.\n# TYPE test_a_level gauge\ntest_a_level 0.5\n"
                                  "# HELP test_b_total Requests.\n# TYPE test_b_total counter\n"
                                  "test_b_total{status=\"200\"} 3\ntest_b_total{status=\"500\"} 0\n"));
}

TEST(Metrics, AHistogramCountsUpToEachBound) {
  Histogram histogram("test_seconds", "", "Durations.");
  histogram.observe_us(100);        // on the first bound
  histogram.observe_us(101);        // just above it
  histogram.observe_us(2'000'000);  // 2 s
  histogram.observe_us(90'000'000); // beyond the last
  const std::string text = render();
  EXPECT_THAT(text, HasSubstr("test_seconds_bucket{le=\"0.0001\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("test_seconds_bucket{le=\"0.00025\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("test_seconds_bucket{le=\"1\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("test_seconds_bucket{le=\"2.5\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("test_seconds_bucket{le=\"60\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("test_seconds_bucket{le=\"+Inf\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("test_seconds_sum 92.000201\n"));
  EXPECT_THAT(text, HasSubstr("test_seconds_count 4\n"));
}

TEST(Metrics, WhatIsGoneIsNotRendered) {
  {
    const Counter passing("test_passing_total", "", "Short-lived.");
  }
  EXPECT_THAT(render(), Not(HasSubstr("test_passing_total")));
}

TEST(Metrics, PromtoolAcceptsThePage) {
  if (std::system("command -v promtool >/dev/null 2>&1") != 0) GTEST_SKIP() << "promtool is not installed";
  Counter counter("test_requests_total", "status=\"200\",result=\"hit\"", "Requests.");
  Gauge gauge("test_stored_bytes", "", "Octets stored.", [] { return 1e12; });
  Histogram histogram("test_answer_seconds", "", "From request to last octet.");
  histogram.observe_us(1234);
  FILE* promtool = popen("promtool check metrics", "w");
  ASSERT_NE(promtool, nullptr);
  const std::string text = render();
  EXPECT_EQ(fwrite(text.data(), 1, text.size(), promtool), text.size());
  const int status = pclose(promtool);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << text;
}

} // namespace
} // namespace verge::metrics
