#include "proxy/control/events/sns_topic.h"

#include <gmock/gmock.h>

namespace verge::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Topic topic(std::string_view partition, std::string_view region) {
  return {std::string(partition), std::string(region), "123456789012", "deploys"};
}

TEST(TopicArn, IsTakenApart) {
  const auto t = parse_topic_arn("arn:aws-us-gov:sns:us-gov-west-1:123456789012:my_Topic-1");
  ASSERT_TRUE(t.has_value());
  EXPECT_EQ(t->partition, "aws-us-gov");
  EXPECT_EQ(t->region, "us-gov-west-1");
  EXPECT_EQ(t->account, "123456789012");
  EXPECT_EQ(t->name, "my_Topic-1");
}

TEST(TopicArn, IsRefusedInAnyOtherForm) {
  for (const char* arn : {"", "arn", "arn:aws:sns:eu-west-1:123456789012", "arn:aws:sqs:eu-west-1:123456789012:q",
                          "ARN:aws:sns:eu-west-1:123456789012:t", "arn:aws:sns:eu-west-1:12345678901:t",
                          "arn:aws:sns:eu-west-1:12345678901a:t", "arn:aws:sns:eu-west-1:123456789012:",
                          "arn:aws:sns:eu-west-1:123456789012:t:sub", "arn:aws:sns:eu-west-1:123456789012:t/",
                          "arn:aws-xx:sns:eu-west-1:123456789012:t", "arn::sns:eu-west-1:123456789012:t"}) {
    EXPECT_FALSE(parse_topic_arn(arn).has_value()) << arn;
  }
}

TEST(TopicArn, HasNoRegionThatWouldNameAnotherHost) {
  for (const char* region :
       {"", "eu", "eu-west", "s3-us-west-2", "eu-west-1.evil", "eu-west-1/", "evil.example/-a-1", "eu-west-", "-eu-1",
        "eu--1", "EU-west-1", "eu-west-1a", "eu-west-1@x", "a@b-c-1", "eu-west-1#"}) {
    EXPECT_FALSE(parse_topic_arn(std::string("arn:aws:sns:") + region + ":123456789012:t").has_value()) << region;
  }
}

TEST(SnsHost, IsBuiltFromPartitionAndRegion) {
  EXPECT_EQ(sns_host(topic("aws", "eu-west-1")), "sns.eu-west-1.amazonaws.com");
  EXPECT_EQ(sns_host(topic("aws-cn", "cn-north-1")), "sns.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(sns_host(topic("aws-us-gov", "us-gov-east-1")), "sns.us-gov-east-1.amazonaws.com");
  EXPECT_EQ(sns_host(topic("aws-eusc", "eusc-de-east-1")), "sns.eusc-de-east-1.amazonaws.eu");
  EXPECT_EQ(sns_host(topic("aws-iso", "us-iso-east-1")), "sns.us-iso-east-1.c2s.ic.gov");
  EXPECT_EQ(sns_host(topic("aws-iso-b", "us-isob-east-1")), "sns.us-isob-east-1.sc2s.sgov.gov");
  EXPECT_EQ(sns_host(topic("aws-iso-e", "eu-isoe-west-1")), "sns.eu-isoe-west-1.cloud.adc-e.uk");
  EXPECT_EQ(sns_host(topic("aws-iso-f", "us-isof-south-1")), "sns.us-isof-south-1.csp.hci.ic.gov");
}

TEST(SigningNames, AreThoseThatAwsSignsUnderInEachRegion) {
  for (const char* region :
       {"ap-east-1", "ap-east-2", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-6",
        "ap-southeast-7", "me-south-1", "me-central-1", "eu-south-1", "eu-south-2", "eu-central-2", "af-south-1",
        "il-central-1", "ca-west-1", "mx-central-1"}) {
    EXPECT_THAT(signing_certificate_names(topic("aws", region)),
                ElementsAre(std::string("sns-signing.") + region + ".amazonaws.com"));
  }
  EXPECT_THAT(signing_certificate_names(topic("aws-cn", "cn-north-1")), ElementsAre("sns-cn-north-1.amazonaws.com.cn"));
  EXPECT_THAT(signing_certificate_names(topic("aws-cn", "cn-northwest-1")),
              ElementsAre("sns-cn-northwest-1.amazonaws.com.cn"));
  for (const char* region : {"us-gov-west-1", "us-gov-east-1"}) {
    EXPECT_THAT(signing_certificate_names(topic("aws-us-gov", region)), ElementsAre("sns-us-gov-west-1.amazonaws.com"));
  }
  EXPECT_THAT(signing_certificate_names(topic("aws-eusc", "eusc-de-east-1")),
              ElementsAre("sns-signing.eusc-de-east-1.amazonaws.eu"));
  EXPECT_THAT(signing_certificate_names(topic("aws-iso", "us-iso-east-1")),
              ElementsAre("sns-us-iso-east-1.c2s.ic.gov"));
  EXPECT_THAT(signing_certificate_names(topic("aws-iso-b", "us-isob-east-1")),
              ElementsAre("sns-us-isob-east-1.sc2s.sgov.gov"));
  EXPECT_THAT(signing_certificate_names(topic("aws-iso-e", "eu-isoe-west-1")),
              ElementsAre("sns-signing.eu-isoe-west-1.cloud.adc-e.uk"));
  for (const char* region : {"us-isof-east-1", "us-isof-south-1"}) {
    EXPECT_THAT(signing_certificate_names(topic("aws-iso-f", region)),
                ElementsAre(std::string("sns-signing.") + region + ".csp.hci.ic.gov"));
  }
}

TEST(SigningNames, OfAllOtherRegionsAreTheCommonOneOrOneOfTheirOwn) {
  EXPECT_THAT(signing_certificate_names(topic("aws", "eu-west-1")),
              ElementsAre("sns.amazonaws.com", "sns-signing.eu-west-1.amazonaws.com"));
  EXPECT_THAT(signing_certificate_names(topic("aws-iso", "us-iso-west-1")),
              ElementsAre("sns.c2s.ic.gov", "sns-signing.us-iso-west-1.c2s.ic.gov"));
  // A region's name under another partition is another region.
  EXPECT_THAT(signing_certificate_names(topic("aws-cn", "ap-east-1")),
              ElementsAre("sns.amazonaws.com.cn", "sns-signing.ap-east-1.amazonaws.com.cn"));
}

const std::string kHex = "0123456789abcdef0123456789abcdef";

TEST(SigningCertUrl, IsWhatSnsOfTheTopicsRegionGivesOut) {
  const auto path = signing_certificate_path(
      "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-" + kHex + ".pem", topic("aws", "eu-west-1"), "");
  ASSERT_TRUE(path.has_value()) << path.error().what;
  EXPECT_EQ(*path, "/SimpleNotificationService-" + kHex + ".pem");
  EXPECT_TRUE(
      signing_certificate_path("https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-" + kHex + ".pem",
                               topic("aws-cn", "cn-north-1"), "")
          .has_value());
}

TEST(SigningCertUrl, IsRefusedInAnyOtherForm) {
  const std::string path = "/SimpleNotificationService-" + kHex + ".pem";
  const std::string host = "https://sns.eu-west-1.amazonaws.com";
  for (const std::string& url : {
           std::string(),
           path,
           "http://sns.eu-west-1.amazonaws.com" + path,
           "HTTPS://sns.eu-west-1.amazonaws.com" + path,
           "https://SNS.eu-west-1.amazonaws.com" + path,
           "https://sns.us-east-1.amazonaws.com" + path, // another region
           "https://sns.eu-west-1.amazonaws.com.evil.example" + path,
           "https://sns.eu-west-1.amazonaws.com.cn" + path,
           "https://sns.eu-west-1.amazonaws.com@evil.example" + path,
           "https://user@sns.eu-west-1.amazonaws.com" + path,
           host + ":443" + path,
           host + ":8443" + path,
           host + "." + path,
           host + "/" + path,
           host + "/x/.." + path,
           host + path + "?x",
           host + path + "#x",
           host + path + "?Action=GetTopicAttributes&x=.pem",
           host + "/?Action=GetTopicAttributes&x=.pem",
           host + "/SimpleNotificationService-" + kHex.substr(1) + ".pem",
           host + "/SimpleNotificationService-" + kHex + "0.pem",
           host + "/SimpleNotificationService-" + kHex.substr(1) + "g.pem",
           host + "/SimpleNotificationService-" + kHex.substr(1) + "A.pem",
           host + "/SimpleNotificationService-" + kHex.substr(2) + "%41.pem",
           host + "/SimpleNotificationService-" + kHex + ".PEM",
           host + path + "\n",
           host,
           "https://sns.s3-eu-west-1.amazonaws.com" + path,
       }) {
    const auto taken = signing_certificate_path(url, topic("aws", "eu-west-1"), "");
    ASSERT_FALSE(taken.has_value()) << url;
    EXPECT_EQ(taken.error().code, Errc::refused);
    EXPECT_EQ(taken.error().side, Side::client);
    EXPECT_THAT(taken.error().what, HasSubstr("expected at https://sns.eu-west-1.amazonaws.com"));
  }
}

TEST(SigningCertUrl, IsAtTheConfiguredOriginIfThereIsOneAndNowhereElse) {
  const std::string origin = "https://127.0.0.1:1234", path = "/SimpleNotificationService-" + kHex + ".pem";
  const auto t = topic("aws", "eu-west-1");
  EXPECT_EQ(signing_certificate_path(origin + path, t, origin).value_or("(refused)"), path);
  EXPECT_FALSE(signing_certificate_path("https://127.0.0.1:12345" + path, t, origin).has_value());
  EXPECT_FALSE(signing_certificate_path("https://sns.eu-west-1.amazonaws.com" + path, t, origin).has_value());
  EXPECT_FALSE(signing_certificate_path(origin + "/x.pem", t, origin).has_value());
}

} // namespace
} // namespace verge::control
