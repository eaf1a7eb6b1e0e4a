// A key and certificate as SNS has them, made anew for each test program, and messages signed with it.
#pragma once

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/handle.h"
#include "proxy/control/events/sns_message.h"

namespace verge::control {

inline std::string base64(const std::vector<unsigned char>& octets) {
  std::string out((octets.size() + 2) / 3 * 4 + 1, '\0');
  const int n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), octets.data(), int(octets.size()));
  out.resize(size_t(n));
  return out;
}

class Signer {
 public:
  explicit Signer(unsigned bits = 2048) : key_(EVP_RSA_gen(bits)) { EXPECT_NE(key_.get(), nullptr); }
  // For tests that need no key of their own.
  static const Signer& get() {
    static const Signer it;
    return it;
  }

  // Self-signed; `names` as subjectAltName writes them.
  std::string certificate(WallTime from, WallTime to, const std::string& names = "DNS:sns.amazonaws.com") const {
    const Handle<X509, X509_free> made(X509_new());
    X509_set_version(made.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
    ASN1_TIME_set(X509_getm_notBefore(made.get()), seconds(from));
    ASN1_TIME_set(X509_getm_notAfter(made.get()), seconds(to));
    X509_set_pubkey(made.get(), key_.get());
    const Handle<X509_EXTENSION, X509_EXTENSION_free> extension(
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str()));
    X509_add_ext(made.get(), extension.get(), -1);
    EXPECT_GT(X509_sign(made.get(), key_.get(), EVP_sha256()), 0);
    const Handle<BIO, BIO_free_all> out(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(out.get(), made.get());
    char* text = nullptr;
    const long size = BIO_get_mem_data(out.get(), &text);
    return {text, size_t(size)};
  }

  // Base64 of the RSA PKCS#1 v1.5 signature over `text`, by SNS's version number.
  std::string sign(std::string_view text, std::string_view version) const {
    const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    EVP_DigestSignInit(context.get(), nullptr, version == "2" ? EVP_sha256() : EVP_sha1(), nullptr, key_.get());
    const auto* octets = reinterpret_cast<const unsigned char*>(text.data());
    size_t size = 0;
    EVP_DigestSign(context.get(), nullptr, &size, octets, text.size());
    std::vector<unsigned char> signature(size);
    EXPECT_EQ(EVP_DigestSign(context.get(), signature.data(), &size, octets, text.size()), 1);
    return base64(signature);
  }

 private:
  static time_t seconds(WallTime t) { return std::chrono::floor<Seconds>(t).time_since_epoch().count(); }
  Handle<EVP_PKEY, EVP_PKEY_free> key_;
};

// The members of a message before it is signed; the test changes what it likes.
using Draft = nlohmann::ordered_json;

constexpr const char* kTopic = "arn:aws:sns:eu-west-1:123456789012:deploys";
constexpr const char* kCertificatePath = "/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem";

inline Draft notification(const std::string& message, const std::string& id, const std::string& timestamp) {
  return {{"Type", "Notification"},
          {"MessageId", id},
          {"TopicArn", kTopic},
          {"Message", message},
          {"Timestamp", timestamp},
          {"SignatureVersion", "2"},
          {"SigningCertURL", std::string("https://sns.eu-west-1.amazonaws.com") + kCertificatePath},
          {"UnsubscribeURL", "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe"}};
}

inline Draft confirmation(const std::string& type, const std::string& id, const std::string& timestamp) {
  Draft out = notification("You have chosen to subscribe", id, timestamp);
  out["Type"] = type;
  out.erase("UnsubscribeURL");
  out["Token"] = "token+/=1";
  out["SubscribeURL"] = "https://attacker.example/?Action=ConfirmSubscription";
  return out;
}

// Written here from AWS's rules, apart from string_to_sign(), so that one checks the other.
inline std::string signed_text(const Draft& draft) {
  const bool plain = draft["Type"] == "Notification";
  std::string out;
  for (const std::string& name :
       plain ? std::vector<std::string>{"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"}
             : std::vector<std::string>{"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn",
                                        "Type"}) {
    if (draft.contains(name) && !draft[name].is_null()) out += name + "\n" + draft[name].get<std::string>() + "\n";
  }
  return out;
}

inline Draft sign(Draft draft, const Signer& signer = Signer::get()) {
  draft["Signature"] = signer.sign(signed_text(draft), draft["SignatureVersion"].get<std::string>());
  return draft;
}

} // namespace verge::control
