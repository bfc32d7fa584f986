#include "api/audit.h"

#include <charconv>

#include "api/json.h"
#include "api/parameters.h"

namespace atalaya::api {
namespace {

constexpr std::size_t kUsual = 100;
constexpr std::size_t kMost = 1000;

Result<std::optional<std::int64_t>> before_parameter(const net::Parameters& parameters) {
  const auto text = parameters.get("before");
  if (text.empty()) return std::nullopt;
  std::int64_t id = 0;
  const auto parsed = std::from_chars(text.begin(), text.end(), id);
  if (parsed.ec != std::errc{} || parsed.ptr != text.end() || id < 1)
    return fail(ErrorCode::kInvalidArgument, "parameter \"before\" is the id of an entry");
  return id;
}

Result<net::Response> list(registry::Audit& audit, const auth::Principal& who, const net::Request& request) {
  AT_TRY(const auto limit, limit_parameter(request.query, kUsual, kMost));
  AT_TRY(const auto before, before_parameter(request.query));
  AT_TRY(const auto entries, audit.list(who.tenant, limit, before));
  json::array out;
  for (const auto& entry : entries) {
    out.push_back(json::object{{"id", entry.id},
                               {"at", rfc3339(entry.at)},
                               {"who", entry.who},
                               {"action", entry.action},
                               {"object", entry.object},
                               {"detail", entry.detail}});
  }
  return ok(json::object{{"entries", std::move(out)}});
}

}  // namespace

std::string audited_name(const auth::Principal& who) {
  return who.kind == auth::Kind::kToken ? "token " + who.name : who.name;
}

void add_audit_routes(Doors& doors, registry::Audit& audit) {
  doors.add("GET", "~/audit", Need::kAdmin,
            [&audit](const auth::Principal& who, net::Request& request) { return list(audit, who, request); });
}

}  // namespace atalaya::api
