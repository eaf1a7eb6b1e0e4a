// SqsClient: signed calls to one queue. Control loop only.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "config/config.h"
#include "origin/aws/request_signer.h"
#include "origin/pool/http_client.h"
#include "proxy/control/events/small_call.h"

namespace verge::control {

class SqsClient {
 public:
  // The context outlives the client. Error config: no credentials, no region, the CA file can't be read.
  static Result<std::unique_ptr<SqsClient>> create(const config::SqsQueue& options,
                                                   const origin::OriginContext& context);

  // `action`: "ReceiveMessage". `done` is called once, from the loop, never inside this call, unless the client is
  // destroyed before. Errors: origin::HttpClient's, timeout, too_large, or config: the credentials went away.
  void call(std::string_view action, const std::string& body, Millis limit, SmallCall::Done done);

  const std::string& queue() const noexcept { return queue_; }

 private:
  SqsClient(const config::SqsQueue& options, const origin::OriginContext& context, origin::HttpEndpoint endpoint,
            std::shared_ptr<net::ClientTls> tls, std::unique_ptr<origin::aws::RequestSigner> signer);
  net::EventLoop& loop_;
  std::string queue_, path_;
  std::unique_ptr<origin::aws::RequestSigner> signer_;
  origin::HttpClient client_;
  std::list<std::unique_ptr<SmallCall>> calls_; // under way
};

} // namespace verge::control
