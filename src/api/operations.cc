#include "api/operations.h"

#include <fmt/format.h>

#include "api/json.h"

namespace atalaya::api {
namespace {

using auth::Principal;

Result<net::Response> reload(const OperationServices& s) {
  auto errors = s.reload();
  if (errors.empty()) return ok(json::object{{"status", "success"}});
  auto first = std::move(errors.front());
  if (errors.size() > 1) {
    first.message += fmt::format(" (and {} more: see {}/packages)", errors.size() - 1, kPrefix);
  }
  return std::unexpected(std::move(first));
}

}  // namespace

void add_operation_routes(Doors& doors, OperationServices services) {
  const auto healthy = [](const Principal&, net::Request&) -> Result<net::Response> {
    return net::Response::text("Atalaya is healthy.\n");
  };
  const auto ready = [s = services](const Principal&, net::Request&) -> Result<net::Response> {
    AT_TRY(s.ready());
    return net::Response::text("Atalaya is ready.\n");
  };
  doors.add("GET", "/-/healthy", Need::kPublic, healthy);
  doors.add("GET", "/-/ready", Need::kPublic, ready);
  doors.add("POST", "/-/reload", Need::kAdmin, [s = services](const Principal&, net::Request&) { return reload(s); });
  doors.add("GET", "/health/engine/cycle", Need::kViewer,
            [s = services](const Principal&, net::Request&) -> Result<net::Response> {
              AT_TRY(s.control.wait_cycle(std::chrono::seconds{10}));
              return ok(json::object{{"cycles", s.control.cycles()}});
            });
  doors.add("GET", "/metrics", Need::kViewer, [s = services](const Principal&, net::Request&) -> Result<net::Response> {
    auto answer = net::Response::text(s.metrics.expose());
    answer.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    return answer;
  });
}

}  // namespace atalaya::api
