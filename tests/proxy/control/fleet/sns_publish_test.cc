#include "proxy/control/fleet/sns_publish.h"

#include <gmock/gmock.h>

#include "proxy/control/purge_request.h"

namespace verge::control {
namespace {

using cache::Target;
using testing::HasSubstr;

constexpr std::string_view kTopic = "arn:aws:sns:eu-west-1:123456789012:deploys";

TEST(SnsPublish, TheCallHoldsTopicAndMessageEncoded) {
  EXPECT_EQ(publish_body(kTopic, R"({"paths": ["/a b&c=d", "/ü"]})"),
            "Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A123456789012%3Adeploys&Message="
            "%7B%22paths%22%3A%20%5B%22%2Fa%20b%26c%3Dd%22%2C%20%22%2F%C3%BC%22%5D%7D");
}

TEST(SnsPublish, TheAnswerNamesTheMessage) {
  EXPECT_EQ(parse_publish_answer(200,
                                 "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>"
                                 "<MessageId>567910cd-659e-55d4-8ccb-5aaf14679dc0</MessageId></PublishResult>"
                                 "<ResponseMetadata><RequestId>x</RequestId></ResponseMetadata></PublishResponse>")
                .value(),
            "567910cd-659e-55d4-8ccb-5aaf14679dc0");
}

TEST(SnsPublish, AFaultIsToldInItsWordsAndWhetherToTryAgain) {
  const auto fault = [](int status, const std::string& code) {
    return parse_publish_answer(status, "<ErrorResponse><Error><Type>Sender</Type><Code>" + code +
                                            "</Code><Message>said so</Message></Error></ErrorResponse>")
        .error();
  };
  EXPECT_EQ(fault(403, "AuthorizationError").what, "status 403 AuthorizationError: said so");
  EXPECT_EQ(fault(403, "AuthorizationError").retry, Retry::never);
  EXPECT_EQ(fault(404, "NotFound").retry, Retry::never);
  EXPECT_EQ(fault(400, "Throttling").retry, Retry::safe);
  EXPECT_EQ(fault(429, "Any").retry, Retry::safe);
  EXPECT_EQ(fault(500, "InternalError").retry, Retry::safe);
}

TEST(SnsPublish, WhatSnsNeverSaysIsNoSuccess) {
  for (const char* body : {"", "<html>", "<MessageId></MessageId>", "<MessageId>abc"}) {
    EXPECT_THAT(parse_publish_answer(200, body).error().what, HasSubstr("not an answer of SNS")) << body;
  }
  EXPECT_EQ(parse_publish_answer(502, "<html>").error().retry, Retry::safe);
  EXPECT_FALSE(parse_publish_answer(200, "<MessageId>" + std::string(200, 'a') + "</MessageId>"));
}

// Whatever an API can name comes out at the other nodes as it went in.
TEST(PurgeMessage, CarriesEveryKindOfTargetAsItIs) {
  const cache::Invalidation purge{{{Target::Kind::all, "", ""},
                                   {Target::Kind::all, "*.example.org", ""},
                                   {Target::Kind::exact, "www.example.com", "/a?b=%20c"},
                                   {Target::Kind::pattern, "", "*.css"},
                                   {Target::Kind::pattern, "www.example.com:8443", "/img/*"},
                                   {Target::Kind::tag, "www.example.com", "product:tv"}},
                                  true,
                                  "cloudfront AKIAEXAMPLE E1",
                                  "I0123456789ABC"};
  const auto read = parse_purge(purge_message(purge, "edge-1 cloudfront AKIAEXAMPLE E1")).value();
  EXPECT_EQ(read.id, purge.id);
  EXPECT_EQ(read.soft, purge.soft);
  EXPECT_EQ(read.source, "edge-1 cloudfront AKIAEXAMPLE E1");
  ASSERT_EQ(read.targets.size(), purge.targets.size());
  for (size_t i = 0; i < purge.targets.size(); ++i) {
    EXPECT_EQ(read.targets[i].kind, purge.targets[i].kind);
    EXPECT_EQ(read.targets[i].host, purge.targets[i].host);
    EXPECT_EQ(read.targets[i].value, purge.targets[i].value);
  }
}

TEST(PurgeMessage, ATargetThatIsNoneIsRefused) {
  const auto fault = [](const std::string& target) {
    const auto read = parse_purge(R"({"targets": [)" + target + "]}");
    return read ? "(none)" : read.error().what;
  };
  EXPECT_EQ(fault(R"({"kind": "all"})"), "(none)");
  EXPECT_THAT(fault("7"), HasSubstr("\"kind\""));
  EXPECT_THAT(fault(R"({"kind": "regex", "value": "/"})"), HasSubstr("\"kind\" is all, url, pattern or tag"));
  EXPECT_THAT(fault(R"({"kind": "url"})"), HasSubstr("\"value\""));
  EXPECT_THAT(fault(R"({"kind": "all", "value": "/"})"), HasSubstr("\"value\""));
  EXPECT_THAT(fault(R"({"kind": "url", "value": "/a b"})"), HasSubstr("\"value\""));
  EXPECT_THAT(fault(R"({"kind": "url", "host": "WWW.example.com", "value": "/a"})"), HasSubstr("\"host\""));
  EXPECT_THAT(parse_purge(R"({"targets": {}})").error().what, HasSubstr("must be a list"));
  EXPECT_THAT(parse_purge(R"({"targets": []})").error().what, HasSubstr("nothing to purge"));
  EXPECT_THAT(parse_purge(R"({"all": true, "id": "a b"})").error().what, HasSubstr("\"id\" must be"));
  EXPECT_THAT(parse_purge(R"({"all": true, "id": 7})").error().what, HasSubstr("\"id\" must be"));
  EXPECT_THAT(parse_admin_purge(R"({"targets": []})", {}).error().what, HasSubstr("unknown member \"targets\""))
      << "between nodes only";
}

} // namespace
} // namespace verge::control
