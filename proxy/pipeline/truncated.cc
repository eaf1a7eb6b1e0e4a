#include "proxy/pipeline/truncated.h"

#include <algorithm>

#include "cache/policy/partial.h"
#include "proxy/base/log.h"
#include "proxy/http/h1_writer.h"

namespace verge::pipeline {

void keep_truncated(Services& services, const cache::Entry& entry) {
  const auto head = entry.head();
  const uint64_t length = entry.length();
  if (!head || head->status != 200 || head->key.empty() || !head->content_length || length == 0) return;
  if (length >= *head->content_length) return;
  if (!head->url.empty()) return; // filed for many URLs by No-Vary-Search: a part is of one
  if (policy::strong_validator(head->headers, services.clock.wall()).empty()) return;
  // What was invalidated on the way stays so, though the part is stored only now.
  if (services.cache.epochs().check(head->key, head->tags, head->seq) != cache::Verdict::live) return;
  const auto blocks = entry.blocks();
  if (!std::ranges::all_of(blocks, [](const BlockRef& b) { return static_cast<bool>(b); }))
    return; // larger than memory

  auto part = std::make_shared<cache::StoredHead>(*head);
  part->key += policy::kPartKey;
  part->status = 206;
  part->content_length = length;
  part->headers.set("content-range", policy::content_range({0, length - 1}, head->content_length));
  part->h1_text = http::render_h1_fields(part->headers);
  const auto fill = services.cache.solo(services.loop, [] {}, [] {});
  fill->open_storing(std::move(part));
  uint64_t left = length;
  for (const auto& block : blocks) {
    const uint64_t size = std::min<uint64_t>(left, kBlockBytes);
    fill->append({block->data(), size});
    left -= size;
  }
  fill->complete();
  log::info("origin", "{}: {} of {} octets kept", head->key, length, *head->content_length);
}

} // namespace verge::pipeline
