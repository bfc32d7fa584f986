#include "api/occi.h"

#include "api/occi_exchange.h"

namespace atalaya::api {

Occi::Occi(OcciServices services) : with_(std::move(services)), entities_(with_.packages) {}

void Occi::add_routes(Doors& doors) {
  const net::RouteOptions bounded{.max_body_bytes = occi::kMostBytes};
  const auto add = [&](const char* method, const char* pattern, const char* fixed) {
    const auto need = method == std::string_view("GET") ? Need::kViewer : Need::kOperator;
    const auto action = [this, fixed](const auth::Principal& who, net::Request& request) -> Result<net::Response> {
      const auto path = fixed != nullptr ? std::string(fixed) : "/" + std::string(request.captures.get("path"));
      return OcciExchange(*this, who, request).answer(path);
    };
    doors.add(method, pattern, need, action, bounded);
  };
  for (const auto* method : {"GET", "POST", "PUT", "DELETE"}) add(method, "/occi/{path...}", nullptr);
  for (const auto* pattern : {"/-/", "/.well-known/org/ogf/occi/-/"}) {
    for (const auto* method : {"GET", "POST", "DELETE"}) add(method, pattern, "/-/");
  }
}

}  // namespace atalaya::api
