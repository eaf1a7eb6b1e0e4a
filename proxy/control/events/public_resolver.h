// PublicResolver: addresses of the Internet and no others, so that a name server that lies, or a name that moved, can't
// point what the node fetches by itself at the machine, its network or the metadata service.
#pragma once

#include <string>
#include <string_view>

#include "proxy/net/resolver.h"

namespace verge::control {

// "192.0.2.7", "2001:db8::1": is it one that the whole Internet reaches? False for private, loopback, link-local,
// shared, multicast and reserved ones, for IPv6 forms that carry such an IPv4 address, and for what is no address.
// Pure.
bool is_public_address(std::string_view address);

class PublicResolver final : public net::Resolver {
 public:
  // `all` outlives it.
  explicit PublicResolver(net::Resolver& all) : all_(all) {}
  // As `all`, without the addresses that are not public. Error refused (side origin) when no other is left.
  void resolve(const std::string& host, Executor& on, Done done) override;

 private:
  net::Resolver& all_;
};

} // namespace verge::control
