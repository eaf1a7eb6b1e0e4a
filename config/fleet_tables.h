// The rows of the fleet.
#pragma once

#include "config/config.h"
#include "config/schema.h"

namespace verge::config {

const Table<Fleet>& fleet_table();

} // namespace verge::config
