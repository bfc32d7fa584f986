// Routes that change packages, or would.

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "api/audit.h"
#include "api/packages.h"
#include "api/packages_json.h"
#include "telemetry/log.h"

namespace atalaya::api {
namespace {

using auth::Principal;

constexpr std::uint64_t kMaxChangeBytes = 8 << 20;

Result<json::object> body_of(const net::Request& request) {
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 64;
  auto body = json::parse(request.body, error, {}, options);
  if (error || !body.is_object()) return fail(ErrorCode::kInvalidArgument, "the body must be a JSON object");
  return std::move(body.get_object());
}

std::string text(const json::object& from, std::string_view key) {
  const auto* value = from.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}
bool flag(const json::object& from, std::string_view key) {
  const auto* value = from.if_contains(key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

/// What has changed is noted; the history holds it too, so a log without room holds nothing up.
void note(const PackageServices& s, const Principal& who, std::string action, std::string reason,
          const packages::ChangeResult& result) {
  if (s.audit == nullptr || s.clock == nullptr || !result.commit) return;
  std::set<std::string> names;
  for (const auto& change : result.files) names.insert(change.file.substr(0, change.file.find('/')));
  if (!reason.empty()) reason += ": ";
  const auto noted = s.audit->add(
      who.tenant, {.at = s.clock->now(),
                   .who = audited_name(who),
                   .action = std::move(action),
                   .object = fmt::format("{}", fmt::join(names, ", ")),
                   .detail = fmt::format("{}{} (commit {})", reason, fmt::join(result.effects, ", "), *result.commit)});
  if (!noted) telemetry::log_error("packages", "change not noted", {{"reason", to_string(noted.error())}});
}

Result<net::Response> change(const PackageServices& s, const Principal& who, const net::Request& request) {
  AT_TRY(const auto body, body_of(request));
  packages::ChangeRequest wanted;
  const auto* list = body.if_contains("operations");
  AT_TRY(wanted.operations, operations_of(list == nullptr ? json::value() : *list));
  wanted.author = who.name;
  wanted.reason = text(body, "reason").substr(0, 1000);
  wanted.preview = flag(body, "preview");
  wanted.privileged = who.role >= auth::Role::kAdmin;
  if (const auto* base = body.if_contains("base"); base != nullptr && base->is_object()) {
    for (const auto& [file, hash] : base->get_object()) {
      if (hash.is_string()) wanted.base[std::string(file)] = std::string(hash.get_string());
    }
  }
  AT_TRY(const auto result, s.packages.change(who.tenant, wanted));
  note(s, who, "package.change", wanted.reason, result);
  return answer(result);
}

Result<net::Response> draft(const PackageServices& s, const Principal& who, const net::Request& request) {
  AT_TRY(const auto body, body_of(request));
  packages::DraftRequest wanted;
  wanted.package = text(body, "package");
  wanted.section = text(body, "section");
  wanted.path = texts_of(body.if_contains("path"));
  wanted.yaml = text(body, "yaml");
  if (const auto* set = body.if_contains("set"); set != nullptr && set->is_array()) {
    for (const auto& one : set->get_array()) {
      if (!one.is_object()) continue;
      const auto* value = one.get_object().if_contains("value");
      wanted.set.emplace_back(texts_of(one.get_object().if_contains("field")),
                              value == nullptr ? config::YamlValue() : schema::to_yaml(*value));
    }
  }
  if (const auto* unset = body.if_contains("unset"); unset != nullptr && unset->is_array()) {
    for (const auto& one : unset->get_array()) wanted.unset.push_back(texts_of(&one));
  }
  AT_TRY(const auto view, s.packages.draft(who.tenant, wanted));
  return ok(json::object{{"yaml", view.yaml}, {"written", view.written}, {"errors", to_json(view.errors)}});
}

void add_history(Doors& doors, const PackageServices& s) {
  const auto number = [](std::string_view digits) { return std::strtoull(std::string(digits).c_str(), nullptr, 10); };
  doors.add("GET", "~/packages/{package}/history", Need::kOperator,
            [s, number](const Principal& who, net::Request& request) -> Result<net::Response> {
              const auto limit = request.query.get("limit");
              AT_TRY(const auto commits,
                     s.packages.history(who.tenant, std::string(request.captures.get("package")),
                                        number(request.query.get("before")),
                                        limit.empty() ? 50 : std::min<std::uint64_t>(500, number(limit))));
              json::array list;
              for (const auto& commit : commits) list.push_back(to_json(commit, false));
              return ok(json::object{{"commits", std::move(list)}});
            });
  doors.add("GET", "~/package-commits/{id}", Need::kOperator,
            [s, number](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(const auto commit, s.packages.commit(who.tenant, number(request.captures.get("id"))));
              return ok(to_json(commit, true));
            });
  doors.add("POST", "~/package-commits/{id}/revert", Need::kOperator,
            [s, number](const Principal& who, net::Request& request) -> Result<net::Response> {
              json::object body;
              if (!request.body.empty()) {
                AT_TRY(body, body_of(request));
              }
              AT_TRY(const auto result,
                     s.packages.revert(who.tenant, number(request.captures.get("id")), who.name, text(body, "reason"),
                                       flag(body, "preview"), who.role >= auth::Role::kAdmin));
              note(s, who, "package.revert", text(body, "reason"), result);
              return answer(result);
            });
}

Result<packages::Archive> unpacked(const PackageServices& s, std::string_view bytes) {
  auto archive = packages::unpack(bytes, s.trusted_keys, !s.trusted_keys.empty());
  // What came over the wire is damaged, and nothing of the server's.
  if (!archive && archive.error().code == ErrorCode::kCorruption) archive.error().code = ErrorCode::kUnprocessable;
  return archive;
}

void add_archives(Doors& doors, const PackageServices& s) {
  doors.add("GET", "~/packages/{package}/archive", Need::kOperator,
            [s](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(const auto archive, s.packages.pack(who.tenant, std::string(request.captures.get("package"))));
              AT_TRY(auto bytes, packages::pack(archive, ""));
              net::Response out;
              out.headers.set("Content-Type", "application/vnd.atalaya.package");
              out.headers.set("Content-Disposition",
                              fmt::format("attachment; filename=\"{}-{}.atpkg\"", archive.package, archive.version));
              out.body = std::move(bytes);
              return out;
            });
  doors.add("POST", "~/package-install", Need::kAdmin,
            [s](const Principal& who, net::Request& request) -> Result<net::Response> {
              AT_TRY(const auto archive, unpacked(s, request.body));
              const bool preview = request.query.get("preview") == "true";
              AT_TRY(const auto result,
                     s.packages.install(who.tenant, archive, who.name, request.query.get("upgrade") == "true", preview,
                                        std::string(request.query.get("reason").substr(0, 1000)),
                                        preview && request.query.get("any_version") == "true",
                                        std::string(request.query.get("replaces").substr(0, 64))));
              note(s, who, "package.install", fmt::format("{} {}", archive.package, archive.version), result);
              if (!result.errors.empty() || !result.conflicts.empty()) return answer(result);
              auto out = to_json(result);
              out["package"] = archive.package;
              out["version"] = archive.version;
              out["signer"] = archive.signer;
              return ok(out);
            },
            {.max_body_bytes = packages::kMaxArchiveBytes});
}

}  // namespace

void add_package_change_routes(Doors& doors, PackageServices s) {
  doors.add("POST", "~/package-changes", Need::kOperator,
            [s](const Principal& who, net::Request& request) { return change(s, who, request); },
            {.max_body_bytes = kMaxChangeBytes});
  doors.add("POST", "~/package-draft", Need::kOperator,
            [s](const Principal& who, net::Request& request) { return draft(s, who, request); },
            {.max_body_bytes = kMaxChangeBytes});
  add_history(doors, s);
  add_archives(doors, s);
}

}  // namespace atalaya::api
