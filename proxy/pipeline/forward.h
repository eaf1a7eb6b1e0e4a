// forward: which of the client's fields an origin gets. Pure.
#pragma once

#include "proxy/http/message.h"

namespace verge::pipeline {

// The request's fields less those that override what the key was made of (X-Original-URL, X-HTTP-Method-Override,
// Forwarded ...): an origin that obeys one would answer another question than the one in the cache key. X-Forwarded-*
// are written by the Origin. `storable`: also without the client's conditions and Range, since the cache wants a whole
// 200 and answers those itself.
http::Headers forwarded_headers(const http::RequestHead& request, bool storable);

} // namespace verge::pipeline
