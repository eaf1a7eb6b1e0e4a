// HttpOrigin: forwards to any HTTP/1.1 server; type http.
#pragma once

#include <memory>

#include "origin/origin.h"

namespace verge::origin {

// What the origin is asked: path prefix of `url` + the client's path and query, exactly as they came. Host is
// options.host, or the client's authority if that is empty. All methods.
//
// Fields added to those of the request (which the pipeline has prepared): X-Forwarded-For, X-Forwarded-Proto and
// X-Forwarded-Host replace what the client sent, Via gets us at its end. Replaced and not appended to, because Verge
// is the edge: before it there is only the client, who may write there what it likes.
Result<std::unique_ptr<Origin>> make_http_origin(const config::Origin& options, const OriginContext& context);

// The fields that tell the origin about the client; also used by other origins that speak HTTP. Pure.
void add_forwarded_fields(http::RequestHead& head, const ClientInfo& client);

} // namespace verge::origin
