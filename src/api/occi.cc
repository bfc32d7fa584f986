#include "api/occi.h"

#include "api/occi_exchange.h"

namespace atalaya::api {

Occi::Occi(OcciServices services) : with_(std::move(services)), entities_(with_.packages) {}

void Occi::add_routes(Doors& doors, net::WorkerPool& changers) {
  const net::RouteOptions bounded{.max_body_bytes = occi::kMostBytes};
  const auto add = [&](const char* method, const char* pattern, const char* fixed) {
    const auto action = [this, fixed](const auth::Principal& who, net::Request& request) -> Result<net::Response> {
      const auto path = fixed != nullptr ? std::string(fixed) : "/" + std::string(request.captures.get("path"));
      return OcciExchange(*this, who, request).answer(path);
    };
    if (method == std::string_view("GET"))
      doors.add(method, pattern, Need::kViewer, action, bounded);
    else
      doors.add_slow(method, pattern, Need::kOperator, changers, action, bounded);
  };
  for (const auto* method : {"GET", "POST", "PUT", "DELETE"}) add(method, "/occi/{path...}", nullptr);
  for (const auto* pattern : {"/-/", "/.well-known/org/ogf/occi/-/"}) {
    for (const auto* method : {"GET", "POST", "DELETE"}) add(method, pattern, "/-/");
  }
}

}  // namespace atalaya::api
