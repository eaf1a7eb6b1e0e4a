// Turn: the turn of its event loop that a thread is in, from when it waits for sockets to when all that came of it is
// done. What was looked at in a turn, and can only become wrong slowly, need not be looked at again in the same one.
#pragma once

#include <cstdint>

namespace verge {

// Another one with each turn; 0: this thread turns no loop. Written by the loop alone.
inline constinit thread_local uint64_t this_turn = 0;

} // namespace verge
