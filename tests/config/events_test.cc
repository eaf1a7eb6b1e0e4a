// Rules of events: what is a fault, and where.
#include "tests/config/faults.h"

namespace verge::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> when_faults(const std::string& when) {
  return faults_after_sound("invalidation: {rules: [{when: " + when + ", purge: {all: true}}]}\n");
}

TEST(Rules, ARuleNeedsBothHalvesAndSomethingToPurge) {
  EXPECT_THAT(faults_after_sound("invalidation: {rules: [{when: {source: a}}]}\n"),
              ElementsAre(HasSubstr("\"purge\"")));
  EXPECT_THAT(faults_after_sound("invalidation: {rules: [{purge: {all: true}}]}\n"),
              ElementsAre(HasSubstr("\"when\"")));
  EXPECT_THAT(faults_after_sound("invalidation: {rules: [{when: {source: a}, purge: {soft: true}}]}\n"),
              ElementsAre("4:51: nothing to purge: give paths, tags or all"));
  EXPECT_THAT(faults_after_sound("invalidation: {rules: []}\n"), ElementsAre(HasSubstr("the list is empty")));
}

TEST(Rules, WhatIsPurgedIsCheckedWithItsPlace) {
  const auto purge = [](const std::string& what) {
    return faults_after_sound("invalidation: {rules: [{when: {source: a}, purge: {" + what + "}}]}\n");
  };
  EXPECT_THAT(purge("paths: [img]"), ElementsAre("4:60: \"img\" must be a path, a pattern or a URL: /a, /img/*"));
  EXPECT_THAT(purge("paths: [\"/a b\"]"), ElementsAre(HasSubstr("must be visible ASCII")));
  EXPECT_THAT(purge("paths: [\"/a#b\"]"), ElementsAre(HasSubstr("fragment")));
  EXPECT_THAT(purge("tags: [\"a b\"]"), ElementsAre(HasSubstr("may not hold spaces")));
  EXPECT_THAT(purge("hosts: [https://a], all: true"), ElementsAre(HasSubstr("must be a host")));
  EXPECT_THAT(purge("paths: [/a, /img/*, \"*.css\", \"https://a.b/c\"], tags: [x], hosts: [a.b]"), IsEmpty());
}

TEST(Rules, APatternMayBeAsEventBridgeHasIt) {
  EXPECT_THAT(when_faults(R"({"source": ["aws.s3"], "detail": {"object": {"key": [{"prefix": "a/"}, "b"]}}})"),
              IsEmpty());
  EXPECT_THAT(when_faults("{a: [{anything-but: {suffix: [x, y]}}, {exists: false}]}"), IsEmpty());
}

TEST(Rules, AFaultyPatternIsToldWithItsPlace) {
  EXPECT_THAT(when_faults("aws.s3"), ElementsAre(HasSubstr("4:31: a mapping is needed here, as {source:")));
  EXPECT_THAT(when_faults("{}"), ElementsAre(HasSubstr("the mapping is empty")));
  EXPECT_THAT(when_faults("{a: []}"), ElementsAre(HasSubstr("the list is empty")));
  EXPECT_THAT(when_faults("{a: }"), ElementsAre(HasSubstr("4:")));
  EXPECT_THAT(when_faults("{a: [{prefx: x}]}"), ElementsAre(HasSubstr("did you mean \"prefix\"?")));
  EXPECT_THAT(when_faults("{a: [{numeric: [\">\", 0]}]}"), ElementsAre(HasSubstr("\"numeric\" is no test")));
  EXPECT_THAT(when_faults("{a: [{prefix: x, suffix: y}]}"), ElementsAre(HasSubstr("exactly one word")));
  EXPECT_THAT(when_faults("{$or: [{a: x}, {a: y}]}"), ElementsAre(HasSubstr("write a rule for each case")));
  EXPECT_THAT(when_faults("{a: [{exists: maybe}]}"), ElementsAre(HasSubstr("exists is true or false")));
  EXPECT_THAT(when_faults("{a: [{anything-but: {exists: true}}]}"), ElementsAre(HasSubstr("anything-but can't hold")));
  EXPECT_THAT(when_faults("{a: [[x]]}"), ElementsAre(HasSubstr("4:")));
  std::string deep = "x";
  for (int i = 0; i < 18; ++i) deep = "{a: " + deep + "}";
  EXPECT_THAT(when_faults(deep), ElementsAre(HasSubstr("nested deeper than 16")));
}

// ---- The doors

TEST(Push, NeedsAProof) {
  const auto push = [](const std::string& more) {
    return faults_after_sound("invalidation: {push: {" + more + "}}\n");
  };
  EXPECT_THAT(push("path: /events"), ElementsAre(HasSubstr("a path whose last part nobody can guess")));
  EXPECT_THAT(push("path: /events/012345678901234567890123/x"), ElementsAre(HasSubstr("nobody can guess")));
  EXPECT_THAT(push("path: /events/012345678901234567890123"), IsEmpty());
  EXPECT_THAT(push("path: /events, user: u, password: p"), IsEmpty());
  EXPECT_THAT(push("path: /events, key: k"), IsEmpty());
  EXPECT_THAT(push("path: /events, user: u, key: k"), ElementsAre(HasSubstr("go together")));
  EXPECT_THAT(push("path: /events, user: \"u:v\", password: p"), ElementsAre(HasSubstr("colon")));
  EXPECT_THAT(push("key: k"), ElementsAre(HasSubstr("\"path\"")));
  EXPECT_THAT(faults_after_sound("invalidation: {push: {path: /_verge/sns, key: k}, sns: {topics: "
                                 "[\"arn:aws:sns:eu-west-1:123456789012:t\"]}}\n"),
              ElementsAre(HasSubstr("a path of their own")));
}

std::vector<std::string> queue_faults(const std::string& queue) {
  return faults_after_sound("invalidation: {sqs: [{" + queue + "}]}\n");
}

TEST(Queues, TellTheirRegionByTheirUrl) {
  const auto loaded = load_text(kSound +
                                    "invalidation: {sqs: [{queue: https://sqs.eu-west-1.amazonaws.com/1/q},"
                                    " {queue: \"http://127.0.0.1:1/q\", region: local}]}\n",
                                "f", "");
  EXPECT_THAT(faults(loaded), IsEmpty());
  EXPECT_EQ(loaded.config.invalidation.sqs[0].region, "eu-west-1");
  EXPECT_EQ(loaded.config.invalidation.sqs[1].region, "local");
}

TEST(Queues, AreCheckedWithTheirPlace) {
  EXPECT_THAT(queue_faults("queue: \"http://127.0.0.1:1/q\""), ElementsAre(HasSubstr("\"region\" is missing")));
  EXPECT_THAT(queue_faults("queue: verge-node-1"), ElementsAre(HasSubstr("must be a URL")));
  EXPECT_THAT(queue_faults("queue: https://sqs.eu-west-1.amazonaws.com/1/q.fifo"), ElementsAre(HasSubstr("FIFO")));
  EXPECT_THAT(queue_faults("queue: https://sqs.eu-west-1.amazonaws.com/1/q, credentials: {access_key_id: a}"),
              ElementsAre(HasSubstr("secret_access_key")));
  EXPECT_THAT(queue_faults("queue: https://sqs.eu-west-1.amazonaws.com/1/q, topics: [deploys]"),
              ElementsAre(HasSubstr("is not a topic's ARN")));
  EXPECT_THAT(faults_after_sound("invalidation: {sqs: [{queue: https://sqs.eu-west-1.amazonaws.com/1/q},"
                                 " {queue: https://sqs.eu-west-1.amazonaws.com/1/q}]}\n"),
              ElementsAre(HasSubstr("is given twice")));
}

} // namespace
} // namespace verge::config
