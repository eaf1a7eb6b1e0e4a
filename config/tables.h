// Every field of the configuration, one row each.
#pragma once

#include "config/config.h"
#include "config/schema.h"

namespace verge::config {

const Table<Config>& config_table();

} // namespace verge::config
