// gate: does this connection's identity fit the host asked for.
#include "proxy/http/grammar.h"
#include "proxy/pipeline/rooms.h"

namespace verge::pipeline {

Step gate(Exchange& ex) {
  const auto& sni = ex.connection.sni;
  if (sni.empty()) return Step::next();
  const auto host = http::host_of(ex.request.authority);
  if (host == sni) return Step::next();
  // A client certificate was checked for the name in SNI; under another Host it says nothing. Without client
  // certificates a connection may serve every name that its certificate covers (RFC 9110 section 7.4).
  if (ex.connection.client_auth) return Step::answer(421, "sni-host-differ");
  if (ex.connection.names != nullptr && !ex.connection.names->covers(host))
    return Step::answer(421, "not-in-certificate");
  return Step::next();
}

} // namespace verge::pipeline
