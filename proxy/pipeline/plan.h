// What a request makes of its Fetch: which fields go to the origin, which stored responses it may validate, whether the
// answer may be kept; and under which name others may join it.
#pragma once

#include <string>

#include "proxy/pipeline/exchange.h"

namespace verge::pipeline {

// `store`: the answer may be kept, so that the client's own conditions and Range do not go to the origin.
Plan make_plan(Exchange& ex, bool store);

// The name of the flight for this request: its key, and where responses of the key are known to vary, what selects its
// own. So requests for different variants don't wait for one another, and those for the same one share a Fetch.
std::string flight_of(Exchange& ex);
void name_flight(Exchange& ex, std::string& name); // the same, written into `name`
// The same once the head of another variant is here.
std::string flight_of(const Exchange& ex, const cache::StoredHead& other);

} // namespace verge::pipeline
