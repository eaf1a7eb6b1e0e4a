#include "proxy/pipeline/verdict_words.h"

namespace verge::pipeline {

using policy::StoreVerdict;

VerdictWords words_of(StoreVerdict verdict) noexcept {
  switch (verdict) {
    case StoreVerdict::store: return {"it may be stored", "RFC 9111 section 3", ""};
    case StoreVerdict::method: return {"only answers to GET are stored", "RFC 9111 section 3", ""};
    case StoreVerdict::route_off: return {"the route stores nothing", "", "cache"};
    case StoreVerdict::request_no_store:
      return {"the request said Cache-Control: no-store", "RFC 9111 section 5.2.1.5", "cache.client_cache_control"};
    case StoreVerdict::no_store: return {"the origin said no-store", "RFC 9111 section 5.2.2.5", ""};
    case StoreVerdict::private_response: return {"the origin said private", "RFC 9111 section 5.2.2.7", ""};
    case StoreVerdict::authorization:
      return {"the request had Authorization, and the answer lacks public, s-maxage and must-revalidate",
              "RFC 9111 section 3.5", ""};
    case StoreVerdict::set_cookie:
      return {"it sets a cookie, which would be given to every client", "RFC 6265 section 3", "cache.set_cookie"};
    case StoreVerdict::vary_star: return {"its Vary has a *: no other request selects it", "RFC 9111 section 4.1", ""};
    case StoreVerdict::status_not_cacheable:
      return {"its status may not be stored without an explicit lifetime, or never", "RFC 9110 section 15.1", ""};
    case StoreVerdict::no_freshness:
      return {"nothing says how long it is good", "RFC 9111 section 4.2.2", "cache.ttl.default"};
    case StoreVerdict::no_lifetime_left:
      return {"it was stale when it came, and has no validator to ask again with", "RFC 9111 section 4.3", ""};
    case StoreVerdict::partial_content:
      return {"a part (206) was answered where the whole was asked for, or it does not fit", "RFC 9111 section 3.3",
              ""};
    case StoreVerdict::too_large: return {"it is larger than the route stores", "", "cache.max_object"};
    case StoreVerdict::invalidated: return {"an invalidation came while it was on its way", "RFC 9111 section 4.4", ""};
    case StoreVerdict::reflects:
      return {"it repeats a request field that is not in its key; the log says which", "RFC 9111 section 7.1",
              "cache.reflection"};
  }
  return {"it was not stored", "", ""};
}

} // namespace verge::pipeline
