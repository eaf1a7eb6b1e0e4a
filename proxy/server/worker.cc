#include "proxy/server/worker.h"

#include "origin/origin.h"
#include "proxy/pipeline/exchange.h"

namespace verge::server {

Result<std::unique_ptr<Worker>> Worker::create(const Shared& shared) {
  auto loop = net::EventLoop::create(shared.clock);
  if (!loop) return std::unexpected(std::move(loop.error()));
  return std::unique_ptr<Worker>(new Worker(shared, std::move(*loop)));
}

Worker::Worker(const Shared& shared, std::unique_ptr<net::EventLoop> loop)
    : shared_(shared),
      loop_(std::move(loop)),
      alarms_(*loop_),
      clock_(*loop_),
      services_{*loop_, clock_, shared.cache, alarms_,       shared.access_log, shared.intercept, shared.verdicts,
                0,      0,      {},           shared.failing},
      thread_([this] { loop_->run(); }) {}

Worker::~Worker() { stop(); }

template <class F>
auto Worker::call(F f) -> decltype(f()) {
  std::packaged_task<decltype(f())()> task(std::move(f));
  auto done = task.get_future();
  loop_->post([t = std::move(task)]() mutable { t(); });
  return done.get();
}

Result<std::shared_ptr<pipeline::LoopSnapshot>> Worker::prepare(std::shared_ptr<const pipeline::Snapshot> snapshot) {
  return call([this, snapshot]() -> Result<std::shared_ptr<pipeline::LoopSnapshot>> {
    auto made = std::make_shared<pipeline::LoopSnapshot>();
    made->snapshot = snapshot;
    const origin::OriginContext context{*loop_, shared_.resolver};
    for (const auto* options : snapshot->origins()) {
      auto origin = origin::make_origin(*options, context);
      if (!origin) return std::unexpected(std::move(origin.error()).in("origins." + options->name));
      made->origins.push_back(std::move(*origin));
    }
    return made;
  });
}

void Worker::activate(std::shared_ptr<pipeline::LoopSnapshot> snapshot, std::vector<Binding> bindings) {
  call([this, snapshot = std::move(snapshot), bindings = std::move(bindings)]() mutable {
    current_ = std::move(snapshot);
    services_.ready.use(current_.get());
    auto settings = std::make_shared<ConnectionSettings>();
    settings->limits = current_->snapshot->limits();
    settings->times = current_->snapshot->config().limits;
    settings->make = [this](http::ClientStream& client, const pipeline::Connected& connection,
                            http::RequestHead&& head) -> std::unique_ptr<http::StreamHandler> {
      return std::make_unique<pipeline::Exchange>(services_, current_, client, connection, std::move(head));
    };
    settings->ready = [this](const pipeline::Connected& client, const http::RequestHead& request,
                             http::ReadyResponse& out) {
      return services_.ready.find(services_, client, request, out);
    };
    std::map<std::string, std::unique_ptr<Acceptor>> next;
    for (auto& binding : bindings) {
      auto& acceptor = next[binding.address];
      if (const auto it = acceptors_.find(binding.address); it != acceptors_.end()) {
        acceptor = std::move(it->second);
        acceptors_.erase(it);
      } else {
        acceptor = std::make_unique<Acceptor>(*loop_, binding.fd);
      }
      acceptor->use(binding.tls, binding.client_auth, settings);
    }
    for (auto& [address, acceptor] : acceptors_) {
      acceptor->drain();
      retired_.push_back(std::move(acceptor));
    }
    acceptors_ = std::move(next);
    std::erase_if(retired_, [](const auto& a) { return a->connections() == 0; });
  });
}

void Worker::explain(http::RequestHead head, std::move_only_function<void(pipeline::Explanation)> done) {
  loop_->post([this, head = std::move(head), done = std::move(done)]() mutable {
    if (current_) pipeline::explain(services_, current_, std::move(head), std::move(done));
  });
}

void Worker::refetch(cache::HeadRef head, std::move_only_function<void(pipeline::Refetched)> done) {
  loop_->post([this, head = std::move(head), done = std::move(done)]() mutable {
    if (!current_) return done(pipeline::Refetched::skipped);
    pipeline::refetch(services_, current_, *head, std::move(done));
  });
}

void Worker::drain() {
  call([this] {
    for (auto& [address, acceptor] : acceptors_) {
      acceptor->drain();
      retired_.push_back(std::move(acceptor));
    }
    acceptors_.clear();
  });
}

size_t Worker::connections() {
  return call([this] {
    size_t n = 0;
    for (const auto& [address, acceptor] : acceptors_) n += acceptor->connections();
    for (const auto& acceptor : retired_) n += acceptor->connections();
    return n;
  });
}

void Worker::stop() {
  if (!thread_.joinable()) return;
  // What belongs to the loop ends on the loop.
  call([this] {
    acceptors_.clear();
    retired_.clear();
    services_.fetchings.clear();
    services_.ready.use(nullptr);
    current_.reset();
  });
  loop_->stop();
  thread_.join();
}

} // namespace verge::server
