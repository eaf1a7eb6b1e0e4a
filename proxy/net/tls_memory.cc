#include "proxy/net/tls_memory.h"

#include <openssl/crypto.h>

#include "proxy/base/c_pool.h"

namespace verge::net {

namespace {

void* take(size_t n, const char*, int) { return c_pool::take(n); }
void* again(void* p, size_t n, const char*, int) { return c_pool::again(p, n); }
void give(void* p, const char*, int) { c_pool::give(p); }

} // namespace

void pool_tls_memory() noexcept { CRYPTO_set_mem_functions(take, again, give); }

} // namespace verge::net
