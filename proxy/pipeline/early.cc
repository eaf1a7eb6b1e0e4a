#include "proxy/pipeline/early.h"

#include <algorithm>

#include "cache/policy/early_hints.h"

namespace verge::pipeline {
namespace {

bool wanted(const Exchange& ex) {
  switch (ex.route->waiting.early_hints) {
    case config::EarlyHints::off: return false;
    case config::EarlyHints::http2: return ex.request.version == http::Version::http2;
    case config::EarlyHints::on: return ex.request.version != http::Version::http10;
  }
  return false;
}

} // namespace

void send_early_hints(Exchange& ex) {
  if (!ex.found.entry || !ex.hinted.empty() || ex.head_sent || !wanted(ex)) return;
  const auto head = ex.found.entry->head();
  const auto links = policy::early_links(head->headers);
  if (links.empty()) return;
  http::ResponseHead hints;
  hints.status = 103;
  for (const auto link : links) {
    hints.headers.add("link", link);
    ex.hinted.emplace_back(link);
  }
  ex.client.send_interim(hints);
}

void forward_interim(Exchange& ex, const http::ResponseHead& head) {
  if (ex.head_sent) return;
  if (head.status != 103 || ex.hinted.empty()) return ex.client.send_interim(head);
  const auto known = [&](std::string_view link) { return std::ranges::find(ex.hinted, link) != ex.hinted.end(); };
  const auto links = policy::early_links(head.headers);
  if (!links.empty() && std::ranges::all_of(links, known)) return;
  ex.client.send_interim(head);
}

} // namespace verge::pipeline
