// EventReader: what a text that a deploy sent asks for, by whatever way it came. Understands our own purge message,
// S3's event records, EventBridge events, CloudFormation's notifications, and what the configured rules fit. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cache/invalidate/epochs.h"
#include "config/config.h"
#include "proxy/base/result.h"
#include "proxy/control/events/buckets.h"
#include "proxy/control/events/sequencers.h"

namespace verge::control {

struct Meant {
  std::optional<cache::Invalidation> command; // none: nothing to purge
  std::string reason;                         // then says why
  bool matched = true;                        // false: nothing here takes texts of this kind
  // What was told, for people and as the name of its kind where nothing takes it: "aws.codepipeline CodePipeline
  // Pipeline Execution State Change", "S3 site/img/a.png and 2 more". Empty: our own message, which says itself.
  std::string event;
  std::vector<S3Change> changes; // what Sequencers shall know when the command is durable
};

class EventReader {
 public:
  // Error config: a rule's purge names what can't be, `what` begins with its row.
  static Result<EventReader> create(const config::Config& config);

  // Our own message: {"paths": [...], "tags": [...], "all": true, "hosts": [...], "soft": true}, alone or as the detail
  // of an EventBridge event whose detail-type is "Verge Purge". An S3 event purges its object (buckets.h), unless
  // `known` knows a later one; `other_prefix`: see there. Every rule that fits adds its purge; the whole is soft only
  // if all parts are. Of CloudFormation's notifications only the end of a stack counts. Error bad_input: it is one of
  // these, but malformed.
  Result<Meant> read(std::string_view text, std::string_view other_prefix, const Sequencers& known) const;

 private:
  struct Rule {
    config::EventPattern when;
    cache::Invalidation purge;
  };
  EventReader(Buckets buckets, std::vector<Rule> rules) : buckets_(std::move(buckets)), rules_(std::move(rules)) {}
  bool apply_rules(const nlohmann::json& event, Meant& out) const;
  Result<Meant> read_stack(std::string_view text) const;
  void add(S3Changes found, std::string_view other_prefix, const Sequencers& known, Meant& out) const;
  Buckets buckets_;
  std::vector<Rule> rules_;
};

} // namespace verge::control
