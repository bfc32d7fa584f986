#include "api/nagios.h"

#include <fmt/format.h>

#include <algorithm>

#include "alerts/machine.h"
#include "alerts/report.h"
#include "api/commands.h"
#include "api/json.h"
#include "base/random.h"
#include "ingest/nagios_lines.h"
#include "ingest/prometheus_text.h"
#include "ingest/series_import.h"

namespace atalaya::api {
namespace {

using auth::Principal;
using ingest::CheckResult;
using ingest::CheckResults;

constexpr std::uint64_t kMaxBody = 8 << 20;
constexpr std::string_view kHostEvent = "Host";  ///< what a host's own result is about

/// In Alerta's words, and Nagios'.
struct Meaning {
  std::string_view severity;
  std::string_view word;
};

Meaning meaning(const CheckResult& result) {
  constexpr Meaning kService[] = {
      {"ok", "OK"}, {"warning", "WARNING"}, {"critical", "CRITICAL"}, {"unknown", "UNKNOWN"}};
  constexpr Meaning kHost[] = {{"ok", "UP"}, {"critical", "DOWN"}, {"major", "UNREACHABLE"}};
  return result.service.empty() ? kHost[result.state] : kService[result.state];
}

std::string joined(std::string_view first, std::string_view second) {
  std::string out(first);
  if (!first.empty() && !second.empty()) out += '\n';
  return out += second;
}

alerts::Reported report_of(const CheckResult& result, const ingest::PluginOutput& output, Time now) {
  const auto means = meaning(result);
  alerts::Reported out;
  auto& r = out.report;
  out.door = alerts::kNagiosDoor;
  r.id = AlertId{random_uuid()};
  r.environment = alerts::kDefaultEnvironment;
  r.resource = result.host;
  r.event = result.service.empty() ? std::string(kHostEvent) : result.service;
  r.severity = means.severity;
  r.group = "Nagios";
  r.value = means.word;
  r.text = joined(output.text, output.more);
  r.type = "nagiosAlert";
  if (!result.output.empty()) r.raw_data = result.output;
  r.created = std::min(result.at.value_or(now), now);
  return out;
}

/// Text of Prometheus' format: the state, and what the plug-in measured.
void add_samples(std::string& out, const CheckResult& result, const ingest::PluginOutput& output, Time now) {
  const auto at = std::min(result.at.value_or(now), now);
  LabelsBuilder about;
  about.set("instance", result.host).set("service", result.service);
  std::string series;
  const auto add = [&](const Labels& labels, double value) {
    series.clear();
    ingest::append_text_series(series, labels);
    ingest::append_text_sample(out, series, value, at);
  };
  add(LabelsBuilder(about)
          .set("__name__", result.service.empty() ? "nagios_host_state" : "nagios_service_state")
          .build(),
      result.state);
  for (const auto& one : output.performance) {
    add(LabelsBuilder(about)
            .set("__name__", "nagios_performance_value")
            .set("label", one.label)
            .set("unit", one.unit)
            .build(),
        one.value);
  }
}

/// Stores what is sound; the number of results that were.
Result<std::size_t> take(const NagiosServices& s, const TenantId& tenant, const CheckResults& read) {
  const auto now = s.clock.now();
  std::vector<Command> commands;
  std::string samples;
  for (const auto& result : read.results) {
    const auto output = ingest::read_plugin_output(result.output);
    auto report = report_of(result, output, now);
    const bool urgent = alerts::severity_of_label(report.report.severity) == alerts::Severity::kCritical;
    commands.push_back({.body = std::move(report), .urgent = urgent});
    add_samples(samples, result, output, now);
  }
  AT_TRY(run_all(s.control, tenant, std::move(commands)));
  // An alert is not held back by a store that takes no series.
  ingest::SeriesImport import(s.series, tenant, now);
  if (auto done = import.run(ingest::LineFormat::kText, samples); done.stopped) {
    return std::unexpected(std::move(*done.stopped));
  }
  return read.results.size();
}

std::string words(const std::vector<Error>& errors) {
  std::string out;
  for (std::size_t i = 0; i < std::min<std::size_t>(errors.size(), 20); ++i) {
    out += (out.empty() ? "" : "; ") + to_string(errors[i]);
  }
  if (errors.size() > 20) out += fmt::format("; and {} more", errors.size() - 20);
  return out;
}

Result<net::Response> commands(const NagiosServices& s, const Principal& who, const net::Request& request) {
  const auto read = ingest::read_check_commands(request.body);
  AT_TRY(const auto count, take(s, who.tenant, read));
  if (!read.errors.empty()) return fail(ErrorCode::kInvalidArgument, words(read.errors));
  return ok(json::object{{"results", count}});
}

// NRDP says everything with 200 and a status in the body.

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      default: out += c;
    }
  }
  return out;
}

net::Response nrdp_answer(bool as_json, int status, std::string_view message, std::string_view output) {
  if (as_json) {
    json::object result{{"status", status}, {"message", message}};
    if (!output.empty()) result["meta"] = json::object{{"output", output}};
    return net::Response::json(json::serialize(json::object{{"result", std::move(result)}}));
  }
  auto text = fmt::format(
      "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<result>\n  <status>{}</status>\n"
      "  <message>{}</message>\n",
      status, escaped(message));
  if (!output.empty()) text += fmt::format("  <meta><output>{}</output></meta>\n", escaped(output));
  auto response = net::Response::text(text + "</result>\n");
  response.headers.set("Content-Type", "application/xml; charset=utf-8");
  return response;
}

Result<CheckResults> read_nrdp(const net::Parameters& form) {
  if (form.get("cmd") == "submitcmd") return ingest::read_check_commands(form.get("command"));
  if (const auto text = form.get("JSONDATA"); !text.empty()) return ingest::read_nrdp_json(text);
  if (const auto text = form.get("json"); !text.empty()) return ingest::read_nrdp_json(text);
  if (const auto text = form.get("XMLDATA"); !text.empty()) return ingest::read_nrdp_xml(text);
  if (const auto text = form.get("xml"); !text.empty()) return ingest::read_nrdp_xml(text);
  return fail(ErrorCode::kInvalidArgument, "NO DATA");
}

net::Response nrdp(const Doors& doors, const NagiosServices& s, const net::Request& request) {
  const auto form = net::Parameters::parse(request.body);
  const bool as_json = form.has("JSONDATA") || form.has("json");
  const auto command = form.get("cmd");
  if (form.get("token").empty() && !doors.everybody()) return nrdp_answer(as_json, -1, "NO TOKEN", "");
  const auto who = doors.admit_token(form.get("token"), Need::kIngest);
  if (!who) return nrdp_answer(as_json, -1, "BAD TOKEN", "");
  if (command == "hello") return nrdp_answer(as_json, 0, "OK", "");
  if (command != "submitcheck" && command != "submitcmd") return nrdp_answer(as_json, -1, "NO REQUEST HANDLER", "");
  const auto read = read_nrdp(form);
  if (!read) return nrdp_answer(as_json, -1, to_string(read.error()), "");
  const auto taken = take(s, who->tenant, *read);
  if (!taken) return nrdp_answer(as_json, -1, to_string(taken.error()), "");
  const auto output = fmt::format("{} checks processed.", *taken);
  if (!read->errors.empty()) return nrdp_answer(as_json, -1, words(read->errors), output);
  return nrdp_answer(as_json, 0, "OK", output);
}

}  // namespace

void add_nagios_routes(Doors& doors, NagiosServices s) {
  doors.add_slow("POST", "/nagios/cmd", Need::kIngest, s.senders,
                 [s](const Principal& who, net::Request& request) { return commands(s, who, request); },
                 {.max_body_bytes = kMaxBody});
  // The credential is in the body; clients are configured with either address.
  for (const auto* pattern : {"/nrdp", "/nrdp/"}) {
    doors.add_slow("POST", pattern, Need::kPublic, s.senders,
                   [s, doors](const Principal&, net::Request& request) -> Result<net::Response> {
                     return nrdp(doors, s, request);
                   },
                   {.max_body_bytes = kMaxBody});
  }
}

}  // namespace atalaya::api
