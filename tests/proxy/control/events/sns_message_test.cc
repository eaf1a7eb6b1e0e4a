#include "proxy/control/events/sns_message.h"

#include <gmock/gmock.h>

#include "tests/proxy/control/support/signer.h"

namespace verge::control {
namespace {

using testing::HasSubstr;

constexpr const char* kTime = "2026-11-21T04:00:00.000Z";

Draft draft() { return notification("hello", "id-1", kTime); }
Draft with_signature(Draft d) {
  d["Signature"] = "AAAA";
  return d;
}
std::string error_of(std::string_view text) {
  const auto parsed = parse_sns_message(text);
  return parsed ? "(none)" : parsed.error().what;
}

TEST(SnsMessage, TakesANotificationApart) {
  auto d = with_signature(draft());
  d["Subject"] = "Deployed";
  d["MessageAttributes"] = {{"n", {{"Type", "String"}, {"Value", "v"}}}};
  const auto m = parse_sns_message(d.dump(2));
  ASSERT_TRUE(m.has_value()) << m.error().what;
  EXPECT_EQ(m->type, SnsType::notification);
  EXPECT_EQ(m->message_id, "id-1");
  EXPECT_EQ(m->topic_arn, kTopic);
  EXPECT_EQ(m->message, "hello");
  EXPECT_EQ(m->timestamp, kTime);
  EXPECT_EQ(m->subject, "Deployed");
  EXPECT_EQ(m->signature, "AAAA");
}

TEST(SnsMessage, ResolvesEscapesBeforeTheTextIsSigned) {
  auto text = with_signature(draft()).dump();
  text.replace(text.find("hello"), 5, R"(a\n\"\u00e9\ud83d\ude00\/)");
  const auto m = parse_sns_message(text);
  ASSERT_TRUE(m.has_value());
  EXPECT_EQ(m->message, "a\n\"é😀/");
}

TEST(SnsMessage, TakesTheTwoConfirmationsWithTokenAndUrl) {
  for (const auto& [name, type] : {std::pair{"SubscriptionConfirmation", SnsType::subscription_confirmation},
                                   std::pair{"UnsubscribeConfirmation", SnsType::unsubscribe_confirmation}}) {
    const auto m = parse_sns_message(with_signature(confirmation(name, "id-2", kTime)).dump());
    ASSERT_TRUE(m.has_value()) << m.error().what;
    EXPECT_EQ(m->type, type);
    EXPECT_EQ(m->token, "token+/=1");
  }
}

TEST(SnsMessage, RefusesAMessageWithoutAMemberItNeeds) {
  for (const char* name : {"Type", "MessageId", "TopicArn", "Message", "Timestamp", "SignatureVersion", "Signature",
                           "SigningCertURL", "Token", "SubscribeURL"}) {
    auto d = with_signature(confirmation("SubscriptionConfirmation", "id", kTime));
    d.erase(name);
    EXPECT_EQ(error_of(d.dump()), std::string(name) + " is missing");
    const bool signs = std::string_view(name).starts_with("Sign"); // whole but for them: unsigned, not malformed
    EXPECT_EQ(parse_sns_message(d.dump()).error().code, signs ? Errc::refused : Errc::bad_input) << name;
  }
}

TEST(SnsMessage, RefusesAMemberThatIsNoString) {
  for (const char* name : {"Type", "MessageId", "TopicArn", "Message", "Timestamp", "SignatureVersion", "Signature",
                           "SigningCertURL", "Token", "SubscribeURL"}) {
    for (const Draft& value : {Draft(1), Draft(-1), Draft(1.5), Draft(true), Draft(nullptr), Draft::array(),
                               Draft{{"a", "b"}}, Draft::array({"text"})}) {
      auto d = with_signature(confirmation("SubscriptionConfirmation", "id", kTime));
      d[name] = value;
      EXPECT_EQ(error_of(d.dump()), std::string(name) + " is not a string") << d.dump();
    }
  }
  auto d = with_signature(draft());
  d["Subject"] = 1;
  EXPECT_EQ(error_of(d.dump()), "Subject is not a string");
}

TEST(SnsMessage, TakesANullSubjectForNone) {
  auto d = with_signature(draft());
  d["Subject"] = nullptr;
  EXPECT_EQ(parse_sns_message(d.dump())->subject, std::nullopt);
  EXPECT_EQ(parse_sns_message(with_signature(draft()).dump())->subject, std::nullopt);
  d["Subject"] = "";
  EXPECT_EQ(parse_sns_message(d.dump())->subject, "");
}

TEST(SnsMessage, RefusesAMemberThatStandsTwiceWhereverAndHoweverItIsSpelled) {
  const std::string text = with_signature(draft()).dump();
  const std::string inner = text.substr(1, text.size() - 2);
  for (const char* second : {R"("Message":"other")", R"("Mess\u0061ge":"other")", R"("UnsubscribeURL":1)"}) {
    EXPECT_THAT(error_of("{" + inner + "," + second + "}"), HasSubstr("stands twice"));
    EXPECT_THAT(error_of("{" + std::string(second) + "," + inner + "}"), HasSubstr("stands twice"));
  }
  EXPECT_EQ(error_of("{" + inner + R"(,"MessageAttributes":{"a":{},"a":{"Type":"b","Type":"c"}}})"), "(none)");
}

TEST(SnsMessage, RefusesWhatIsNotOneObjectAndNothingElse) {
  const std::string good = with_signature(draft()).dump();
  EXPECT_EQ(error_of(" \r\n\t" + good + "\n "), "(none)");
  for (const std::string& text :
       {std::string(), std::string("null"), std::string("\"text\""), std::string("[]"), std::string("{"),
        "[" + good + "]", good + "x", good + good, good + "{}", good.substr(0, good.size() - 1),
        good.substr(0, good.size() - 1) + ",}", std::string("{\"Type\":\"\xff\"}"), std::string("{\"a\":\"\\ud800\"}"),
        std::string("{'Type':'a'}"), std::string("{\"a\":NaN}"), std::string("{}//")}) {
    EXPECT_NE(error_of(text), "(none)") << text;
    EXPECT_EQ(parse_sns_message(text).error().code, Errc::bad_input);
    EXPECT_EQ(parse_sns_message(text).error().side, Side::client);
  }
}

TEST(SnsMessage, RefusesNestingAndMembersBeyondWhatSnsWrites) {
  std::string bomb = "{\"a\":";
  bomb.append(4 << 20, '[');
  EXPECT_THAT(error_of(bomb), HasSubstr("nested deeper than 8"));
  std::string deep = "{\"a\":";
  for (int i = 0; i < 100'000; ++i) deep += "{\"a\":";
  EXPECT_THAT(error_of(deep), HasSubstr("nested deeper than 8"));
  std::string many = "{";
  for (int i = 0; i < 100'000; ++i) many += "\"" + std::to_string(i) + "\":1,";
  EXPECT_THAT(error_of(many), HasSubstr("more than 32 members"));
}

TEST(SnsMessage, RefusesAnUnknownType) {
  for (const char* type : {"", "notification", "Notification ", "SubscriptionConfirmationX"}) {
    auto d = with_signature(draft());
    d["Type"] = type;
    EXPECT_THAT(error_of(d.dump()), HasSubstr("unknown Type"));
  }
}

TEST(SnsMessage, RefusesAMessageIdThatCannotBeOne) {
  for (const std::string& id : {std::string(), std::string("a b"), std::string("a\nb"), std::string("é"),
                                std::string(129, 'a'), std::string("a\0b", 3)}) {
    auto d = with_signature(draft());
    d["MessageId"] = id;
    EXPECT_THAT(error_of(d.dump()), HasSubstr("MessageId")) << id;
  }
  auto d = with_signature(draft());
  d["MessageId"] = std::string(128, 'a');
  EXPECT_EQ(error_of(d.dump()), "(none)");
}

TEST(StringToSign, NamesTheMembersOfANotificationInOctetOrder) {
  auto d = with_signature(draft());
  const std::string before = "Message\nhello\nMessageId\nid-1\n",
                    after = std::string("Timestamp\n") + kTime + "\nTopicArn\n" + kTopic + "\nType\nNotification\n";
  EXPECT_EQ(string_to_sign(*parse_sns_message(d.dump())), before + after);
  d["Subject"] = nullptr;
  EXPECT_EQ(string_to_sign(*parse_sns_message(d.dump())), before + after);
  d["Subject"] = "";
  EXPECT_EQ(string_to_sign(*parse_sns_message(d.dump())), before + "Subject\n\n" + after);
  d["Subject"] = "News";
  EXPECT_EQ(string_to_sign(*parse_sns_message(d.dump())), before + "Subject\nNews\n" + after);
}

TEST(StringToSign, HoldsTokenAndUrlOfBothConfirmations) {
  for (const std::string type : {"SubscriptionConfirmation", "UnsubscribeConfirmation"}) {
    auto d = with_signature(confirmation(type, "i", kTime));
    d["Subject"] = "not signed here";
    EXPECT_EQ(string_to_sign(*parse_sns_message(d.dump())),
              std::string("Message\nYou have chosen to subscribe\nMessageId\ni\nSubscribeURL\nhttps://attacker.example/"
                          "?Action=ConfirmSubscription\nTimestamp\n") +
                  kTime + "\nToken\ntoken+/=1\nTopicArn\n" + kTopic + "\nType\n" + type + "\n");
  }
}

TEST(StringToSign, TakesTheTimestampAsItWasWritten) {
  auto d = with_signature(notification("m", "i", "2026-11-21T04:00:00Z"));
  EXPECT_THAT(string_to_sign(*parse_sns_message(d.dump())), HasSubstr("Timestamp\n2026-11-21T04:00:00Z\n"));
}

TEST(Timestamp, IsReadWithAndWithoutMilliseconds) {
  EXPECT_EQ(parse_timestamp("1970-01-01T00:00:00.000Z"), WallTime(Millis(0)));
  EXPECT_EQ(parse_timestamp("2023-11-14T22:13:20.123Z"), WallTime(Millis(1'700'000'000'123)));
  EXPECT_EQ(parse_timestamp("2023-11-14T22:13:20Z"), WallTime(Millis(1'700'000'000'000)));
  EXPECT_EQ(parse_timestamp("2024-02-29T00:00:00.000Z"), WallTime(Millis(1'709'164'800'000)));
}

TEST(Timestamp, IsNothingInAnyOtherForm) {
  for (const char* text :
       {"", "2026-11-21", "2026-11-21T04:00:00.000", "2026-11-21T04:00:00.000z", "2026-11-21 04:00:00.000Z",
        "2026-11-21T04:00:00,000Z", "2026-11-21T04:00:00.00Z", "2026-11-21T04:00:00+00:00", "2026-13-21T04:00:00.000Z",
        "2026-02-29T04:00:00.000Z", "2026-11-21T24:00:00.000Z", "2026-11-21T04:60:00.000Z", "2026-11-21T04:00:61.000Z",
        "-026-11-21T04:00:00.000Z", "2026-1a-21T04:00:00.000Z", "2026-11-21T04:00:00.-00Z",
        "2026-00-21T04:00:00.000Z"}) {
    EXPECT_EQ(parse_timestamp(text), std::nullopt) << text;
  }
}

} // namespace
} // namespace verge::control
