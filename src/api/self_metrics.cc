#include "api/self_metrics.h"

#include <boost/json.hpp>

#include <algorithm>
#include <cmath>
#include <map>

#include "api/envelope.h"
#include "collect/scrape/text_format.h"
#include "ingest/prometheus_text.h"

namespace atalaya::api {
namespace {

namespace json = boost::json;
namespace scrape = collect::scrape;

/// One label set of a family; of a histogram all of its series.
struct Metric {
  double value = 0;
  double sum = 0;
  double count = 0;
  std::vector<std::pair<double, double>> buckets;  ///< upper bound, cumulative count
};
struct Family {
  std::string help;
  std::string type;
  std::map<Labels, Metric> metrics;
};
using Families = std::map<std::string, Family, std::less<>>;

json::value number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

json::string integer(double value) { return json::string(std::to_string(static_cast<std::uint64_t>(value))); }

/// The family that a series belongs to, and which of a histogram's it is: "", "bucket", "sum" or "count".
std::pair<Families::iterator, std::string_view> owner(Families& families, std::string_view name) {
  for (const std::string_view part : {"bucket", "sum", "count"}) {
    if (!name.ends_with(part) || name.size() < part.size() + 2 || name[name.size() - part.size() - 1] != '_') continue;
    const auto found = families.find(name.substr(0, name.size() - part.size() - 1));
    if (found != families.end() && found->second.type == "histogram") return {found, part};
  }
  return {families.try_emplace(std::string(name)).first, ""};
}

Status take(Families& families, const scrape::ScrapedLine& line) {
  AT_TRY(const auto labels, ingest::parse_text_series(line.series));
  const auto [family, part] = owner(families, labels.get("__name__"));
  auto rest = labels.without("__name__");
  if (part == "bucket") rest = rest.without("le");
  auto& metric = family->second.metrics[std::move(rest)];
  if (part == "bucket") {
    if (const auto bound = ingest::parse_text_value(labels.get("le"))) metric.buckets.emplace_back(*bound, line.value);
  } else {
    (part == "sum" ? metric.sum : part == "count" ? metric.count : metric.value) = line.value;
  }
  return {};
}

json::object metric_json(const std::string& type, const Labels& labels, const Metric& metric) {
  json::object out;
  if (!labels.empty()) {
    auto& list = out["label"].emplace_array();
    for (const auto& [name, value] : labels) list.push_back(json::object{{"name", name}, {"value", value}});
  }
  if (type != "histogram") {
    out[type == "counter" ? "counter"
        : type == "gauge" ? "gauge"
                          : "untyped"] = json::object{{"value", number(metric.value)}};
    return out;
  }
  json::array buckets;
  for (const auto& [bound, count] : metric.buckets) {
    if (std::isinf(bound)) continue;  // the count says it
    buckets.push_back(json::object{{"cumulativeCount", integer(count)}, {"upperBound", bound}});
  }
  out["histogram"] = json::object{
      {"sampleCount", integer(metric.count)}, {"sampleSum", number(metric.sum)}, {"bucket", std::move(buckets)}};
  return out;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return text;
}

}  // namespace

Result<json::array> metric_families(std::string_view exposition, const Matcher& names) {
  Families families;
  const auto note = [&](const scrape::ScrapedNote& said) {
    auto& family = families[said.metric];
    if (said.what == scrape::ScrapedNote::What::kHelp) family.help = said.text;
    if (said.what == scrape::ScrapedNote::What::kType) family.type = said.text;
  };
  AT_TRY(scrape::read_lines(
      exposition, scrape::Format::kText,
      {.sample = [&](const scrape::ScrapedLine& line) { return take(families, line); }, .note = note}));
  json::array out;
  for (const auto& [name, family] : families) {
    if (!names.matches(name)) continue;
    const bool typed = family.type == "gauge" || family.type == "counter" || family.type == "histogram";
    json::array metrics;
    for (const auto& [labels, metric] : family.metrics) metrics.push_back(metric_json(family.type, labels, metric));
    out.push_back(json::object{{"name", name},
                               {"help", family.help},
                               {"type", typed ? upper(family.type) : "UNTYPED"},
                               {"metric", std::move(metrics)}});
  }
  return out;
}

void add_self_metrics_route(Doors& doors, const telemetry::Registry& metrics) {
  doors.add("GET", "/api/v1/status/self_metrics", Need::kViewer,
            [&metrics](const auth::Principal&, net::Request& request) -> Result<net::Response> {
              const std::string pattern(request.query.get("metric_name_pattern"));
              AT_TRY(const auto names,
                     Matcher::make("metric_name_pattern", Matcher::Op::kRegex, pattern.empty() ? ".*" : pattern));
              AT_TRY(auto families, metric_families(metrics.expose(), names));
              return prometheus_success(json::value(std::move(families)));
            });
}

}  // namespace atalaya::api
