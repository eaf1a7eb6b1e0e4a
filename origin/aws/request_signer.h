// RequestSigner: what an AWS origin needs to sign its requests: credentials, and a Signer for its service.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "config/config.h"
#include "origin/aws/credentials.h"
#include "origin/aws/sigv4.h"
#include "origin/origin.h"
#include "origin/pool/endpoint.h"
#include "proxy/base/result.h"
#include "proxy/http/message.h"
#include "proxy/net/tls_client.h"

namespace verge::origin::aws {

// Loop thread only.
class RequestSigner {
 public:
  // Error config: the region is missing, or credentials are missing or faulty.
  static Result<std::unique_ptr<RequestSigner>> create(const config::Origin& options, const OriginContext& context,
                                                       std::string service, PathRule rule, bool send_payload_hash);

  // Adds the signature's fields to `head`, over Host, path, query and the fields of `head` that `names` has and every
  // x-amz-*; over all when it is empty. An Authorization of the client's is replaced. Error config, side origin: the
  // credentials went away.
  Result<> sign(http::RequestHead& head, std::string_view payload_hash, std::span<const std::string_view> names);

 private:
  RequestSigner(net::EventLoop& loop, std::unique_ptr<CredentialsProvider> credentials, Signer signer)
      : loop_(loop), credentials_(std::move(credentials)), signer_(std::move(signer)) {}
  net::EventLoop& loop_;
  std::unique_ptr<CredentialsProvider> credentials_;
  Signer signer_;
};

// The TLS settings for `endpoint`; null if it is plain.
Result<std::shared_ptr<net::ClientTls>> tls_for(const HttpEndpoint& endpoint, const config::Origin& options);

} // namespace verge::origin::aws
