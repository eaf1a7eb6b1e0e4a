// CertificateCache: signing certificates by path, fetched once each, with those who wait for one. Control loop only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "origin/origin.h"
#include "proxy/control/events/small_call.h"
#include "proxy/control/events/sns_signature.h"
#include "proxy/control/events/sns_topic.h"

namespace verge::control {

class CertificateCache {
 public:
  using Certificate = std::shared_ptr<const SigningCertificate>;
  using Done = std::move_only_function<void(Result<Certificate>)>;

  // `origin`: where to fetch in place of the topic's SNS host ("https://127.0.0.1:1234"); the names in the certificate
  // are then not checked. Empty outside tests and VPC endpoints.
  CertificateCache(origin::OriginContext context, std::string origin, std::shared_ptr<net::ClientTls> tls)
      : context_(context), origin_(std::move(origin)), tls_(std::move(tls)) {}

  // `path`: as signing_certificate_path() found it good. Errors: refused with side client (there is no such
  // certificate, or what came is none of the topic's SNS: final), any other (it could not be fetched: try again later).
  // An error is remembered for five seconds, and only so many URLs are fetched at a time: whoever sends messages with
  // made-up URLs shall not make this node ask SNS for each. `done` may run inside this call.
  void get(const Topic& topic, const std::string& path, Done done);

 private:
  struct Pending {
    std::unique_ptr<SmallCall> get;
    std::vector<Done> waiting;
  };
  struct Failure {
    Error error;
    MonoTime until;
  };
  Result<Certificate> judge(const std::string& url, const Topic& topic, const Result<SmallCall::Answer>& answer) const;
  void remember(const std::string& url, const Error& error);
  void arrived(const std::string& url, const Topic& topic, Result<SmallCall::Answer> answer);
  origin::OriginContext context_;
  std::string origin_;
  std::shared_ptr<net::ClientTls> tls_;
  std::map<std::string, Certificate> known_; // by URL
  std::map<std::string, Failure> failed_;
  std::map<std::string, Pending> pending_;
};

} // namespace verge::control
