// The admin API: health, metrics and purges for the operator and the CLI, on its own listener and the control loop.
// Posts with an Origin field are refused: a web page must not reach it through the operator's browser.
//
//   GET  /healthz            200 while the process runs
//   GET  /readyz             200 when the node takes traffic, else 503 with the reason
//   GET  /metrics            Prometheus text
//   POST /purge              {"paths": [...], "tags": [...], "sites": [...], "all": false, "soft": false,
//                            "dry_run": false, "id": "deploy-7"} -> {"id", "seq": 7, "ms", ...}; for the holders of
//                            invalidation.tokens too, within their limits
//   GET  /purges             the latest 1,000 purges of this node, newest first
//   GET  /purges/<id> and what else the nodes of a fleet ask each other, see fleet/fleet.h
//   the purge APIs of other tools, see purge_doors.h
//   POST /why                {"url": "https://...", "method": "GET", "headers": [[name, value]]} -> the decision, by
//   steps POST /entries            {"pattern": "/img/*", "tag": "home", "after": 0, "limit": 1000} -> a page of what is
//   stored POST /entry              {"key": "https://..."} -> all that is known of its variants POST
//   /reload             reads the configuration anew; 200, or 409 with every fault
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cache/cache.h"
#include "proxy/base/result.h"
#include "proxy/control/purge_engine.h"
#include "proxy/control/tools/purge_doors.h"
#include "proxy/http/stream.h"
#include "proxy/net/event_loop.h"

namespace verge::control {

struct AdminHooks {
  std::function<Result<>()> ready;    // an error's text says why not
  std::function<std::string()> state; // further lines of /readyz, on the control loop; may be empty
  // Runs elsewhere; `done` is called on any thread.
  std::function<void(std::move_only_function<void(Result<>)> done)> reload;
  std::function<std::vector<std::vector<std::string>>()> sites; // the hosts of each that is configured
  // What the node would do with this request, as JSON; nothing is sent. `done` is called on any thread.
  std::function<void(http::RequestHead head, std::move_only_function<void(std::string json)> done)> why;
};

class AdminApi {
 public:
  // All outlive the AdminApi; `engine` is that of `cache`. `token` empty: no authentication (loopback and unix sockets
  // only; the config says so); else "Authorization: Bearer <token>" is asked for on everything but /healthz and
  // /readyz.
  AdminApi(cache::Cache& cache, PurgeEngine& engine, PurgeDoors& doors, net::EventLoop& loop, std::string token,
           AdminHooks hooks);
  ~AdminApi();
  AdminApi(const AdminApi&) = delete;
  AdminApi& operator=(const AdminApi&) = delete;
  // Loop thread only.
  std::unique_ptr<http::StreamHandler> handle(http::ClientStream& client, http::RequestHead&& head);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

} // namespace verge::control
