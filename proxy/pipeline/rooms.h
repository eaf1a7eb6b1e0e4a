// The way of a request: one function a room, in the order a request passes them (rooms.cc).
#pragma once

#include <array>
#include <string_view>

#include "proxy/pipeline/exchange.h"

namespace verge::pipeline {

Step intake(Exchange& ex);     // normal form of host and path; the node's own paths
Step find_route(Exchange& ex); // host + path -> route
Step gate(Exchange& ex);       // does this connection's identity fit the host asked for
Step make_key(Exchange& ex);   // cache key, may we look, may we store
Step lookup(Exchange& ex);     // RAM -> disk -> epochs -> variant -> freshness
Step join(Exchange& ex);       // fresh: take it; else be the one who fetches, or wait for the one who does
Step shape(Exchange& ex);      // 304, 206, HEAD; Age, Cache-Status
Step send(Exchange& ex);       // head, then Blocks while the client takes them

struct RoomRow {
  Room room;
  Step (*run)(Exchange&);
};
extern const std::array<RoomRow, 8> kRooms;

} // namespace verge::pipeline
