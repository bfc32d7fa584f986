// Does a host answer pings? As a check: check_up, check_duration_seconds, ping_rtt_seconds (the average
// of a round) and ping_loss_ratio.
#pragma once

#include <memory>

#include "collect/check/check.h"
#include "collect/ping/echo_socket.h"
#include "collect/spec.h"

namespace atalaya::collect::ping {

/// Longest name of a network interface.
constexpr std::size_t kMaxInterface = 15;

/// A look is a round of `count` echoes, at most 100 ms apart and all within the first half of the
/// time-out; the host is up when one is answered. The name is looked up for every round. Errors are
/// invalid_argument for what cannot work, permission_denied with the remedy where this process may not ping.
Result<std::unique_ptr<check::Probe>> make_ping_probe(const PingSpec& spec, Duration timeout, net::EventLoop& loop,
                                                      const Clock& clock);
/// The same with a socket of the caller's.
std::unique_ptr<check::Probe> make_ping_probe(const PingSpec& spec, Duration timeout, net::EventLoop& loop,
                                              const Clock& clock, OpenEcho open);

}  // namespace atalaya::collect::ping
