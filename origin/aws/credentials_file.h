// The shared credentials file (~/.aws/credentials): sections of `name = value` lines, one section per profile. Pure.
#pragma once

#include <string>
#include <string_view>

#include "origin/aws/credentials.h"

namespace verge::origin::aws {

// The keys of `profile` in `text`. `file` is for messages only. Error config, with file:line where one applies: a line
// that is neither section, comment, setting nor nested setting, a section or key given twice, the profile or half of
// its pair missing. Settings other than the keys are passed over, since other tools keep theirs here too.
Result<Credentials> parse_credentials_file(std::string_view text, std::string_view profile, std::string_view file);

} // namespace verge::origin::aws
