#include "proxy/control/fleet/fleet_report.h"

#include <gmock/gmock.h>

namespace verge::control {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

FleetReport report(const char* nodes, const char* more = "") {
  return fleet_report(json::parse(std::string(R"({"id": "I7", "nodes": [)") + nodes + "]" + more + "}"), Millis(1'500));
}
constexpr const char* kA = R"({"node": "edge-1", "state": "applied", "seq": 17, "applied_at": 1700000000123, "ms": 0.75,
                               "entries": 3},)";

TEST(FleetReport, ListsTheNodesAndTheSlowest) {
  const auto all = report((std::string(kA) + R"({"node": "edge-number-2", "state": "applied", "seq": 4,
                                               "applied_at": 1700000000200, "ms": 12.44})")
                              .c_str());
  EXPECT_EQ(all.table,
            "NODE            SEQUENCE APPLIED                          MS    ENTRIES\n"
            "edge-1                17 2023-11-14T22:13:20.123Z        0.8          3\n"
            "edge-number-2          4 2023-11-14T22:13:20.200Z       12.4          -\n"
            "slowest: edge-number-2, 12.4 ms");
  EXPECT_THAT(all.fault, IsEmpty());
  EXPECT_EQ(all.status, 0);
}

TEST(FleetReport, NamesNodesThatAreDown) {
  const auto some =
      report((std::string(kA) + R"({"node": "edge-2", "state": "down", "why": "connection refused"})").c_str());
  EXPECT_EQ(some.status, kSomeNodesDown);
  EXPECT_EQ(some.fault, "down: edge-2 (connection refused)");
  EXPECT_THAT(some.table, HasSubstr("\nedge-2          - down "));
}

TEST(FleetReport, NamesNodesThatLiveAndHaveNotAppliedIt) {
  const auto some = report((std::string(kA) + R"({"node": "edge-2", "state": "waiting"},
                                                {"node": "edge-3", "state": "down"})")
                               .c_str());
  EXPECT_EQ(some.status, kNotOnAllNodes);
  EXPECT_EQ(some.fault,
            "not applied within 1.5 s by edge-2, though alive; do they get what is published to fleet.topic? `verge "
            "purges --wait I7` goes on waiting; down: edge-3");
}

TEST(FleetReport, SaysHowToMendWhatWasNotCarried) {
  const auto some = report((std::string(kA) + R"({"node": "edge-2", "state": "unsent"})").c_str(),
                           R"(, "unsent": "fleet.topic is not set")");
  EXPECT_EQ(some.status, kNotOnAllNodes);
  EXPECT_THAT(some.fault, HasSubstr("not applied by edge-2: fleet.topic is not set. Set fleet.topic to the SNS topic"));
  EXPECT_THAT(some.fault, HasSubstr("--id I7"));
}

TEST(FleetReport, TakesNothingForGranted) {
  EXPECT_EQ(fleet_report(json(7), Millis(0)).status, 0);
  EXPECT_EQ(report(R"(7, {"node": 1}, {"state": "applied"}, {"state": "applied", "ms": "x", "seq": -1})").status,
            kNotOnAllNodes);
  EXPECT_THAT(report(R"({"node": "a\u001b[2J", "state": "down", "why": "x\u0007"})").fault, Not(HasSubstr("\x1b")));
  EXPECT_NE(report(R"({"node": "a", "state": "applied", "ms": 1, "applied_at": 18446744073709551615})").table, "");
}

} // namespace
} // namespace verge::control
