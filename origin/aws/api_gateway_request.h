// What is sent to an API Gateway stage for a client's request. Pure.
#pragma once

#include <string>
#include <string_view>

#include "origin/origin.h"
#include "origin/pool/endpoint.h"
#include "proxy/http/message.h"

namespace verge::origin::aws {

// `request` toward `endpoint`: the stage's `path_prefix` ("" or "/prod") before the path; `host` as Host, since API
// Gateway finds the API by it and answers 403 to any other; the client's own host in X-Forwarded-Host. With `signing`,
// "+" in the query becomes "%20", which means the same and reads the same on both sides of a signature.
http::RequestHead api_gateway_request(FetchRequest request, const HttpEndpoint& endpoint, std::string_view path_prefix,
                                      std::string_view host, bool signing);

} // namespace verge::origin::aws
