#include "proxy/control/events/event_match.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "config/loader.h"

namespace verge::control {
namespace {

// A pattern as a configuration has it.
config::EventPattern pattern(const std::string& when) {
  const auto loaded = config::load_text(
      "listen: [{address: \"127.0.0.1:0\"}]\norigins: {dir: {type: folder, path: public}}\n"
      "sites: [{hosts: [\"*\"], routes: [{match: /*, origin: dir}]}]\n"
      "invalidation: {rules: [{when: " +
          when + ", purge: {all: true}}]}\n",
      "f", "");
  EXPECT_TRUE(loaded.faults.empty()) << when << ": " << loaded.faults.front().text();
  return loaded.config.invalidation.rules.front().when;
}
bool fit(const std::string& when, const std::string& event) {
  return fits(pattern(when), nlohmann::json::parse(event));
}

TEST(EventMatch, EveryFieldMustFit) {
  const std::string when = "{source: aws.codedeploy, detail: {state: SUCCESS, application: shop}}";
  EXPECT_TRUE(fit(when, R"({"source":"aws.codedeploy","detail":{"state":"SUCCESS","application":"shop","x":1}})"));
  EXPECT_FALSE(fit(when, R"({"source":"aws.codedeploy","detail":{"state":"FAILURE","application":"shop"}})"));
  EXPECT_FALSE(fit(when, R"({"source":"aws.codedeploy","detail":{"state":"SUCCESS"}})"));
  EXPECT_FALSE(fit(when, R"({"source":"aws.codedeploy","detail":"SUCCESS"})"));
  EXPECT_FALSE(fit(when, R"({})"));
  EXPECT_FALSE(fit(when, R"("text")"));
}

TEST(EventMatch, APatternOfEventBridgeIsTakenAsItIs) {
  const std::string when = R"({"source": ["aws.s3"], "detail-type": ["Object Created"],
                               "detail": {"object": {"key": [{"prefix": "images/"}]}}})";
  EXPECT_TRUE(
      fit(when, R"({"source":"aws.s3","detail-type":"Object Created","detail":{"object":{"key":"images/a"}}})"));
  EXPECT_FALSE(fit(when, R"({"source":"aws.s3","detail-type":"Object Created","detail":{"object":{"key":"a"}}})"));
}

TEST(EventMatch, OneOfSeveralValuesIsEnough) {
  EXPECT_TRUE(fit("{a: [x, y]}", R"({"a":"y"})"));
  EXPECT_FALSE(fit("{a: [x, y]}", R"({"a":"z"})"));
  EXPECT_FALSE(fit("{a: x}", R"({"a":"X"})")) << "case counts";
}

TEST(EventMatch, AListInTheEventFitsByOneOfItsItems) {
  EXPECT_TRUE(fit("{a: x}", R"({"a":["w","x"]})"));
  EXPECT_FALSE(fit("{a: x}", R"({"a":["w"]})"));
  EXPECT_FALSE(fit("{a: x}", R"({"a":[]})"));
  EXPECT_TRUE(fit("{r: {k: x}}", R"({"r":[{"k":"w"},{"k":"x"}]})"));
}

TEST(EventMatch, NumbersAndWordsOfJsonCompareByTheirText) {
  EXPECT_TRUE(fit("{a: 5}", R"({"a":5})"));
  EXPECT_TRUE(fit("{a: 5}", R"({"a":"5"})"));
  EXPECT_TRUE(fit("{a: true}", R"({"a":true})"));
  EXPECT_TRUE(fit("{a: \"null\"}", R"({"a":null})"));
  EXPECT_FALSE(fit("{a: 5}", R"({"a":{"5":1}})"));
}

TEST(EventMatch, KnowsTheWordsOfEventBridge) {
  EXPECT_TRUE(fit("{a: [{prefix: ab}]}", R"({"a":"abc"})"));
  EXPECT_FALSE(fit("{a: [{prefix: ab}]}", R"({"a":"xab"})"));
  EXPECT_TRUE(fit("{a: [{suffix: bc}]}", R"({"a":"abc"})"));
  EXPECT_TRUE(fit("{a: [{wildcard: \"a*/x*\"}]}", R"({"a":"abc/xyz"})"));
  EXPECT_FALSE(fit("{a: [{wildcard: \"a*/x\"}]}", R"({"a":"abc/xyz"})"));
  EXPECT_TRUE(fit("{a: [{equals-ignore-case: Abc}]}", R"({"a":"aBC"})"));
  EXPECT_TRUE(fit("{a: [{exists: true}]}", R"({"a":null})"));
  EXPECT_FALSE(fit("{a: [{exists: true}]}", R"({"b":1})"));
  EXPECT_TRUE(fit("{a: [{exists: false}]}", R"({"b":1})"));
  EXPECT_TRUE(fit("{d: {a: [{exists: false}]}}", R"({"b":1})"));
  EXPECT_FALSE(fit("{a: [{exists: false}]}", R"({"a":[1]})"));
}

TEST(EventMatch, AnythingButNeedsAValueThatIsNoneOfThem) {
  EXPECT_TRUE(fit("{a: [{anything-but: x}]}", R"({"a":"y"})"));
  EXPECT_FALSE(fit("{a: [{anything-but: [x, y]}]}", R"({"a":"y"})"));
  EXPECT_FALSE(fit("{a: [{anything-but: x}]}", R"({})")) << "there is no value";
  EXPECT_TRUE(fit("{a: [{anything-but: {prefix: tmp}}]}", R"({"a":"x/tmp"})"));
  EXPECT_FALSE(fit("{a: [{anything-but: {prefix: [tmp, x/]}}]}", R"({"a":"x/tmp"})"));
  EXPECT_FALSE(fit("{a: [{anything-but: {wildcard: \"*.tmp\"}}]}", R"({"a":"x.tmp"})"));
}

TEST(EventMatch, AFieldNamedAsATestIsAFieldOutsideLists) {
  EXPECT_TRUE(fit("{a: {prefix: x}}", R"({"a":{"prefix":"x"}})"));
  EXPECT_FALSE(fit("{a: {prefix: x}}", R"({"a":"xy"})"));
}

} // namespace
} // namespace verge::control
