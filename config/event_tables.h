// The rows of events: rules, and the doors they come by beside SNS's.
#pragma once

#include "config/config.h"
#include "config/schema.h"

namespace verge::config {

const Table<EventRule>& event_rule_table();
const Table<Push>& push_table();
const Table<SqsQueue>& sqs_queue_table();

const Table<Credentials>& credentials_table(); // tables.cc

} // namespace verge::config
