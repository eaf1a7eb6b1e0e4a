// Refetch: a stored response that an invalidation has ended is fetched again before anybody asks for it, by the rooms
// that a request passes: whoever does ask meanwhile joins the same Fetch.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "cache/entry/stored_head.h"
#include "proxy/pipeline/services.h"

namespace verge::pipeline {

// The request that `head` would answer, made from its key and from what it varies on. None: its key holds what can't be
// made again (a part, a body), or it was not for everybody. Pure.
std::optional<http::RequestHead> request_again(const cache::StoredHead& head);

// fetched: the Fetch has ended, well or not. fresh: somebody was faster. skipped: nothing can be asked for, the route
// has changed, or the origin is failing.
enum class Refetched : uint8_t { fetched, fresh, skipped };

// `done` runs on the loop of `services`, perhaps inside this call. Loop thread only.
void refetch(Services& services, std::shared_ptr<LoopSnapshot> snapshot, const cache::StoredHead& head,
             std::move_only_function<void(Refetched)> done);

} // namespace verge::pipeline
