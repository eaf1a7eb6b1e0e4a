#include "origin/aws/api_gateway_request.h"

#include "origin/pool/http_origin.h"
#include "proxy/http/grammar.h"

namespace verge::origin::aws {

http::RequestHead api_gateway_request(FetchRequest request, const HttpEndpoint& endpoint, std::string_view path_prefix,
                                      std::string_view host, bool signing) {
  http::RequestHead head = std::move(request.head);
  http::remove_hop_by_hop(head.headers);
  add_forwarded_fields(head, request.client);
  head.scheme = endpoint.tls ? "https" : "http";
  head.authority = host;
  if (!head.path.starts_with('/')) head.path = "/"; // "OPTIONS *" has no counterpart behind a stage
  head.path.insert(0, path_prefix);
  if (signing) {
    // The signature's fields are ours to make; what the client sent of them would be signed or believed in their place.
    for (const std::string_view name :
         {"authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"}) {
      head.headers.remove(name);
    }
    for (size_t i = 0; (i = head.query.find('+', i)) != std::string::npos;) head.query.replace(i, 1, "%20");
  }
  return head;
}

} // namespace verge::origin::aws
