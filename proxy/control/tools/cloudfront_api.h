// CloudFrontApi: CreateInvalidation, GetInvalidation and ListInvalidations as the AWS CLI and SDKs call them with
// --endpoint-url, for distributions and distribution tenants; signed with a configured key. Control loop only.
//
//   POST /2020-05-31/distribution/<id>/invalidation          GET the same, ?MaxItems=&Marker=
//   GET  /2020-05-31/distribution/<id>/invalidation/<id>     .../distribution-tenant/... likewise
#pragma once

#include <map>
#include <memory>
#include <string>

#include "cache/cache.h"
#include "config/config.h"
#include "proxy/base/clock.h"
#include "proxy/control/fleet/fleet.h"
#include "proxy/control/purge_engine.h"
#include "proxy/control/small_exchange.h"
#include "proxy/control/tools/aws_signature.h"
#include "proxy/control/tools/cloudfront_rows.h"
#include "proxy/control/tools/purge_scope.h"

namespace verge::control {

class CloudFrontApi {
 public:
  // All outlive the api, and the api whatever runs on `loop`; `fleet` may be null: this node is alone. Error config: a
  // secret's file can't be read, a path of an `allow` is none.
  static Result<std::unique_ptr<CloudFrontApi>> create(const config::CloudFront& options, PurgeEngine& engine,
                                                       cache::Cache& cache, Executor& loop, const Clock& clock,
                                                       Fleet* fleet);
  CloudFrontApi(const CloudFrontApi&) = delete;
  CloudFrontApi& operator=(const CloudFrontApi&) = delete;

  bool wants(const http::RequestHead& head) const;
  void answer(const http::RequestHead& head, std::optional<std::string> body, SmallExchange::Answer answer);

 private:
  struct Key {
    std::string secret;
    PurgeLimits limits;
  };
  struct Resource; // what the path names

  CloudFrontApi(PurgeEngine& engine, cache::Cache& cache, Executor& loop, const Clock& clock, Fleet* fleet)
      : engine_(engine), clock_(clock), fleet_(fleet), rows_(cache, loop) {}
  void create_invalidation(const Resource& resource, const std::string& key_id, std::string_view body,
                           SmallExchange::Answer answer);
  Reply get(const Resource& resource);
  Reply list(const Resource& resource, std::string_view query);
  void look_whether_completed(const CloudFrontRow& row);
  Reply problem(int status, std::string_view code, std::string_view message) const;

  PurgeEngine& engine_;
  const Clock& clock_;
  Fleet* fleet_;
  CloudFrontRows rows_;
  std::map<std::string, Key, std::less<>> keys_;
  PurgeScopes distributions_;
};

} // namespace verge::control
