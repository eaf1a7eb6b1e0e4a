// OpenSSL asks for some hundred pieces of memory in each handshake and for several in each record; here it gets them
// from what the thread freed before (base/c_pool.h).
#pragma once

namespace verge::net {

// Once, at the program's start. Does nothing when OpenSSL was used already; that costs speed alone.
void pool_tls_memory() noexcept;

} // namespace verge::net
