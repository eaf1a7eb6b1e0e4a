#include "cache/lmdb/accounts.h"

#include <algorithm>
#include <mutex>

#include "cache/lmdb/octets.h"

namespace verge::cache {
namespace {

constexpr uint64_t kSteps = 32;
constexpr uint64_t kStepWithoutQuota = 256ull << 20; // so that a quota set later finds steps

} // namespace

Account::Span* Account::span_of(uint64_t id) {
  const auto after = std::ranges::upper_bound(spans_, id, {}, &Span::first);
  return after == spans_.begin() ? nullptr : &*(after - 1);
}

void Account::add(uint64_t id, uint64_t bytes, uint64_t quota) {
  if (id < cut_) return;
  const uint64_t step = quota != 0 ? quota / kSteps : kStepWithoutQuota;
  Span* span = span_of(id);
  const bool newest = spans_.empty() || span == &spans_.back();
  if (span == nullptr || (newest && span->entries > 0 && span->bytes + bytes > step)) {
    const auto at = span == nullptr ? spans_.begin() : spans_.end();
    span = &*spans_.insert(at, Span{id, 0, 0});
  }
  ++span->entries;
  span->bytes += bytes;
  ++entries_;
  bytes_ += bytes;
  if (spans_.size() > kMostSpans) merge_neighbours();
  trim(quota);
}

void Account::remove(uint64_t id, uint64_t bytes) {
  Span* span = id < cut_ ? nullptr : span_of(id);
  if (span == nullptr || span->entries == 0 || span->bytes < bytes) return;
  --span->entries;
  span->bytes -= bytes;
  --entries_;
  bytes_ -= bytes;
  while (!spans_.empty() && spans_.front().entries == 0) spans_.erase(spans_.begin());
}

void Account::trim(uint64_t quota) {
  if (quota == 0) return;
  size_t gone = 0;
  while (bytes_ > quota && gone + 1 < spans_.size()) {
    bytes_ -= spans_[gone].bytes;
    entries_ -= spans_[gone].entries;
    cut_ = spans_[++gone].first;
  }
  spans_.erase(spans_.begin(), spans_.begin() + static_cast<std::ptrdiff_t>(gone));
}

// Those two that together hold the least; ids stay in order.
void Account::merge_neighbours() {
  size_t best = 1;
  for (size_t i = 2; i + 1 < spans_.size(); ++i) {
    if (spans_[i - 1].bytes + spans_[i].bytes < spans_[best - 1].bytes + spans_[best].bytes) best = i;
  }
  spans_[best - 1].entries += spans_[best].entries;
  spans_[best - 1].bytes += spans_[best].bytes;
  spans_.erase(spans_.begin() + static_cast<std::ptrdiff_t>(best));
}

std::string Account::encode() const {
  Packer p;
  p.num(cut_);
  p.small(spans_.size());
  for (const Span& s : spans_) {
    p.num(s.first);
    p.num(s.entries);
    p.num(s.bytes);
  }
  return std::move(p.out());
}

std::optional<Account> Account::decode(std::string_view value) {
  Unpacker u(value);
  Account out;
  out.cut_ = u.num<uint64_t>();
  out.spans_.resize(u.count(24));
  for (Span& s : out.spans_) {
    s.first = u.num<uint64_t>();
    s.entries = u.num<uint64_t>();
    s.bytes = u.num<uint64_t>();
    out.entries_ += s.entries;
    out.bytes_ += s.bytes;
  }
  if (!u.ok() || !u.rest().empty() || !std::ranges::is_sorted(out.spans_, {}, &Span::first)) return std::nullopt;
  return out;
}

Account Accounts::get(uint64_t site) const {
  const std::shared_lock lock(mutex_);
  const auto it = accounts_.find(site);
  return it != accounts_.end() ? it->second : Account{};
}

void Accounts::put(uint64_t site, Account account) {
  const std::unique_lock lock(mutex_);
  if (account.cut() != 0) any_cut_.store(true, std::memory_order_release);
  accounts_.insert_or_assign(site, std::move(account));
}

void Accounts::clear() {
  const std::unique_lock lock(mutex_);
  accounts_.clear();
}

std::vector<SiteUse> Accounts::uses() const {
  const std::shared_lock lock(mutex_);
  std::vector<SiteUse> out;
  for (const auto& [site, account] : accounts_) out.push_back({site, account.entries(), account.bytes()});
  return out;
}

void Accounts::set_quotas(std::unordered_map<uint64_t, uint64_t> quotas) {
  const std::unique_lock lock(mutex_);
  quotas_ = std::move(quotas);
}

uint64_t Accounts::quota(uint64_t site) const {
  const std::shared_lock lock(mutex_);
  const auto it = quotas_.find(site);
  return it != quotas_.end() ? it->second : 0;
}

std::vector<uint64_t> Accounts::sites() const {
  const std::shared_lock lock(mutex_);
  std::vector<uint64_t> out;
  for (const auto& [site, account] : accounts_) out.push_back(site);
  return out;
}

bool Accounts::is_cut(uint64_t site, uint64_t id) const {
  if (!any_cut_.load(std::memory_order_acquire)) return false;
  const std::shared_lock lock(mutex_);
  const auto it = accounts_.find(site);
  return it != accounts_.end() && id < it->second.cut();
}

} // namespace verge::cache
