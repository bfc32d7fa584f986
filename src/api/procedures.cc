#include "api/procedures.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/audit.h"
#include "api/json.h"
#include "collect/utf8.h"
#include "config/suggest.h"
#include "packages/package.h"
#include "telemetry/log.h"

namespace atalaya::api {
namespace {

using auth::Principal;

constexpr std::uint64_t kMemory = 512 << 20;
/// For the way there and back, beside the program's own time.
constexpr Duration kOnTheWay{10'000};

/// For the audit log: values of secret arguments stay out of it.
std::string shown(const Procedure& procedure, json::object arguments) {
  for (const auto& field : procedure.arguments) {
    const auto* object = field.if_object();
    const auto* kind = object ? object->if_contains("kind") : nullptr;
    const auto* name = object ? object->if_contains("name") : nullptr;
    if (!kind || !name || !kind->is_string() || !name->is_string() || kind->get_string() != "secret") continue;
    if (auto* value = arguments.if_contains(name->get_string())) *value = "•••";
  }
  return json::serialize(arguments);
}

ingest::CallFrame frame_of(const Principal& who, const Procedure& procedure, const std::string& host,
                           const json::object& arguments) {
  ingest::CallFrame frame;
  frame.program = procedure.program;
  frame.input = json::serialize(arguments);
  frame.environment = {
      {"ATALAYA_PROCEDURE", procedure.id}, {"ATALAYA_HOST", host}, {"ATALAYA_CALLER", audited_name(who)}};
  frame.time = std::min(procedure.timeout, ingest::kMaxCallTime);
  frame.memory_bytes = kMemory;
  frame.output_bytes = std::min<std::uint64_t>(procedure.output_limit, ingest::kMaxCallOutputBytes);
  frame.network = true;
  return frame;
}

std::string outcome_text(const std::string& host, const Result<ingest::CallResult>& result, std::int64_t ms) {
  if (!result) return fmt::format("on {}: {}", host, to_string(result.error()));
  if (result->timed_out) return fmt::format("on {}: stopped at its time, {} ms", host, ms);
  return fmt::format("on {}: exit code {}, {} ms", host, result->status, ms);
}

net::Response refusal(const std::vector<WrongArgument>& wrong) {
  json::array errors;
  for (const auto& one : wrong) {
    errors.push_back(json::object{{"field", one.field}, {"message", one.message}, {"remedy", one.remedy}});
  }
  const auto more = wrong.size() > 1 ? fmt::format(" (and {} more)", wrong.size() - 1) : std::string();
  return ok(json::object{{"status", "error"},
                         {"errorType", prometheus_error_type(ErrorCode::kInvalidArgument)},
                         {"error", wrong.front().message + more},
                         {"remedy", wrong.front().remedy},
                         {"errors", std::move(errors)}},
            http_status(ErrorCode::kInvalidArgument));
}

Result<net::Response> call(const Procedures& procedures, const Principal& who, const net::Request& request) {
  AT_TRY(auto body, Fields::parse(request));
  const auto arguments = body.object_or_empty("arguments");
  const auto on = body.text_or("on", "", 253);
  AT_TRY(body.finish());
  AT_TRY(const auto outcome, procedures.call(who, std::string(request.captures.get("package")),
                                             std::string(request.captures.get("name")), arguments, on));
  return outcome.wrong.empty() ? ok(outcome.answer) : refusal(outcome.wrong);
}

}  // namespace

json::array Procedures::list(const Principal& who) const {
  json::array out;
  for (const auto& procedure : services_.list(who.tenant)) {
    out.push_back(json::object{{"id", procedure.id},
                               {"package", procedure.package},
                               {"title", procedure.title},
                               {"help", procedure.help},
                               {"role", name(procedure.role)},
                               {"on", procedure.on},
                               {"arguments", procedure.arguments}});
  }
  return out;
}

Result<registry::Host> Procedures::choose_host(const TenantId& tenant, const Procedure& procedure,
                                               const std::string& on) const {
  const auto pattern = procedure.on.empty() ? std::string("*") : procedure.on;
  if (!on.empty() && !packages::glob_matches(pattern, on))
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("{} does not run on {}, only on {}", procedure.id, on, pattern),
                fmt::format("name a host {} in \"on\"", pattern));
  std::vector<registry::Host> hosts;
  const auto all = services_.hosts.list(tenant);
  for (const auto& host : all)
    if (on.empty() ? packages::glob_matches(pattern, host.name) : host.name == on) hosts.push_back(host);
  if (hosts.empty()) {
    std::vector<std::string> names;
    for (const auto& host : all) names.push_back(host.name);
    const auto near = config::closest(on, names);
    return fail(ErrorCode::kNotFound, fmt::format("there is no host {}", on.empty() ? pattern : on),
                near.empty() ? std::string("enrol an agent there, or name another host in \"on\"")
                             : fmt::format("did you mean \"{}\"?", near));
  }
  if (on.empty() && (procedure.on.empty() || hosts.size() > 1))
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} may run on {} hosts", procedure.id, hosts.size()),
                "name one of them in \"on\"");
  return hosts.front();
}

Status Procedures::note(const Principal& who, std::string action, const Procedure& procedure,
                        std::string detail) const {
  const auto noted = services_.audit.add(who.tenant, {.at = services_.clock.now(),
                                                      .who = audited_name(who),
                                                      .action = std::move(action),
                                                      .object = procedure.id,
                                                      .detail = std::move(detail)});
  if (!noted) return fail_within("the audit log", noted.error());
  return {};
}

Result<CallOutcome> Procedures::call(const Principal& who, const std::string& package, const std::string& name,
                                     const json::object& arguments, const std::string& on) const {
  AT_TRY(const auto procedure, services_.find(who.tenant, package, name));
  if (auto may = auth::require(who, procedure.role); !may) {
    AT_TRY(note(who, "procedure.refused", procedure, may.error().message));
    return std::unexpected(std::move(may).error());
  }
  AT_TRY(auto checked, services_.check_arguments(who.tenant, procedure, arguments));
  if (!checked.wrong.empty()) return CallOutcome{{}, std::move(checked.wrong)};
  AT_TRY(const auto host, choose_host(who.tenant, procedure, on));
  // What cannot be noted is not done.
  AT_TRY(note(who, "procedure.call", procedure, fmt::format("on {}: {}", host.name, shown(procedure, checked.values))));
  const auto began = services_.clock.steady();
  auto result = services_.call(who.tenant, host.id, frame_of(who, procedure, host.name, checked.values),
                               procedure.timeout + kOnTheWay);
  const auto ms = std::chrono::duration_cast<Duration>(services_.clock.steady() - began).count();
  // It has run: its answer is the caller's, also when the log has no room for the outcome.
  if (auto noted = note(who, "procedure.end", procedure, outcome_text(host.name, result, ms)); !noted)
    telemetry::log_error("procedures", "outcome not noted",
                         {{"procedure", procedure.id}, {"reason", to_string(noted.error())}});
  if (!result) return std::unexpected(std::move(result).error());
  return CallOutcome{{{"status", result->status},
                      {"timed_out", result->timed_out},
                      {"output", collect::to_utf8(result->output)},
                      {"errors", collect::to_utf8(result->errors)},
                      {"duration_ms", ms},
                      {"host", host.name}},
                     {}};
}

void add_procedure_routes(Doors& doors, const Procedures& procedures, net::WorkerPool& workers) {
  doors.add("GET", "~/procedures", Need::kViewer,
            [&procedures](const Principal& who, net::Request&) -> Result<net::Response> {
              return ok(json::object{{"procedures", procedures.list(who)}});
            });
  doors.add_slow("POST", "~/rpc/{package}/{name...}", Need::kViewer, workers,
                 [&procedures](const Principal& who, net::Request& request) { return call(procedures, who, request); });
}

}  // namespace atalaya::api
