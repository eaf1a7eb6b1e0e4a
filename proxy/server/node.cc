#include "proxy/server/node.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <nlohmann/json.hpp>

#include "cache/policy/site.h"
#include "proxy/base/log.h"
#include "proxy/base/metrics.h"
#include "proxy/net/tls_server.h"
#include "proxy/pipeline/keyed_targets.h"
#include "proxy/server/cache_gauges.h"

namespace verge::server {
namespace {

constexpr int kBacklog = 4096;

net::ServerTlsOptions tls_options(const config::Tls& tls) {
  net::ServerTlsOptions out;
  for (const auto& c : tls.certificates) out.certificates.push_back({c.chain, c.key});
  switch (tls.client_auth.mode) {
    case config::ClientAuthMode::off: out.client_auth = net::ClientAuth::off; break;
    case config::ClientAuthMode::optional: out.client_auth = net::ClientAuth::optional; break;
    case config::ClientAuthMode::required: out.client_auth = net::ClientAuth::required; break;
  }
  out.client_ca = tls.client_auth.ca;
  out.verified_chains = tls.client_auth.verified;
  out.sessions = tls.sessions;
  out.min_version = tls.min_version;
  return out;
}

cache::CacheOptions cache_options(const config::Cache& c) {
  cache::CacheOptions out;
  if (c.path != "off") out.disk.path = c.path;
  out.disk.bytes = c.disk;
  out.memory_bytes = c.memory;
  out.ram_object_bytes = c.memory_object;
  out.disk.variants = c.variants;
  return out;
}

// The address as configured, with the port the kernel chose when it was 0.
std::string bound_text(const net::Endpoint& endpoint, const std::string& configured, int fd) {
  if (!endpoint.unix_path.empty() || endpoint.port != 0) return configured;
  const std::string host = endpoint.host.find(':') != std::string::npos ? "[" + endpoint.host + "]" : endpoint.host;
  return fmt::format("{}:{}", host, net::Listener::bound_port(fd));
}

std::string to_json(const pipeline::Explanation& explanation) {
  auto steps = nlohmann::json::array();
  for (const auto& s : explanation.steps) {
    nlohmann::json step = {{"room", s.room}, {"text", s.text}};
    if (!s.rfc.empty()) step["rfc"] = s.rfc;
    if (!s.config.empty()) step["config"] = s.config;
    steps.push_back(std::move(step));
  }
  const nlohmann::json out = {{"outcome", explanation.outcome}, {"steps", std::move(steps)}};
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

// Closes what was bound and not handed over.
class BoundSockets {
 public:
  ~BoundSockets() {
    for (const int fd : fds_) ::close(fd);
  }
  void add(int fd) { fds_.push_back(fd); }
  void release() { fds_.clear(); }

 private:
  std::vector<int> fds_;
};

} // namespace

Result<std::unique_ptr<Node>> Node::start(config::Config config, const Clock& clock,
                                          std::function<void(ReloadDone)> reload_requested) {
  auto node = std::unique_ptr<Node>(new Node(clock));
  if (auto opened = node->open(std::move(config), std::move(reload_requested)); !opened) {
    return std::unexpected(std::move(opened.error()));
  }
  return node;
}

Result<> Node::open(config::Config config, std::function<void(ReloadDone)> reload_requested) {
  auto shared_config = std::make_shared<const config::Config>(std::move(config));
  const auto& c = *shared_config;
  auto cache = cache::Cache::open(cache_options(c.cache), clock_);
  if (!cache) return std::unexpected(std::move(cache.error()));
  cache_ = std::move(*cache);
  gauges_ = cache_gauges(*cache_);
  if (!c.access_log.path.empty()) {
    auto log = pipeline::AccessLog::open(c.access_log);
    if (!log) return std::unexpected(std::move(log.error()));
    access_log_ = std::move(*log);
  }
  resolver_ = net::Resolver::create(clock_);
  auto loop = net::EventLoop::create(clock_);
  if (!loop) return std::unexpected(std::move(loop.error()));
  control_loop_ = std::move(*loop);
  control_thread_ = std::thread([this] { control_loop_->run(); });
  config_ = shared_config;
  engine_ = std::make_unique<control::PurgeEngine>(*cache_, *control_loop_, clock_);
  guard_ = std::make_unique<control::Guard>(c.invalidation, *cache_, *engine_, *control_loop_, clock_);
  if (auto fleet = open_fleet(); !fleet) return fleet;
  auto purge_doors = control::PurgeDoors::create(c.invalidation, c.admin.token, *engine_, *cache_, *control_loop_,
                                                 clock_, fleet_.get());
  if (!purge_doors) return std::unexpected(std::move(purge_doors.error()));
  purge_doors_ = std::move(*purge_doors);
  if (auto events = open_events(); !events) return events;
  const Shared shared{clock_,     *cache_,  *resolver_, access_log_.get(), doors_.empty() ? nullptr : &doors_,
                      &verdicts_, &failing_};
  for (uint32_t i = 0; i < c.workers; ++i) {
    auto worker = Worker::create(shared);
    if (!worker) return std::unexpected(std::move(worker.error()));
    workers_.push_back(std::move(*worker));
  }
  if (auto applied = apply(shared_config); !applied) return applied;
  if (auto queues = open_queues(); !queues) return queues;
  if (auto admin = open_admin(std::move(reload_requested)); !admin) return admin;

  ready_ = true;
  return {};
}

Result<> Node::open_fleet() {
  std::promise<Result<>> opened;
  control_loop_->post([&] {
    auto fleet = control::Fleet::create(config_->fleet, *engine_, *cache_, {*control_loop_, *resolver_});
    if (!fleet) return opened.set_value(std::unexpected(std::move(fleet.error())));
    fleet_ = std::move(*fleet);
    opened.set_value({});
  });
  return opened.get_future().get();
}

// The ways by which events come in on the public listener.
Result<> Node::open_events() {
  taker_ = std::make_unique<control::EventTaker>(*engine_); // apply() says what events mean
  const auto& invalidation = config_->invalidation;
  if (invalidation.sns) {
    auto sns = control::SnsEndpoint::create(*invalidation.sns, *cache_, *taker_, *control_loop_, *resolver_, clock_);
    if (!sns) return std::unexpected(std::move(sns.error()).in("invalidation.sns"));
    sns_ = std::move(*sns);
    doors_.add(*sns_);
  }
  if (invalidation.push) {
    auto push = control::PushEndpoint::create(*invalidation.push, *taker_, *control_loop_, sns_.get());
    if (!push) return std::unexpected(std::move(push.error()).in("invalidation.push"));
    push_ = std::move(*push);
    doors_.add(*push_);
  }
  return {};
}

// And the queues, which are polled as soon as there is something to invalidate.
Result<> Node::open_queues() {
  const auto& sqs = config_->invalidation.sqs;
  std::promise<Result<>> opened;
  control_loop_->post([&] {
    for (size_t i = 0; i < sqs.size(); ++i) {
      auto queue = control::SqsPoller::create(sqs[i], {*control_loop_, *resolver_}, *taker_, guard_->queue(i));
      if (!queue) {
        return opened.set_value(std::unexpected(std::move(queue.error()).in(fmt::format("invalidation.sqs[{}]", i))));
      }
      queues_.push_back(std::move(*queue));
      queues_.back()->start();
    }
    guard_->start();
    open_aftermath();
    opened.set_value({});
  });
  if (auto done = opened.get_future().get(); !done) return done;
  for (const auto& queue : queues_) {
    gauges_.push_back(std::make_unique<metrics::Gauge>(
        "verge_sqs_last_poll_timestamp_seconds", fmt::format("queue=\"{}\"", queue->queue()),
        "When a queue last answered a call for messages, in seconds since 1970; 0: never.",
        [poller = queue.get()] { return double(poller->last_poll()); }));
  }
  return {};
}

// What invalidations leave to be done. On the control loop.
void Node::open_aftermath() {
  const auto& options = config_->invalidation;
  forgetter_ = std::make_unique<control::Forgetter>(*cache_, *control_loop_, options.forget);
  forgetter_->start();
  refetcher_ = std::make_unique<control::Refetcher>(
      options.refetch, *cache_, *control_loop_,
      [this, next = size_t{0}](cache::HeadRef head,
                               std::move_only_function<void(control::Refetcher::Result)> done) mutable {
        auto& worker = *workers_[next++ % workers_.size()];
        worker.refetch(std::move(head), [done = std::move(done)](pipeline::Refetched result) mutable {
          using Out = control::Refetcher::Result;
          done(result == pipeline::Refetched::fetched ? Out::fetched
               : result == pipeline::Refetched::fresh ? Out::fresh
                                                      : Out::skipped);
        });
      });
  engine_->refetch_with(
      [this](cache::Invalidation command, uint64_t seq) { refetcher_->begin(std::move(command), seq); },
      options.refetch.by_default);
}

Result<> Node::open_admin(std::function<void(ReloadDone)> reload_requested) {
  control::AdminHooks hooks;
  hooks.ready = [this]() -> Result<> {
    if (!ready_) return fail(Errc::refused, "draining");
    return {};
  };
  hooks.state = [this] {
    std::string lines = guard_->state();
    for (const auto& queue : queues_) lines += queue->state(clock_.wall()) + "\n";
    if (const auto fleet = fleet_->state(); !fleet.empty()) lines += fleet + "\n";
    return lines;
  };
  hooks.reload = std::move(reload_requested);
  hooks.sites = [this] { return site_hosts_; };
  hooks.why = [this](http::RequestHead head, std::move_only_function<void(std::string)> answer) {
    workers_.front()->explain(std::move(head), [answer = std::move(answer)](pipeline::Explanation explanation) mutable {
      answer(to_json(explanation));
    });
  };
  admin_api_ = std::make_unique<control::AdminApi>(*cache_, *engine_, *purge_doors_, *control_loop_,
                                                   config_->admin.token, std::move(hooks));
  const auto admin = open_control(
      config_->admin.address, "admin.address",
      [this](http::ClientStream& client, http::RequestHead&& head) {
        return admin_api_->handle(client, std::move(head));
      },
      admin_bound_, admin_);
  if (!admin) return admin;
  return open_control(
      config_->invalidation.listen, "invalidation.listen",
      [this](http::ClientStream& client, http::RequestHead&& head) {
        return purge_doors_->handle(client, std::move(head));
      },
      purge_bound_, purge_acceptor_);
}

Result<> Node::open_control(const std::string& address, std::string_view field, Handle handle, std::string& bound,
                            std::unique_ptr<Acceptor>& acceptor) {
  if (address.empty()) return {};
  auto endpoint = net::Endpoint::parse(address);
  if (!endpoint) return std::unexpected(std::move(endpoint.error()).in(field));
  if (auto free = net::Listener::check_free(*endpoint); !free) {
    return std::unexpected(std::move(free.error()).in(field));
  }
  auto fd = net::Listener::bind(*endpoint, kBacklog);
  if (!fd) return std::unexpected(std::move(fd.error()).in(field));
  bound = bound_text(*endpoint, address, *fd);
  std::promise<void> done;
  control_loop_->post([&] {
    auto settings = std::make_shared<ConnectionSettings>();
    settings->times = config_->limits;
    settings->allow_http2 = false;
    settings->make = [handle = std::move(handle)](http::ClientStream& client, const pipeline::Connected&,
                                                  http::RequestHead&& head) { return handle(client, std::move(head)); };
    acceptor = std::make_unique<Acceptor>(*control_loop_, *fd);
    acceptor->use(nullptr, false, std::move(settings));
    done.set_value();
  });
  done.get_future().wait();
  return {};
}

// What each site may take on disk, and a gauge of what it takes.
void Node::count_sites(const config::Config& config) {
  std::unordered_map<uint64_t, uint64_t> quotas;
  for (const auto& site : config.sites) {
    const std::string& name = site.hosts.front();
    const uint64_t id = policy::site_id(name);
    if (site.quota != 0) quotas[id] = site.quota;
    auto& gauge = site_gauges_[name];
    if (gauge) continue;
    gauge = std::make_unique<metrics::Gauge>(
        "verge_cache_site_bytes", fmt::format("site=\"{}\"", name),
        "Octets of a site's responses on disk that can be found, heads and bodies; by its first host.", [this, id] {
          const auto sites = cache_->stats().disk.sites;
          const auto it = std::ranges::find(sites, id, &cache::SiteUse::site);
          return it != sites.end() ? double(it->bytes) : 0.0;
        });
  }
  cache_->set_quotas(std::move(quotas));
}

Result<> Node::apply(std::shared_ptr<const config::Config> config) {
  // Everything that can fail comes first: rules, certificates, sockets, origins. Then nothing can.
  auto reader = control::EventReader::create(*config);
  if (!reader) return std::unexpected(std::move(reader.error()));
  std::vector<std::vector<Binding>> bindings(workers_.size());
  BoundSockets sockets;
  std::vector<std::string> listening, bound;
  for (const auto& listen : config->listen) {
    std::shared_ptr<net::ServerTls> tls;
    if (listen.tls) {
      auto made = net::ServerTls::create(tls_options(*listen.tls));
      if (!made) return std::unexpected(std::move(made.error()).in("listen " + listen.address));
      tls = std::move(*made);
    }
    const bool client_auth = listen.tls && listen.tls->client_auth.mode != config::ClientAuthMode::off;
    const auto known = std::find(listening_.begin(), listening_.end(), listen.address);
    auto endpoint = net::Endpoint::parse(listen.address);
    if (!endpoint) return std::unexpected(std::move(endpoint.error()).in("listen"));
    if (known != listening_.end()) bound.push_back(bound_[static_cast<size_t>(known - listening_.begin())]);
    if (known == listening_.end()) {
      if (auto free = net::Listener::check_free(*endpoint); !free) {
        return std::unexpected(std::move(free.error()).in("listen"));
      }
    }
    for (auto& of_worker : bindings) {
      Binding binding{listen.address, -1, tls, client_auth};
      if (known == listening_.end()) {
        // A path can be bound once only: further workers accept from the same socket.
        const bool shared_socket = !endpoint->unix_path.empty() && &of_worker != &bindings.front();
        auto fd =
            shared_socket ? Result<int>(::dup(bindings.front().back().fd)) : net::Listener::bind(*endpoint, kBacklog);
        if (!fd) return std::unexpected(std::move(fd.error()).in("listen"));
        sockets.add(*fd);
        binding.fd = *fd;
        if (&of_worker == &bindings.front()) {
          bound.push_back(bound_text(*endpoint, listen.address, *fd));
          endpoint->port = endpoint->unix_path.empty() ? net::Listener::bound_port(*fd) : 0; // the same for all workers
        }
      }
      of_worker.push_back(std::move(binding));
    }
    listening.push_back(listen.address);
  }
  const auto snapshot = pipeline::Snapshot::compile(config);
  std::vector<std::shared_ptr<pipeline::LoopSnapshot>> prepared;
  for (auto& worker : workers_) {
    auto made = worker->prepare(snapshot);
    if (!made) return std::unexpected(std::move(made.error()));
    prepared.push_back(std::move(*made));
  }
  sockets.release();
  for (size_t i = 0; i < workers_.size(); ++i) workers_[i]->activate(std::move(prepared[i]), std::move(bindings[i]));
  cache_->settle_with([snapshot](cache::Invalidation& i) { pipeline::add_keyed_targets(*snapshot, i.targets); });
  control_loop_->post([this, reader = std::move(*reader)]() mutable { taker_->use(std::move(reader)); });
  listening_ = std::move(listening);
  bound_ = std::move(bound);
  count_sites(*config);
  std::vector<std::vector<std::string>> hosts;
  for (const auto& site : config->sites) hosts.push_back(site.hosts);
  control_loop_->post([this, hosts = std::move(hosts)]() mutable { site_hosts_ = std::move(hosts); });
  config_ = std::move(config);
  return {};
}

Result<> Node::reload(config::Config config) {
  const auto refuse = [](std::string_view what) {
    return fail(Errc::config, fmt::format("{} changed: that needs a restart; the old configuration stays", what));
  };
  if (config.workers != config_->workers) return refuse("workers");
  if (config.cache.path != config_->cache.path || config.cache.disk != config_->cache.disk ||
      config.cache.memory != config_->cache.memory || config.cache.memory_object != config_->cache.memory_object ||
      config.cache.variants != config_->cache.variants) {
    return refuse("cache");
  }
  if (config.admin.address != config_->admin.address || config.admin.token != config_->admin.token) {
    return refuse("admin");
  }
  if (config.access_log.path != config_->access_log.path || config.access_log.format != config_->access_log.format) {
    return refuse("access_log");
  }
  if (config.invalidation != config_->invalidation) return refuse("invalidation");
  if (config.fleet != config_->fleet) return refuse("fleet");
  return apply(std::make_shared<const config::Config>(std::move(config)));
}

void Node::reopen_logs() {
  if (access_log_) access_log_->reopen();
  if (auto opened = log::open(config_->error_log.path, log::level_from(config_->error_log.level)); !opened) {
    log::error("main", "{}", opened.error().what);
  }
}

void Node::drain() {
  ready_ = false;
  for (auto& worker : workers_) worker->drain();
}

bool Node::idle() {
  return std::all_of(workers_.begin(), workers_.end(), [](auto& w) { return w->connections() == 0; });
}

Node::~Node() {
  ready_ = false;
  for (auto& worker : workers_) worker->stop();
  gauges_.clear();
  site_gauges_.clear();
  if (control_thread_.joinable()) {
    std::promise<void> done;
    control_loop_->post([&] {
      admin_.reset();
      purge_acceptor_.reset();
      admin_api_.reset();
      queues_.clear();
      if (guard_) guard_->stop();
      if (refetcher_) refetcher_->stop();
      if (forgetter_) forgetter_->stop();
      push_.reset();
      fleet_.reset();
      sns_.reset(); // what it has under way would answer on a worker's loop
      done.set_value();
    });
    done.get_future().wait();
  }
  // The writer still has epochs and stores to commit; their callbacks go to loops that are still there.
  if (cache_) cache_->flush();
  workers_.clear();
  if (control_loop_) control_loop_->stop();
  if (control_thread_.joinable()) control_thread_.join();
  cache_.reset();
}

} // namespace verge::server
