#include "proxy/net/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "proxy/base/handle.h"

namespace verge::net {

namespace {

using Addresses = std::vector<std::string>;

constexpr Millis kFailureLifetime{1'000};
constexpr size_t kNames = 4'096; // kept answers; beyond, the oldest goes

// The numeric form of `host` when it is an address, else empty. Brackets of a URL are taken off.
std::string numeric(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  std::string text(host);
  in6_addr ignored{};
  const bool is = inet_pton(AF_INET, text.c_str(), &ignored) == 1 || inet_pton(AF_INET6, text.c_str(), &ignored) == 1;
  return is ? text : std::string();
}

void answer(Executor& on, Resolver::Done done, Result<Addresses> with) {
  on.post([done = std::move(done), with = std::move(with)]() mutable { done(std::move(with)); });
}

class ResolverImpl final : public Resolver {
 public:
  ResolverImpl(const Clock& clock, Millis ttl, int threads, Lookup lookup)
      : clock_(clock), ttl_(ttl), lookup_(std::move(lookup)) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  }
  ~ResolverImpl() override {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  ResolverImpl(const ResolverImpl&) = delete;
  ResolverImpl& operator=(const ResolverImpl&) = delete;

  void resolve(const std::string& host, Executor& on, Done done) override;

 private:
  struct Waiter {
    Executor* on;
    Done done;
  };
  struct Name {
    Addresses addresses; // the last good answer; empty: there was none yet
    Error error;         // of the last question, when it failed
    bool failed = false;
    MonoTime expires{};
    bool asked = false; // in questions_, or being asked
    std::vector<Waiter> waiters;
    Result<Addresses> result() const {
      // Rather an old answer than none: name servers fail more often than addresses change.
      if (!addresses.empty()) return addresses;
      return std::unexpected(error);
    }
  };

  void work();
  void make_room();

  const Clock& clock_;
  const Millis ttl_;
  const Lookup lookup_;
  std::mutex mutex_; // guards all below
  std::condition_variable wake_;
  bool ending_ = false;
  std::unordered_map<std::string, Name> names_;
  std::deque<std::string> questions_;
  std::vector<std::thread> threads_;
};

void ResolverImpl::resolve(const std::string& host, Executor& on, Done done) {
  if (std::string address = numeric(host); !address.empty()) {
    return answer(on, std::move(done), Addresses{std::move(address)});
  }
  const MonoTime now = clock_.mono();
  std::unique_lock lock(mutex_);
  Name& name = names_[host];
  if (!name.asked && (name.failed || !name.addresses.empty()) && now < name.expires) {
    Result<Addresses> result = name.result();
    lock.unlock();
    return answer(on, std::move(done), std::move(result));
  }
  name.waiters.push_back({&on, std::move(done)});
  if (name.asked) return;
  name.asked = true;
  questions_.push_back(host);
  make_room();
  lock.unlock();
  wake_.notify_one();
}

void ResolverImpl::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return ending_ || !questions_.empty(); });
    if (ending_) return;
    const std::string host = std::move(questions_.front());
    questions_.pop_front();
    lock.unlock();
    Result<Addresses> found = lookup_(host);
    const MonoTime now = clock_.mono();
    lock.lock();
    if (ending_) return; // those who asked may be gone

    Name& name = names_[host]; // not removed while asked
    name.asked = false;
    name.failed = !found;
    name.expires = now + (found ? ttl_ : kFailureLifetime);
    if (found) {
      name.addresses = std::move(*found);
    } else {
      name.error = std::move(found.error());
    }
    std::vector<Waiter> waiters = std::move(name.waiters);
    name.waiters.clear();
    // Under the lock: the destructor waits for it, so no answer is posted after the resolver is gone.
    for (Waiter& waiter : waiters) answer(*waiter.on, std::move(waiter.done), name.result());
  }
}

void ResolverImpl::make_room() {
  while (names_.size() > kNames) {
    auto oldest = names_.end();
    for (auto it = names_.begin(); it != names_.end(); ++it) {
      if (!it->second.asked && (oldest == names_.end() || it->second.expires < oldest->second.expires)) oldest = it;
    }
    if (oldest == names_.end()) return; // all are being asked
    names_.erase(oldest);
  }
}

} // namespace

Result<std::vector<std::string>> Resolver::ask_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* raw = nullptr;
  const int rc = ::getaddrinfo(host.c_str(), nullptr, &hints, &raw);
  const Handle<addrinfo, freeaddrinfo> list(raw);
  if (rc != 0) {
    const bool later = rc == EAI_AGAIN;
    return fail(later ? Errc::timeout : Errc::not_found, "resolve " + host + ": " + ::gai_strerror(rc), Side::origin,
                Retry::safe);
  }
  Addresses addresses;
  for (const addrinfo* it = list.get(); it != nullptr; it = it->ai_next) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const void* from = nullptr;
    if (it->ai_family == AF_INET) from = &reinterpret_cast<const sockaddr_in*>(it->ai_addr)->sin_addr;
    if (it->ai_family == AF_INET6) from = &reinterpret_cast<const sockaddr_in6*>(it->ai_addr)->sin6_addr;
    if (from == nullptr || inet_ntop(it->ai_family, from, text.data(), text.size()) == nullptr) continue;
    std::string address(text.data());
    if (std::ranges::find(addresses, address) == addresses.end()) addresses.push_back(std::move(address));
  }
  if (addresses.empty()) {
    return fail(Errc::not_found, "resolve " + host + ": no address", Side::origin, Retry::safe);
  }
  return addresses;
}

std::unique_ptr<Resolver> Resolver::create(const Clock& clock, Millis ttl, int threads, Lookup lookup) {
  return std::make_unique<ResolverImpl>(clock, ttl, threads, std::move(lookup));
}

} // namespace verge::net
