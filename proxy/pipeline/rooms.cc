#include "proxy/pipeline/rooms.h"

namespace verge::pipeline {

// The order in which a request passes the rooms; `log` follows whatever happened.
const std::array<RoomRow, 8> kRooms = {{
    {Room::intake, intake},
    {Room::route, find_route},
    {Room::gate, gate},
    {Room::key, make_key},
    {Room::lookup, lookup},
    {Room::join, join},
    {Room::shape, shape},
    {Room::send, send},
}};

std::string_view to_string(Room room) noexcept {
  switch (room) {
    case Room::intake: return "intake";
    case Room::route: return "route";
    case Room::gate: return "gate";
    case Room::key: return "key";
    case Room::lookup: return "lookup";
    case Room::join: return "join";
    case Room::shape: return "shape";
    case Room::send: return "send";
    case Room::log: return "log";
    case Room::gone: return "gone";
  }
  return "?";
}

} // namespace verge::pipeline
