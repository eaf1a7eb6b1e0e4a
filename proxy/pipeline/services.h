// What rooms may ask of the loop they run on. One Services per loop thread; not thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "cache/cache.h"
#include "origin/origin.h"
#include "proxy/base/clock.h"
#include "proxy/base/executor.h"
#include "proxy/base/pool.h"
#include "proxy/http/intercept.h"
#include "proxy/http/message.h"
#include "proxy/pipeline/lately.h"
#include "proxy/pipeline/ready.h"
#include "proxy/pipeline/snapshot.h"

namespace verge::pipeline {

class AccessLog;
class Failing;
class Fetching;
class Verdicts;

// A Snapshot with the Origins that this loop made for it. Pinned by Exchanges and Fetchings, so that a reload lets
// what runs end on what it began with.
struct LoopSnapshot {
  std::shared_ptr<const Snapshot> snapshot;
  std::vector<std::unique_ptr<origin::Origin>> origins; // by Route::origin_index
};

// One-shot timers without knowing the net library. Destroying an Alarm stops it.
class Alarm {
 public:
  virtual ~Alarm() = default;
};
class Alarms {
 public:
  virtual ~Alarms() = default;
  virtual std::unique_ptr<Alarm> after(Millis delay, Task task) = 0;
};

// Who is at the other end of the connection, the same for all its requests.
class CertificateNames {
 public:
  virtual ~CertificateNames() = default;
  virtual bool covers(std::string_view host) const = 0; // by our certificate
};
struct Connected {
  std::string address;                      // the client's, no port
  std::string scheme;                       // "http" or "https"
  const net::TlsInfo* tls = nullptr;        // handed on to the Origin, not looked into here
  std::string sni, tls_version, tls_client; // of it, for the rooms; empty without TLS or client certificate
  bool client_auth = false;                 // the listener asks for client certificates
  const CertificateNames* names = nullptr;
};

struct Services {
  Executor& loop;
  const Clock& clock;
  cache::Cache& cache;
  Alarms& alarms;
  AccessLog* access_log = nullptr; // null: off
  http::Intercept* intercept = nullptr;
  Verdicts* verdicts = nullptr; // null: nobody asks why
  size_t gathered_bytes = 0;    // of bodies that are to be part of keys; see keyed_body.h
  size_t collected_bytes = 0;   // of bodies gathered for the intercept now, all requests of this loop
  std::unordered_map<Fetching*, std::unique_ptr<Fetching>, std::hash<Fetching*>, std::equal_to<>,
                     pool::Allocator<std::pair<Fetching* const, std::unique_ptr<Fetching>>>>
      fetchings;                  // those under way; see fetching.h
  Failing* failing = nullptr;     // what failed lately; null: nothing is remembered
  cache::RamFront ram_front = {}; // what this loop found in memory lately, and what nowhere
  ReadyAnswers ready = {};        // and what it made of that
  Lately whole_only = {};         // URLs whose origin answered a Range with the whole
  Lately unsliceable = {};        // and those whose slices can't be told apart from another version's
  Lately changed = {};            // versions that were found in the middle of an answer of another one
};

} // namespace verge::pipeline
