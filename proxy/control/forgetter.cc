#include "proxy/control/forgetter.h"

#include <algorithm>

#include "proxy/base/log.h"
#include "proxy/base/metrics.h"

namespace verge::control {
namespace {

constexpr int kShare = 20; // of the time, one part is spent looking

metrics::Counter g_forgotten("verge_purges_forgotten_total", "",
                             "Invalidations that were forgotten since nothing stored is older.");

} // namespace

Forgetter::Forgetter(cache::Cache& cache, net::EventLoop& loop, Millis every)
    : cache_(cache), loop_(loop), every_(every), tick_(loop, [this] { look(); }) {}

void Forgetter::look() {
  if (cache_.epochs().size() == 0) return tick_.start(every_);
  cache_.forget(loop_, [this, began = loop_.mono()](size_t rows) {
    if (stopped_) return;
    g_forgotten.add(rows);
    if (rows > 0) log::debug("purge", "{} invalidations are forgotten: nothing stored is older", rows);
    tick_.start(std::max(every_, kShare * (loop_.mono() - began)));
  });
}

void Forgetter::stop() {
  stopped_ = true;
  tick_.stop();
}

} // namespace verge::control
