// SystemRoots: the certificates that the system trusts, read once for all who check against them. To read some 140 of
// them takes OpenSSL tens of milliseconds of a processor, and a node has a context for each HTTPS origin on each loop.
#pragma once

#include <future>
#include <memory>

struct x509_store_st;

namespace verge::net {

// Shared by contexts; OpenSSL's own lock guards it. Null: they can't be read (no memory).
using SystemRoots = std::shared_future<std::shared_ptr<x509_store_st>>;

// As the files are now (SSL_CERT_FILE and SSL_CERT_DIR heeded): read anew if the file of them has changed since the
// last call, as when a reload follows an update of the system. Returns at once; a thread of its own reads. Thread-safe.
SystemRoots system_roots();

} // namespace verge::net
