#include "proxy/control/events/sns_endpoint.h"

#include <fstream>

#include "proxy/base/log.h"
#include "proxy/control/purge_log.h"
#include "tests/proxy/control/support/sns_world.h"

namespace verge::control {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kPurge = R"({"paths": ["/index.html", "/img/*"]})";

class SnsEndpointTest : public SnsWorld {};

TEST_F(SnsEndpointTest, WantsItsPathAndNoOther) {
  EXPECT_TRUE(endpoint->wants("/_verge/sns"));
  EXPECT_FALSE(endpoint->wants("/_verge/sns/"));
  EXPECT_FALSE(endpoint->wants("/"));
  EXPECT_EQ(endpoint->body_limit(), 8U << 20);
}

TEST_F(SnsEndpointTest, AppliesASignedNotificationOfEitherVersion) {
  for (const std::string version : {"1", "2"}) {
    open_cache("");
    open();
    auto d = note(kPurge);
    d["SignatureVersion"] = version;
    d["Subject"] = "Deployed";
    EXPECT_EQ(post(sign(d)), 200);
    EXPECT_TRUE(purged("https://www.example.com/index.html"));
    EXPECT_TRUE(purged("https://any.test/img/a.png"));
    EXPECT_FALSE(purged("https://www.example.com/other"));
  }
}

TEST_F(SnsEndpointTest, AppliesS3EventsAndSoftPurges) {
  const std::string event = R"({"Records":[{"eventSource":"aws:s3","eventName":"ObjectCreated:Put",
                             "s3":{"object":{"key":"a+b.js"}}}]})";
  auto d = note(event);
  d["Subject"] = "Amazon S3 Notification";
  EXPECT_EQ(post(sign(d)), 200);
  EXPECT_TRUE(purged("https://www.example.com/a%20b.js"));
  EXPECT_TRUE(purged("https://www.example.com/a%20b.js?v=2"));
  EXPECT_EQ(post(sign(note(R"({"paths":["/soft"],"soft":true})", "id-2"))), 200);
  EXPECT_EQ(verdict("https://www.example.com/soft"), cache::Verdict::stale);
}

TEST_F(SnsEndpointTest, ListsWhatItPurged) {
  EXPECT_EQ(post(sign(note(kPurge))), 200);
  const auto row = engine->log().latest().front();
  EXPECT_EQ(row.seq, cache->epochs().current());
  EXPECT_EQ(row.source, std::string("sns ") + kTopic);
  EXPECT_EQ(row.targets, 2U);
}

TEST_F(SnsEndpointTest, RefusesWhatIsNotSignedByTheCertificate) {
  const auto before = counted("refused");
  auto tampered = sign(note(kPurge));
  tampered["Message"] = R"({"all": true})";
  EXPECT_EQ(post(tampered), 403);
  EXPECT_EQ(post(sign(note(kPurge), Signer())), 403);
  auto unsigned_one = note(kPurge);
  unsigned_one["Signature"] = "AAAA";
  EXPECT_EQ(post(unsigned_one), 403);
  EXPECT_EQ(cache->invalidations, 0);
  EXPECT_EQ(counted("refused"), before + 3);
}

TEST_F(SnsEndpointTest, RefusesATopicThatIsNotListedBeforeAnythingIsFetched) {
  auto d = note(kPurge);
  d["TopicArn"] = "arn:aws:sns:eu-west-1:210987654321:deploys";
  EXPECT_EQ(post(sign(d)), 403);
  d = subscription("SubscriptionConfirmation");
  d["TopicArn"] = "arn:aws:sns:eu-west-1:210987654321:deploys";
  EXPECT_EQ(post(sign(d)), 403);
  EXPECT_EQ(certificates.connections(), 0);
  EXPECT_EQ(confirmer.connections(), 0);
}

TEST_F(SnsEndpointTest, RefusesACertificateUrlThatIsElsewhereWithoutFetchingIt) {
  for (const std::string& url :
       {certificates.url() + "/x.pem", certificates.url() + kCertificatePath + "?x",
        "https://sns.eu-west-1.amazonaws.com" + std::string(kCertificatePath), std::string()}) {
    auto d = note(kPurge);
    d["SigningCertURL"] = url;
    EXPECT_EQ(post(sign(d)), 403) << url;
  }
  EXPECT_EQ(certificates.connections(), 0);
}

TEST_F(SnsEndpointTest, RefusesVersionOneWhereTwoIsRequiredAndUnknownOnesAlways) {
  auto d = note(kPurge);
  d["SignatureVersion"] = "3";
  EXPECT_EQ(post(sign(d)), 403);
  options.require_version_2 = true;
  open();
  d["SignatureVersion"] = "1";
  EXPECT_EQ(post(sign(d)), 403);
  EXPECT_EQ(certificates.connections(), 0);
  EXPECT_EQ(post(sign(note(kPurge))), 200);
}

TEST_F(SnsEndpointTest, RefusesHeaderFieldsThatDisagreeWithTheBody) {
  const auto body = sign(note(kPurge)).dump();
  http::Headers fields;
  fields.add("x-amz-sns-message-type", "Notification");
  fields.add("x-amz-sns-message-id", "id-1");
  fields.add("x-amz-sns-topic-arn", kTopic);
  for (const char* name : {"x-amz-sns-message-type", "x-amz-sns-message-id", "x-amz-sns-topic-arn"}) {
    auto other = fields;
    other.set(name, "other");
    EXPECT_EQ(post(body, other), 403) << name;
    auto twice = fields;
    twice.add(name, *fields.get(name));
    EXPECT_EQ(post(body, twice), 403) << name;
  }
  EXPECT_EQ(post(body, fields), 200);
}

TEST_F(SnsEndpointTest, RefusesRawDeliverySinceItIsUnsigned) {
  http::Headers fields;
  fields.add("x-amz-sns-rawdelivery", "true");
  EXPECT_EQ(post(std::string(kPurge), fields), 403);
  EXPECT_EQ(cache->invalidations, 0);
}

TEST_F(SnsEndpointTest, RefusesAMessageWithoutSignature) {
  for (const char* name : {"Signature", "SignatureVersion", "SigningCertURL"}) {
    auto d = sign(note(kPurge));
    d.erase(name);
    EXPECT_EQ(post(d), 403) << name;
  }
  EXPECT_EQ(cache->invalidations, 0);
}

TEST_F(SnsEndpointTest, AnswersMalformedMessagesWith400AndOtherMethodsWith405) {
  const auto before = counted("malformed");
  EXPECT_EQ(post(std::string("hello")), 400);
  EXPECT_EQ(post(std::string()), 400);
  EXPECT_EQ(post(std::string(100'000, '[')), 400);
  auto d = note(kPurge);
  d["Timestamp"] = "yesterday";
  EXPECT_EQ(post(sign(d)), 400);
  EXPECT_EQ(post(sign(note(R"({"paths": "/a"})"))), 400);
  EXPECT_EQ(counted("malformed"), before + 5);
  EXPECT_EQ(post(std::string(), {}, "GET"), 405);
}

TEST_F(SnsEndpointTest, TakesMessagesFrom65MinutesOldTo5MinutesAhead) {
  EXPECT_EQ(post(sign(note(kPurge, "a", -3'900s))), 200);
  EXPECT_EQ(post(sign(note(kPurge, "b", 300s))), 200);
  EXPECT_EQ(post(sign(note(kPurge, "c", -3'900s - 1ms))), 403);
  EXPECT_EQ(post(sign(note(kPurge, "d", 300s + 1ms))), 403);
  const auto body = sign(subscription("SubscriptionConfirmation")).dump();
  advance(3'901s);
  EXPECT_EQ(post(body), 403) << "a stale confirmation";
  EXPECT_EQ(confirmer.connections(), 0);
}

TEST_F(SnsEndpointTest, RefusesACertificateThatIsNotValidNow) {
  pem = Signer::get().certificate(clock.wall() - 2h, clock.wall() - 1h);
  EXPECT_EQ(post(sign(note(kPurge))), 403);
  pem = Signer::get().certificate(clock.wall() + 1h, clock.wall() + 2h);
  options.certificate_origin = certificates.url();
  open();
  EXPECT_EQ(post(sign(note(kPurge))), 403);
  EXPECT_EQ(cache->invalidations, 0);
}

TEST_F(SnsEndpointTest, RefusesWhatIsNoCertificate) {
  for (const std::string& text : {std::string("<ErrorResponse/>"), "<x>" + pem + "</x>", pem + pem, std::string()}) {
    certificates.answer = [&](const std::string&) { return response(200, text); };
    open();
    EXPECT_EQ(post(sign(note(kPurge))), 403) << text;
  }
  certificates.answer = [](const std::string&) { return response(404, "none"); };
  open();
  EXPECT_EQ(post(sign(note(kPurge))), 403);
}

TEST_F(SnsEndpointTest, AsksSnsToTryAgainWhileTheCertificateCannotBeFetched) {
  const auto before = counted("later");
  const std::vector<std::string> answers = {
      response(500, ""),
      response(503, ""),
      response(403, ""),
      "nonsense\r\n\r\n",
      "",
      response(302, "", "location: https://127.0.0.1/elsewhere\r\n"),    // redirects are not followed
      response(200, std::string(65'537, 'x')),                           // too large
      "HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n-----BEGIN CERT"}; // broken off
  for (const auto& octets : answers) {
    certificates.answer = [&](const std::string&) { return octets; };
    open();
    EXPECT_EQ(post(sign(note(kPurge))), 503) << octets.substr(0, 40);
  }
  EXPECT_EQ(certificates.requests.size(), answers.size());
  EXPECT_EQ(counted("later"), before + answers.size());
}

TEST_F(SnsEndpointTest, TrustsOnlyACertificateServerThatItsCaVouchesFor) {
  options.certificate_ca = net::Certificates::get().pem("other-ca");
  open();
  EXPECT_EQ(post(sign(note(kPurge))), 503);
  EXPECT_TRUE(certificates.requests.empty());
}

TEST_F(SnsEndpointTest, GivesUpAfterFiveSecondsOnACertificateServerThatDribbles) {
  certificates.answer = [](const std::string&) { return std::nullopt; };
  const auto answer = send(sign(note(kPurge)).dump());
  ASSERT_TRUE(until([&] { return certificates.requests.size() == 1; }));
  advance(4'900ms);
  EXPECT_FALSE(answer->reply);
  advance(300ms);
  EXPECT_EQ(status(answer), 503);
}

TEST_F(SnsEndpointTest, RemembersAFailureForFiveSecondsAndThenTriesAgain) {
  certificates.answer = [](const std::string&) { return response(500, ""); };
  EXPECT_EQ(post(sign(note(kPurge))), 503);
  EXPECT_EQ(post(sign(note(kPurge))), 503);
  EXPECT_EQ(certificates.connections(), 1);
  certificates.answer = [this](const std::string&) { return response(200, pem); };
  advance(5'000ms);
  EXPECT_EQ(post(sign(note(kPurge))), 200);
  EXPECT_EQ(certificates.connections(), 2);
}

TEST_F(SnsEndpointTest, FetchesACertificateOnceForAllWhoWaitAndAllWhoCome) {
  certificates.answer = [](const std::string&) { return std::nullopt; };
  std::vector<std::shared_ptr<Answer>> answers;
  for (int i = 0; i < 20; ++i) answers.push_back(send(sign(note(kPurge, "id-" + std::to_string(i))).dump()));
  ASSERT_TRUE(until([&] { return !certificates.requests.empty(); }));
  settle();
  EXPECT_EQ(certificates.connections(), 1);
  EXPECT_THAT(certificates.requests.front(), StartsWith(std::string("GET ") + kCertificatePath + " HTTP/1.1\r\n"));
  certificates.release(response(200, pem));
  for (const auto& answer : answers) EXPECT_EQ(status(answer), 200);
  EXPECT_EQ(post(sign(note(kPurge, "later"))), 200);
  EXPECT_EQ(certificates.connections(), 1);
  EXPECT_EQ(cache->invalidations, 21);
}

TEST_F(SnsEndpointTest, FetchesOnlyAFewMadeUpUrlsAtATime) {
  certificates.answer = [](const std::string&) { return std::nullopt; };
  std::vector<std::shared_ptr<Answer>> answers;
  for (int i = 0; i < 12; ++i) {
    auto d = note(kPurge, "id-" + std::to_string(i));
    d["SigningCertURL"] = fmt::format("{}/SimpleNotificationService-{:032x}.pem", certificates.url(), i);
    answers.push_back(send(sign(d).dump()));
  }
  for (size_t i = 8; i < 12; ++i) EXPECT_EQ(status(answers[i]), 503);
  ASSERT_TRUE(until([&] { return certificates.requests.size() == 8; }));
  certificates.release(response(404, ""));
  for (size_t i = 0; i < 8; ++i) EXPECT_EQ(status(answers[i]), 403);
}

TEST_F(SnsEndpointTest, KnowsAMessageAgain) {
  const auto body = sign(note(kPurge)).dump();
  const auto before = counted("duplicate");
  EXPECT_EQ(post(body), 200);
  EXPECT_EQ(post(body), 200);
  EXPECT_EQ(cache->invalidations, 1);
  EXPECT_EQ(counted("duplicate"), before + 1);
}

TEST_F(SnsEndpointTest, DoesNotTakeAForgedMessageForOneItKnows) {
  EXPECT_EQ(post(sign(note(kPurge))), 200);
  auto forged = note(kPurge);
  forged["Signature"] = "AAAA";
  EXPECT_EQ(post(forged), 403);
}

TEST_F(SnsEndpointTest, AsksToTryAgainWhileTheSameMessageIsBeingApplied) {
  cache->holding = true;
  const auto body = sign(note(kPurge)).dump();
  const auto first = send(body);
  ASSERT_TRUE(until([&] { return !cache->held.empty(); }));
  EXPECT_EQ(post(body), 503);
  EXPECT_FALSE(first->reply) << "answered before it was durable";
  cache->held.front()();
  EXPECT_EQ(status(first), 200);
  EXPECT_EQ(post(body), 200);
  EXPECT_EQ(cache->invalidations, 1);
}

TEST_F(SnsEndpointTest, AnswersAPurgeThatIsNotDurableWith503AndTakesItAgain) {
  const auto body = sign(note(kPurge)).dump();
  cache->failing = true;
  EXPECT_EQ(post(body), 503);
  cache->failing = false;
  EXPECT_EQ(post(body), 200);
  EXPECT_TRUE(purged("https://www.example.com/index.html"));
}

TEST_F(SnsEndpointTest, AnswersWhatAsksForNothingWith200) {
  const auto before = counted("ignored");
  EXPECT_EQ(post(sign(note("hello"))), 200);
  EXPECT_EQ(post(sign(note(R"({"Event":"s3:TestEvent"})", "id-2"))), 200);
  EXPECT_EQ(cache->invalidations, 0);
  EXPECT_EQ(counted("ignored"), before + 2);
}

TEST_F(SnsEndpointTest, ConfirmsASubscriptionByTopicAndTokenAndNotByItsUrl) {
  const auto before = counted("confirmed");
  EXPECT_EQ(post(sign(subscription("SubscriptionConfirmation"))), 200);
  ASSERT_EQ(confirmer.requests.size(), 1U);
  EXPECT_THAT(
      confirmer.requests.front(),
      StartsWith("GET /?Action=ConfirmSubscription&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A123456789012%3Adeploys"
                 "&Token=token%2B%2F%3D1 HTTP/1.1\r\n"));
  EXPECT_EQ(counted("confirmed"), before + 1);
}

TEST_F(SnsEndpointTest, DoesNotConfirmAgainWhenAConfirmationIsReplayed) {
  const auto body = sign(subscription("SubscriptionConfirmation")).dump();
  EXPECT_EQ(post(body), 200);
  EXPECT_EQ(post(body), 200);
  EXPECT_EQ(confirmer.connections(), 1);
}

TEST_F(SnsEndpointTest, ConfirmsNothingThatIsNotSigned) {
  auto d = sign(subscription("SubscriptionConfirmation"));
  d["Token"] = "other";
  EXPECT_EQ(post(d), 403);
  auto turned = sign(subscription("UnsubscribeConfirmation"));
  turned["Type"] = "SubscriptionConfirmation";
  EXPECT_EQ(post(turned), 403);
  EXPECT_EQ(confirmer.connections(), 0);
}

TEST_F(SnsEndpointTest, TriesAConfirmationAgainUnlessSnsSaysTheTokenIsWrong) {
  const auto body = sign(subscription("SubscriptionConfirmation")).dump();
  for (const auto& [octets, status] :
       {std::pair{response(500, ""), 503}, std::pair{response(302, "", "location: http://127.0.0.1/\r\n"), 503},
        std::pair{response(400, "<Code>Throttling</Code>"), 503}, std::pair{response(429, ""), 503},
        std::pair{response(400, "<Message>Invalid parameter: Token</Message>"), 403}}) {
    confirmer.answer = [octets = octets](const std::string&) { return octets; };
    EXPECT_EQ(post(body), status) << octets;
  }
  confirmer.answer = [](const std::string&) { return response(200, ""); };
  EXPECT_EQ(post(body), 200);
}

TEST_F(SnsEndpointTest, NotesAnUnsubscriptionAndVisitsNothing) {
  const auto before = counted("unsubscribed");
  EXPECT_EQ(post(sign(subscription("UnsubscribeConfirmation"))), 200);
  EXPECT_EQ(counted("unsubscribed"), before + 1);
  EXPECT_EQ(confirmer.connections(), 0);
}

TEST_F(SnsEndpointTest, BuildsTheHostFromTheRegionAndConnectsToNoPrivateAddress) {
  options.certificate_origin.clear();
  options.certificate_ca.clear();
  names["sns.eu-west-1.amazonaws.com"] = {"127.0.0.1", "169.254.169.254"};
  open();
  auto d = note(kPurge);
  d["SigningCertURL"] = std::string("https://sns.eu-west-1.amazonaws.com") + kCertificatePath;
  EXPECT_EQ(post(sign(d)), 503);
  d["SigningCertURL"] = certificates.url() + kCertificatePath;
  EXPECT_EQ(post(sign(d)), 403);
  EXPECT_EQ(certificates.connections(), 0);
}

TEST_F(SnsEndpointTest, ConfirmsAtNoPrivateAddressUnlessOneIsConfigured) {
  options.confirm_endpoint.clear();
  names["sns.eu-west-1.amazonaws.com"] = {"10.1.2.3"};
  open();
  EXPECT_EQ(post(sign(subscription("SubscriptionConfirmation"))), 503);
}

TEST_F(SnsEndpointTest, TakesNoMoreBodiesThanItCanHold) {
  const std::string body(8 << 20, ' ');
  std::vector<std::shared_ptr<Answer>> answers;
  for (int i = 0; i < 9; ++i) answers.push_back(send(body));
  EXPECT_EQ(status(answers.back()), 503);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(status(answers[size_t(i)]), 400);
  EXPECT_EQ(post(body), 400) << "what was answered takes no room";
}

TEST_F(SnsEndpointTest, MayEndWhileMessagesAreUnderWay) {
  certificates.answer = [](const std::string&) { return std::nullopt; };
  const auto waiting = send(sign(note(kPurge)).dump());
  ASSERT_TRUE(until([&] { return !certificates.requests.empty(); }));
  endpoint.reset();
  certificates.release(response(200, pem));
  settle();
  open();
  certificates.answer = [this](const std::string&) { return response(200, pem); };
  cache->holding = true;
  const auto applied = send(sign(note(kPurge)).dump());
  ASSERT_TRUE(until([&] { return !cache->held.empty(); }));
  const auto unseen = send(sign(note(kPurge, "id-2")).dump());
  endpoint.reset();
  cache->held.front()();
  settle();
  EXPECT_FALSE(waiting->reply || applied->reply || unseen->reply);
}

TEST_F(SnsEndpointTest, RemembersMessagesAcrossARestart) {
  const net::TempDir folder;
  open_cache(folder.path);
  open();
  const auto purge = sign(note(kPurge)).dump(), confirm = sign(subscription("SubscriptionConfirmation")).dump();
  EXPECT_EQ(post(purge), 200);
  EXPECT_EQ(post(confirm), 200);
  open_cache(folder.path);
  open();
  EXPECT_TRUE(purged("https://www.example.com/index.html")) << "the purge itself is durable";
  EXPECT_EQ(post(purge), 200);
  EXPECT_EQ(post(confirm), 200);
  EXPECT_EQ(cache->invalidations, 0);
  EXPECT_EQ(confirmer.connections(), 1);
  advance(4'201s); // no longer needed: the timestamp refuses them now
  open_cache(folder.path);
  open();
  EXPECT_EQ(post(sign(note(kPurge, "new"))), 200);
  cache->flush();
  EXPECT_EQ(cache->disk()->notes("sns:").size(), 1U);
}

TEST_F(SnsEndpointTest, LogsARefusalWithItsIdAndCutsWhatASenderMadeLong) {
  const net::TempDir folder;
  ASSERT_TRUE(log::open(folder / "log", log::Level::info).has_value());
  auto d = note(kPurge, "the-id");
  d["TopicArn"] = std::string(100'000, 'x') + "\nforged line";
  EXPECT_EQ(post(sign(d)), 403);
  auto tampered = note(kPurge, "tampered-id");
  tampered["Signature"] = "AAAA";
  EXPECT_EQ(post(tampered), 403);
  ASSERT_TRUE(log::open("", log::Level::info).has_value());
  const std::string text = net::contents(folder / "log");
  EXPECT_THAT(text, HasSubstr("refused from 203.0.113.9: the topic is not listed in invalidation.sns.topics (message "
                              "the-id topic xxx"));
  EXPECT_THAT(text, HasSubstr("the signature does not match the message (message tampered-id topic "));
  EXPECT_THAT(text, Not(HasSubstr("forged")));
  EXPECT_LT(text.size(), 2'000U);
}

TEST_F(SnsEndpointTest, SaysWhatItsMetricCounts) {
  EXPECT_THAT(metrics::render(), HasSubstr("# HELP verge_sns_messages_total SNS messages by what became of them"));
}

TEST_F(SnsEndpointTest, CannotBeMadeWithoutTheCaItShallTrust) {
  options.certificate_ca = "/nowhere/ca.pem";
  const auto made = SnsEndpoint::create(options, *cache, *taker, *loop, *resolver, clock);
  ASSERT_FALSE(made.has_value());
  EXPECT_THAT(made.error().what, HasSubstr("/nowhere/ca.pem"));
}

} // namespace
} // namespace verge::control
