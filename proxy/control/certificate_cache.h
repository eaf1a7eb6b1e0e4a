// CertificateCache: signing certificates by path, fetched once each, with those who wait for one. Control loop only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "origin/origin.h"
#include "proxy/control/small_get.h"
#include "proxy/control/sns_signature.h"
#include "proxy/control/sns_topic.h"

namespace verge::control {

class CertificateCache {
 public:
  using Certificate = std::shared_ptr<const SigningCertificate>;
  using Done = std::move_only_function<void(Result<Certificate>)>;

  // `origin`: where to fetch in place of the topic's SNS host; empty outside tests.
  CertificateCache(origin::OriginContext context, std::string origin, std::shared_ptr<net::ClientTls> tls)
      : context_(context), origin_(std::move(origin)), tls_(std::move(tls)) {}

  // `path`: as signing_certificate_path() found it good. Errors: refused (what came is no certificate of the topic's
  // SNS: final), any other (it could not be fetched: try again later). `done` may run inside this call.
  void get(const Topic& topic, const std::string& path, Done done);

 private:
  struct Pending {
    std::unique_ptr<SmallGet> get;
    std::vector<Done> waiting;
  };
  void arrived(const std::string& url, const Topic& topic, Result<SmallGet::Answer> answer);
  origin::OriginContext context_;
  std::string origin_;
  std::shared_ptr<net::ClientTls> tls_;
  std::map<std::string, Certificate> known_; // by URL
  std::map<std::string, Pending> pending_;
};

} // namespace verge::control
