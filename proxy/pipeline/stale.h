// Serving what is stale on purpose (RFC 9111 section 4.2.4, RFC 5861): while the origin is asked behind, in place of an
// error, and in place of waiting for an origin that hangs.
#pragma once

#include "proxy/pipeline/exchange.h"

namespace verge::pipeline {

// Sends a Fetch that no client waits for, unless one is under way or the origin is failing and was just tried. Returns
// what it fills; null: none was sent.
cache::EntryRef refresh_behind(Exchange& ex);
// Adds to the answer's detail that this node may not have read every invalidation, where that is so and the answer is
// older than it.
void tell_reception(Exchange& ex);
Step serve_stale(Exchange& ex, std::string_view detail);
// May what was found be shown in place of an error? `origin_answered`: see policy::may_serve_stale_on_error.
bool may_show_stale(const Exchange& ex, bool origin_answered);
// The origin failed this request: stale if that may be shown, else the error.
Step origin_failed(Exchange& ex, const Error& error);

// Known to be failing, and stale-if-error allows what is here: no client waits to learn it again.
bool known_to_fail(const Exchange& ex);
// Before waiting for the origin: sets the alarm after which stale is shown instead (route's stale_if_slow).
void watch_patience(Exchange& ex);
// It rang: leaves the Fetch or flight to go on without us.
Step out_of_patience(Exchange& ex);

} // namespace verge::pipeline
