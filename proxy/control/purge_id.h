// A purge's id: by it every node of a fleet knows the purge again. Pure but for the chance in a new one.
#pragma once

#include <string>
#include <string_view>

#include "cache/invalidate/epochs.h"

namespace verge::control {

// 32 hexadecimal digits by chance, which is what Cloudflare's clients take an id to be.
std::string new_purge_id();

// May an id be asked for, carried and shown? 1 to 128 letters, digits and "-_.:+=@": those of SNS, SQS and EventBridge
// and what build systems call their runs.
bool is_purge_id(std::string_view text) noexcept;

// Says whether two commands are the same but for their ids: 32 hexadecimal digits over targets and softness.
std::string purge_digest(const cache::Invalidation& command);

} // namespace verge::control
