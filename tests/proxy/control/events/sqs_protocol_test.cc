#include "proxy/control/events/sqs_protocol.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "proxy/control/events/sqs_body.h"

namespace verge::control {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kQueue = "https://sqs.eu-west-1.amazonaws.com/123456789012/verge-node-1";
constexpr const char* kTopic = "arn:aws:sns:eu-west-1:123456789012:deploys";

TEST(SqsProtocol, CallsSayWhatTheReferenceAsksFor) {
  EXPECT_EQ(json::parse(sqs_receive(kQueue, Seconds(20), Seconds(30))),
            json::parse(R"({"QueueUrl":"https://sqs.eu-west-1.amazonaws.com/123456789012/verge-node-1",
                            "MaxNumberOfMessages":10,"WaitTimeSeconds":20,"VisibilityTimeout":30})"));
  EXPECT_EQ(json::parse(sqs_delete("q", {"r0", "r1"})),
            json::parse(R"({"QueueUrl":"q","Entries":[{"Id":"0","ReceiptHandle":"r0"},
                                                     {"Id":"1","ReceiptHandle":"r1"}]})"));
  EXPECT_EQ(json::parse(sqs_extend("q", {"r0"}, Seconds(30))),
            json::parse(R"({"QueueUrl":"q","Entries":[{"Id":"0","ReceiptHandle":"r0","VisibilityTimeout":30}]})"));
}

TEST(SqsProtocol, NoMessagesIsAnEmptyObject) {
  EXPECT_THAT(parse_sqs_messages("{}").value(), IsEmpty());
  EXPECT_THAT(parse_sqs_messages(R"({"Messages":[]})").value(), IsEmpty());
}

TEST(SqsProtocol, MessagesCarryIdReceiptAndBody) {
  const auto got = parse_sqs_messages(
      R"({"Messages":[{"MessageId":"m","ReceiptHandle":"r","MD5OfBody":"x","Body":"{}","Attributes":{}}]})");
  ASSERT_EQ(got.value().size(), 1u);
  EXPECT_EQ(got->front().id, "m");
  EXPECT_EQ(got->front().receipt, "r");
  EXPECT_EQ(got->front().body, "{}");
}

TEST(SqsProtocol, WhatIsNotSqsIsAnError) {
  for (const char* text : {"", "<html>", "[]", R"({"Messages":{}})", R"({"Messages":[{"MessageId":"m"}]})",
                           R"({"Messages":[{"ReceiptHandle":"r"}]})"}) {
    EXPECT_FALSE(parse_sqs_messages(text)) << text;
  }
  for (const char* text :
       {"", "[]", R"({"Failed":[{"Id":"x"}]})", R"({"Failed":[{"Id":"10"}]})", R"({"Failed":[{}]})"}) {
    EXPECT_FALSE(parse_sqs_batch(text)) << text;
  }
}

TEST(SqsProtocol, ABatchCanFailInPart) {
  EXPECT_THAT(parse_sqs_batch(R"({"Successful":[{"Id":"0"}]})").value(), IsEmpty());
  const auto got = parse_sqs_batch(
      R"({"Successful":[{"Id":"0"}],"Failed":[{"Id":"1","SenderFault":true,"Code":"ReceiptHandleIsInvalid"}]})");
  ASSERT_EQ(got.value().size(), 1u);
  EXPECT_EQ(got->front().index, 1u);
  EXPECT_EQ(got->front().code, "ReceiptHandleIsInvalid");
}

TEST(SqsProtocol, AFaultSaysWhatSqsSaid) {
  const auto gone = parse_sqs_fault(400, R"({"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no such"})");
  EXPECT_EQ(gone.what, "status 400 QueueDoesNotExist: no such");
  EXPECT_FALSE(gone.throttled);
  for (const char* code : {"RequestThrottled", "com.amazonaws.sqs#OverLimit", "ThrottlingException"}) {
    EXPECT_TRUE(parse_sqs_fault(400, json{{"__type", code}}.dump()).throttled) << code;
  }
  EXPECT_TRUE(parse_sqs_fault(503, "<html>").throttled);
  EXPECT_LT(parse_sqs_fault(500, json{{"message", std::string(10'000, 'x')}}.dump()).what.size(), 300u);
}

TEST(SqsProtocol, PausesDoubleUpTo30SecondsAndSpreadOut) {
  EXPECT_EQ(sqs_pause(1, 1), Millis(500));
  EXPECT_EQ(sqs_pause(1, 0), Millis(250));
  EXPECT_EQ(sqs_pause(2, 1), Millis(1'000));
  EXPECT_EQ(sqs_pause(4, 0.5), Millis(3'000));
  EXPECT_EQ(sqs_pause(7, 1), Millis(30'000));
  EXPECT_EQ(sqs_pause(1'000'000, 0), Millis(15'000));
}

TEST(SqsProtocol, AQueueIsNamedByItsPath) {
  EXPECT_EQ(name_of_queue(kQueue), "/123456789012/verge-node-1");
  EXPECT_EQ(name_of_queue("http://127.0.0.1:4566"), "");
}

// ---- What a message holds

json envelope() {
  return {{"Type", "Notification"},
          {"MessageId", "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324"},
          {"TopicArn", kTopic},
          {"Message", R"({"tags":["a"]})"},
          {"Timestamp", "2026-11-21T04:00:00.123Z"},
          {"SignatureVersion", "1"},
          {"Signature", "EXAMPLE"},
          {"SigningCertURL", "EXAMPLE"},
          {"UnsubscribeURL", "EXAMPLE"}};
}

TEST(SqsBody, OfSnsIsItsEnvelope) {
  for (const std::vector<std::string>& topics : {std::vector<std::string>{}, {kTopic}}) {
    const auto got = parse_sqs_body(envelope().dump(), topics);
    ASSERT_TRUE(got) << got.error().what;
    EXPECT_EQ(got->text, R"({"tags":["a"]})");
    EXPECT_EQ(got->topic, kTopic);
    EXPECT_EQ(got->id, "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324");
  }
}

TEST(SqsBody, OfRawDeliveryIsTheEventItself) {
  for (const char* text : {R"({"tags":["a"]})", "StackId='x'\n", "hello", ""}) {
    const auto got = parse_sqs_body(text, {});
    ASSERT_TRUE(got);
    EXPECT_EQ(got->text, text);
    EXPECT_EQ(got->topic + got->id, "");
  }
}

TEST(SqsBody, OfAnotherTopicIsRefusedWhereTopicsAreListed) {
  auto other = envelope();
  other["TopicArn"] = "arn:aws:sns:eu-west-1:210987654321:deploys";
  EXPECT_EQ(parse_sqs_body(other.dump(), {kTopic}).error().code, Errc::refused);
  EXPECT_EQ(parse_sqs_body(R"({"tags":["a"]})", {kTopic}).error().code, Errc::refused) << "raw";
  EXPECT_TRUE(parse_sqs_body(other.dump(), {}));
}

TEST(SqsBody, ThatIsAMalformedEnvelopeIsAnError) {
  for (const char* name : {"Message", "MessageId", "Timestamp", "Signature"}) {
    auto less = envelope();
    less.erase(name);
    EXPECT_EQ(parse_sqs_body(less.dump(), {}).error().code, Errc::bad_input) << name;
  }
  auto twice = envelope().dump();
  twice.insert(1, R"("Message":"x",)");
  EXPECT_FALSE(parse_sqs_body(twice, {}));
  auto confirmation = envelope();
  confirmation["Type"] = "SubscriptionConfirmation";
  confirmation["Token"] = confirmation["SubscribeURL"] = "x";
  EXPECT_FALSE(parse_sqs_body(confirmation.dump(), {}));
}

} // namespace
} // namespace verge::control
