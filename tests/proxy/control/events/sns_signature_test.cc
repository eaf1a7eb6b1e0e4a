#include "proxy/control/events/sns_signature.h"

#include <gmock/gmock.h>
#include <openssl/err.h>

#include "tests/proxy/control/support/signer.h"

namespace verge::control {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const WallTime kNow{Millis(1'795'000'000'000)};
const std::vector<std::string> kNames = {"sns.amazonaws.com"};
constexpr const char* kTime = "2026-11-21T04:00:00.000Z";

const std::string& pem() {
  static const std::string it = Signer::get().certificate(kNow - 24h, kNow + 24h);
  return it;
}
std::string parse_error(std::string_view text, const std::vector<std::string>& names = kNames) {
  const auto made = SigningCertificate::parse(text, names);
  if (!made) {
    EXPECT_EQ(made.error().code, Errc::refused);
  }
  return made ? "(none)" : made.error().what;
}
std::shared_ptr<const SigningCertificate> certificate() { return *SigningCertificate::parse(pem(), kNames); }
std::string verify_error(const Draft& d) {
  const auto good = certificate()->verify(*parse_sns_message(d.dump()));
  if (!good) {
    EXPECT_EQ(good.error().code, Errc::refused);
  }
  return good ? "(none)" : good.error().what;
}
Draft draft(const std::string& version) {
  auto d = notification("Grüße\n\"x\"", "id-1", kTime);
  d["SignatureVersion"] = version;
  return d;
}

TEST(SnsSignature, IsGoodInBothVersionsWithAndWithoutSubject) {
  for (const std::string version : {"1", "2"}) {
    auto d = draft(version);
    EXPECT_EQ(verify_error(sign(d)), "(none)");
    d["Subject"] = "News";
    EXPECT_EQ(verify_error(sign(d)), "(none)");
    d["Subject"] = nullptr;
    EXPECT_EQ(verify_error(sign(d)), "(none)");
    for (const std::string type : {"SubscriptionConfirmation", "UnsubscribeConfirmation"}) {
      auto c = confirmation(type, "id", kTime);
      c["SignatureVersion"] = version;
      EXPECT_EQ(verify_error(sign(c)), "(none)");
    }
  }
}

TEST(SnsSignature, CoversEachSignedMember) {
  const std::string mismatch = "the signature does not match the message";
  for (const std::string version : {"1", "2"}) {
    auto d = draft(version);
    d["Subject"] = "News";
    d = sign(d);
    for (const char* name : {"Message", "MessageId", "Subject", "Timestamp", "TopicArn"}) {
      auto tampered = d;
      tampered[name] = d[name].get<std::string>() + "x";
      EXPECT_EQ(verify_error(tampered), mismatch) << name;
    }
    auto without = d;
    without.erase("Subject");
    EXPECT_EQ(verify_error(without), mismatch);
    auto added = sign(draft(version));
    added["Subject"] = "News";
    EXPECT_EQ(verify_error(added), mismatch);
    auto c = confirmation("UnsubscribeConfirmation", "id", kTime);
    c["SignatureVersion"] = version;
    c = sign(c);
    for (const char* name : {"Token", "SubscribeURL"}) {
      auto tampered = c;
      tampered[name] = "x";
      EXPECT_EQ(verify_error(tampered), mismatch) << name;
    }
    c["Type"] = "SubscriptionConfirmation"; // an unsubscription must not be turned into a subscription
    EXPECT_EQ(verify_error(c), mismatch);
  }
}

TEST(SnsSignature, OfOneVersionIsNotGoodAsTheOther) {
  auto d = sign(draft("1"));
  d["SignatureVersion"] = "2";
  EXPECT_EQ(verify_error(d), "the signature does not match the message");
  d["SignatureVersion"] = "3";
  EXPECT_THAT(verify_error(d), HasSubstr("SignatureVersion \"3\" is not known"));
}

TEST(SnsSignature, OfAnotherKeyIsRefused) {
  const Signer other;
  EXPECT_EQ(verify_error(sign(draft("2"), other)), "the signature does not match the message");
}

TEST(SnsSignature, MustBeStrictBase64) {
  auto d = sign(draft("2"));
  const auto good = d["Signature"].get<std::string>();
  for (const std::string& text : {std::string(), good + "\n", " " + good, good.substr(1), good + "=", good + "AAAA=A==",
                                  std::string("===="), std::string("!!!!"), std::string("AA\0A", 4)}) {
    d["Signature"] = text;
    EXPECT_EQ(verify_error(d), "the signature is not base64") << text;
  }
  d["Signature"] = "AAAA";
  EXPECT_EQ(verify_error(d), "the signature does not match the message");
}

TEST(SnsSignature, LeavesNoErrorBehindForTheNextTlsConnection) {
  auto d = sign(draft("2"));
  d["Message"] = "other";
  EXPECT_NE(verify_error(d), "(none)");
  EXPECT_NE(parse_error("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), "(none)");
  EXPECT_EQ(ERR_peek_error(), 0UL);
}

TEST(SigningCertificate, MustBeOnePemBlockAndNothingElse) {
  EXPECT_EQ(parse_error(pem()), "(none)");
  EXPECT_EQ(parse_error("\n \t\r\n" + pem() + "\n\n"), "(none)");
  std::string crlf;
  for (const char c : pem()) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  auto glued = pem();
  glued.erase(glued.find("\n-----END"), 1);
  auto renamed = pem();
  renamed.replace(renamed.find("BEGIN CERTIFICATE"), 17, "BEGIN TRUSTED CERTIFICATE");
  auto header = pem();
  header.insert(header.find('\n') + 1, "Proc-Type: 4,ENCRYPTED\n\n");
  for (const std::string& text :
       {std::string(), std::string("\n"), "<x>\n" + pem(), pem() + "</x>\n", pem() + pem(), "x" + pem(),
        "<ErrorResponse>" + pem() + "</ErrorResponse>", "-----BEGIN X-----\nAAAA\n-----END X-----\n" + pem(), crlf,
        glued, renamed, header, pem().substr(0, pem().size() / 2), pem().substr(28),
        std::string("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
        std::string("-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----\n"),
        std::string("-----BEGIN CERTIFICATE-----\n")}) {
    EXPECT_EQ(parse_error(text), "the signing certificate is not one PEM block") << text;
  }
}

TEST(SigningCertificate, MustBeX509WithNothingBehindIt) {
  EXPECT_EQ(parse_error("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            "the signing certificate is not X.509");
  const Handle<BIO, BIO_free_all> in(BIO_new_mem_buf(pem().data(), int(pem().size())));
  const Handle<X509, X509_free> made(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
  std::vector<unsigned char> der(size_t(i2d_X509(made.get(), nullptr)));
  unsigned char* at = der.data();
  i2d_X509(made.get(), &at);
  der.insert(der.end(), {0, 0, 0});
  EXPECT_EQ(parse_error("-----BEGIN CERTIFICATE-----\n" + base64(der) + "\n-----END CERTIFICATE-----\n"),
            "the signing certificate has octets behind it");
}

TEST(SigningCertificate, MustCarryOneOfTheNames) {
  EXPECT_EQ(parse_error(pem(), {}), "(none)");
  EXPECT_EQ(parse_error(pem(), {"sns.eu-west-1.amazonaws.com", "sns.amazonaws.com"}), "(none)");
  EXPECT_EQ(parse_error(pem(), {"sns-signing.ap-east-1.amazonaws.com"}),
            "the signing certificate is not for sns-signing.ap-east-1.amazonaws.com");
  const auto wild = Signer::get().certificate(kNow - 1h, kNow + 1h, "DNS:*.amazonaws.com");
  EXPECT_THAT(parse_error(wild), HasSubstr("is not for sns.amazonaws.com"));
}

TEST(SigningCertificate, MustHoldAnRsaKeyOfEnoughBits) {
  EXPECT_THAT(parse_error(Signer(1024).certificate(kNow - 1h, kNow + 1h)), HasSubstr("not RSA of at least 2048 bits"));
}

TEST(SigningCertificate, IsValidFromItsFirstToItsLastSecond) {
  const auto made = *SigningCertificate::parse(Signer::get().certificate(kNow - 60s, kNow + 60s), kNames);
  EXPECT_TRUE(made->valid_at(kNow));
  EXPECT_TRUE(made->valid_at(kNow - 60s));
  EXPECT_TRUE(made->valid_at(kNow + 60s));
  EXPECT_FALSE(made->valid_at(kNow - 61s));
  EXPECT_FALSE(made->valid_at(kNow + 61s));
}

} // namespace
} // namespace verge::control
