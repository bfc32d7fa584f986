// What a Router found: for net's own sources.
#pragma once

#include <string>
#include <vector>

#include "net/http.h"

namespace atalaya::net {

struct Router::Match {
  std::string pattern;
  Handler handler;             ///< of an HTTP route
  WebSocketHandler websocket;  ///< of a WebSocket route (its method is GET)
  RouteOptions options;
  std::vector<std::string> capture_names;  ///< in the order of the pattern
};

}  // namespace atalaya::net
