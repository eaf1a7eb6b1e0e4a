// The rows of invalidation: who may name what, and the APIs of other tools.
#pragma once

#include "config/config.h"
#include "config/schema.h"

namespace verge::config {

const Table<PurgeAllow>& purge_allow_table();
const Table<Invalidation>& invalidation_table();

} // namespace verge::config
