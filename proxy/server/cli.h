// The command line: verge serve | check | purge | version.
#pragma once

namespace verge::server {

// Exit codes that scripts can rely on: 0 done, 1 it failed while running, 2 wrong usage or a faulty configuration.
inline constexpr int kOk = 0, kFailed = 1, kUsage = 2;

int run_cli(int argc, char** argv, const char* version);

} // namespace verge::server
