// What no single value tells: references, contradictions and repetitions. And what the file may leave to us.
#pragma once

#include "config/config.h"
#include "config/reader.h"

namespace verge::config {

void cross_check(Reader& reader, const Config& config);

// Fills in what depends on the machine, the environment or another field.
void fill_defaults(const Reader& reader, Config& config);

} // namespace verge::config
