// A slow and literal reading of RFC 9213: CDN-Cache-Control as a dictionary of RFC 9651. Nothing of cache/policy is
// used.
#pragma once

#include "tests/cache/policy/rfc9111_model.h"

namespace verge::model {

// None where the field is absent, empty or not a dictionary: section 2.1, "as if the field were not present".
std::optional<Directives> targeted_directives(const FieldLines& lines, const House& house);

} // namespace verge::model
