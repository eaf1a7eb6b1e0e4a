#include "cache/search_rules.h"

#include <mutex>

#include "cache/policy/key.h"

namespace verge::cache {
namespace {

// Host and path as one text: they stand side by side in a key unless a port lies between them.
std::string path_of(std::string_view key_text) {
  const auto [host, path_and_query] = policy::key_parts(key_text);
  std::string out(host);
  return out.append(path_and_query.substr(0, path_and_query.find('?')));
}

// "/p?b=1" in the rule's normal form.
std::string normal(std::string_view path_and_query, const policy::SearchRule& rule) {
  const size_t mark = std::min(path_and_query.find('?'), path_and_query.size());
  std::string out(path_and_query.substr(0, mark));
  const auto query = path_and_query.substr(std::min(mark + 1, path_and_query.size()));
  if (const std::string q = policy::normal_query(query, rule); !q.empty()) out.append("?").append(q);
  return out;
}

} // namespace

std::optional<SearchRules::Filed> SearchRules::find(std::string_view key_text) const {
  std::shared_ptr<const policy::SearchRule> rule;
  uint64_t since = 0;
  {
    const std::string path = path_of(key_text);
    const std::shared_lock lock(mutex_);
    const auto it = rules_.find(path);
    if (it == rules_.end()) return std::nullopt;
    rule = it->second.rule;
    since = it->second.since;
  }
  return Filed{policy::search_key(key_text, *rule), since};
}

void SearchRules::learn(std::string_view key_text, const policy::SearchRule& rule, uint64_t seq) {
  std::string path = path_of(key_text);
  const std::unique_lock lock(mutex_);
  const auto it = rules_.find(path);
  if (it != rules_.end()) {
    if (*it->second.rule != rule) it->second = {std::make_shared<const policy::SearchRule>(rule), seq};
    return;
  }
  while (rules_.size() >= kMost) {
    rules_.erase(order_.front());
    order_.pop_front();
  }
  order_.push_back(path);
  rules_.emplace(std::move(path), Known{std::make_shared<const policy::SearchRule>(rule), seq});
  count_.store(rules_.size(), std::memory_order_release);
}

void SearchRules::forget(std::string_view key_text) {
  if (empty()) return;
  const std::string path = path_of(key_text);
  const std::unique_lock lock(mutex_);
  if (rules_.erase(path) == 0) return;
  std::erase(order_, path);
  count_.store(rules_.size(), std::memory_order_release);
}

void SearchRules::cover(std::vector<Target>& targets) const {
  if (empty()) return;
  const size_t named = targets.size();
  const std::shared_lock lock(mutex_);
  for (size_t i = 0; i < named; ++i) {
    if (targets[i].kind != Target::Kind::exact) continue;
    const Target target = targets[i];
    const std::string path = target.value.substr(0, target.value.find('?'));
    const auto add = [&](const Known& known) {
      std::string value = normal(target.value, *known.rule);
      if (value != target.value) targets.push_back({Target::Kind::exact, target.host, std::move(value)});
    };
    if (!target.host.empty()) {
      if (const auto it = rules_.find(target.host + path); it != rules_.end()) add(it->second);
      continue;
    }
    for (const auto& [at, known] : rules_) { // every host
      if (at.size() > path.size() && at.ends_with(path) && at.find('/') == at.size() - path.size()) add(known);
    }
  }
}

} // namespace verge::cache
