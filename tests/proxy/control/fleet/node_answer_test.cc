#include "proxy/control/fleet/node_answer.h"

#include <gmock/gmock.h>

namespace verge::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string question_fault(std::string_view query) {
  const auto parsed = parse_question(query, Seconds(20));
  return parsed ? "(none)" : parsed.error().what;
}

TEST(NodeQuestion, IsReadAsItWasWritten) {
  const PurgeQuestion asked{{"I1", "3f2c8a52-9d0e-4b7a-8f64-1c2d3e4f5a6b", "sqs:x+y=@"}, {"I0"}, Millis(2'500)};
  const auto read = parse_question(to_query(asked), Seconds(20)).value();
  EXPECT_EQ(read.ids, asked.ids);
  EXPECT_EQ(read.counts, asked.counts);
  EXPECT_EQ(read.wait, asked.wait);
  EXPECT_EQ(to_query({}), "id=");
  EXPECT_THAT(parse_question("id=", Seconds(20))->ids, IsEmpty());
}

TEST(NodeQuestion, NobodyKeepsItOpenLongerThanTheLimit) {
  EXPECT_EQ(parse_question("wait=21", Seconds(20))->wait, Seconds(20));
  EXPECT_EQ(parse_question("wait=1e300", Seconds(20))->wait, Seconds(20));
  EXPECT_EQ(parse_question("wait=0", Seconds(20))->wait, Millis(0));
}

TEST(NodeQuestion, WhatIsNoneIsTold) {
  EXPECT_EQ(question_fault("wait=-1"), "wait=\"-1\" must be seconds, as 5 or 0.5");
  EXPECT_THAT(question_fault("wait="), HasSubstr("must be seconds"));
  EXPECT_THAT(question_fault("wait=nan"), HasSubstr("must be seconds"));
  EXPECT_THAT(question_fault("id=a,,b"), HasSubstr("\"\" is not a purge's id"));
  EXPECT_THAT(question_fault("id=a%20b"), HasSubstr("is not a purge's id"));
  EXPECT_THAT(question_fault("id=" + std::string(129, 'a')), HasSubstr("is not a purge's id"));
  EXPECT_THAT(question_fault("ids=a"), HasSubstr("unknown parameter \"ids\""));
  std::string many = "id=a";
  for (size_t i = 0; i < kMostAsked; ++i) many += ",a";
  EXPECT_EQ(question_fault(many), "more than 100 ids in one question");
}

TEST(NodeAnswer, TellsOfEachPurge) {
  const PurgeRow row{7, WallTime(Millis(1'700'000'000'123)), "admin", "", "I1", 1, {"/a"}, false, "c", 1'500};
  EXPECT_EQ(purge_json(row, 3).dump(),
            R"({"applied_at":1700000000123,"applied_ms":1.5,"content":"c","entries":3,"id":"I1","seq":7})");
  const nlohmann::json text = {
      {"node", "edge-1"}, {"instance", "x"}, {"purges", {purge_json(row, std::nullopt), purge_json(row, 3)}}};
  const auto answer = parse_node_answer(text.dump()).value();
  EXPECT_EQ(answer.node, "edge-1");
  ASSERT_EQ(answer.purges.size(), 2U);
  EXPECT_EQ(answer.purges[0].first, "I1");
  EXPECT_EQ(answer.purges[0].second.seq, 7U);
  EXPECT_EQ(answer.purges[0].second.at, row.time);
  EXPECT_FALSE(answer.purges[0].second.entries);
  EXPECT_EQ(answer.purges[1].second.entries, 3U);
}

TEST(NodeAnswer, AnythingElseIsNoNode) {
  const auto fault = [](const std::string& text) {
    const auto answer = parse_node_answer(text);
    return answer ? "(none)" : answer.error().what;
  };
  for (const char* text :
       {"", "<html>", "[]", R"({"node":"a","purges":[]})", R"({"node":"","instance":"x","purges":[]})",
        R"({"node":"a\u001b[2J","instance":"x","purges":[]})", R"({"node":"a","instance":"x"})"}) {
    EXPECT_EQ(fault(text), "it is not a node of a fleet") << text;
  }
  for (const char* purge : {"1", R"({"id":"a"})", R"({"id":"a","seq":-1,"applied_at":1})",
                            R"({"id":"a b","seq":1,"applied_at":1})", R"({"id":"a","seq":1,"applied_at":"x"})"}) {
    EXPECT_THAT(fault(std::string(R"({"node":"a","instance":"x","purges":[)") + purge + "]}"), HasSubstr("without id"))
        << purge;
  }
  std::string many = R"({"node":"a","instance":"x","purges":[0)";
  for (size_t i = 0; i < 2 * kMostAsked; ++i) many += ",0";
  EXPECT_THAT(fault(many + "]}"), HasSubstr("more purges than it was asked about"));
}

} // namespace
} // namespace verge::control
