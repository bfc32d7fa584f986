#include "app/scrapes.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "api/targets.h"
#include "app/own_metrics.h"
#include "app/version.h"
#include "config/yaml.h"
#include "config/yaml_path.h"
#include "schema/validate.h"
#include "telemetry/log.h"

namespace atalaya::app {
namespace {

namespace scrape = collect::scrape;

constexpr std::uint64_t kMostFileBytes = 8 << 20;
constexpr std::string_view kSection = "scrape_configs";
constexpr std::size_t kAskers = 2;
constexpr std::size_t kWaiting = 64;

Status read_global(const config::Node& global, scrape::ConfigDefaults& out, std::vector<std::string>& warnings) {
  for (const auto& entry : global.entries()) {
    const auto& key = entry.key->text();
    if (key == "scrape_interval") {
      AT_TRY(out.interval, config::as_duration(*entry.value));
    } else if (key == "scrape_timeout") {
      AT_TRY(out.timeout, config::as_duration(*entry.value));
    } else {
      warnings.push_back(fmt::format("{}: global.{} is passed over", to_string(entry.key->place()), key));
    }
  }
  if (out.interval <= Duration{0} || out.timeout <= Duration{0}) {
    return fail(ErrorCode::kInvalidArgument, global.place(),
                "scrape_interval and scrape_timeout are longer than nothing");
  }
  return {};
}

Result<scrape::ScrapeConfig> read_job(const config::Node& node, const schema::Section& section,
                                      const schema::SchemaSet& schemas, const scrape::ConfigDefaults& defaults) {
  config::Errors errors;
  const auto* name = node.get("job_name");
  const auto what = name == nullptr ? std::string("a scrape") : fmt::format("scrape \"{}\"", name->text());
  auto checked = schema::check_item(node, section, what, {schemas}, errors);
  if (!checked.ok || !errors.empty()) return std::unexpected(errors.front());
  if (const auto* on = node.get(packages::kScrapesOn); on != nullptr && !on->is_null()) {
    return fail(ErrorCode::kInvalidArgument, on->place(), what + ": agents take jobs from packages alone",
                "put the job into a package's scrape_configs, or remove on");
  }
  std::vector<scrape::ConfigProblem> problems;
  auto job = scrape::read_config("file:" + name->text(), checked.fields, defaults, problems);
  if (job) return std::move(*job);
  auto error = std::move(problems.front().error);
  error.place = config::node_at(node, problems.front().path).place();
  error.message = what + ": " + error.message;
  return std::unexpected(std::move(error));
}

}  // namespace

Result<std::vector<scrape::ScrapeConfig>> read_scrape_file(io::FileSystem& files, const std::string& path,
                                                           const schema::SchemaSet& schemas,
                                                           std::vector<std::string>& warnings) {
  AT_TRY(auto text, io::read_file(files, path, kMostFileBytes));
  AT_TRY(const auto document, config::Document::parse(std::move(text), path));
  const auto* section = schemas.section(kSection);
  if (section == nullptr) return fail(ErrorCode::kInternal, "there is no section scrape_configs");
  scrape::ConfigDefaults defaults;
  defaults.folder = io::parent_path(path);
  const auto& root = document.root();
  if (!root.is_mapping()) return fail(ErrorCode::kInvalidArgument, root.place(), "this is no Prometheus configuration");
  for (const auto& entry : root.entries()) {
    const auto& key = entry.key->text();
    if (key == "global") {
      AT_TRY(read_global(*entry.value, defaults, warnings));
    } else if (key != kSection) {
      warnings.push_back(fmt::format("{}: {} is passed over", to_string(entry.key->place()), key));
    }
  }
  std::vector<scrape::ScrapeConfig> out;
  std::set<std::string> names;
  const auto* list = root.get(kSection);
  if (list == nullptr || list->is_null()) return out;
  if (!list->is_sequence()) return fail(ErrorCode::kInvalidArgument, list->place(), "scrape_configs is no list");
  for (const auto* item : list->items()) {
    AT_TRY(auto job, read_job(*item, *section, schemas, defaults));
    if (!names.insert(job.job).second) {
      return fail(ErrorCode::kInvalidArgument, item->place(),
                  fmt::format("found multiple scrape configs with job name \"{}\"", job.job));
    }
    job.id = fmt::format("{}:{}", path, job.job);
    out.push_back(std::move(job));
  }
  return out;
}

Scrapes::Scrapes(ScrapeNeighbours neighbours)
    : with_(std::move(neighbours)),
      scraper_(with_.series, with_.files, with_.clock, with_.metrics,
               {.host = with_.host, .user_agent = fmt::format("Atalaya/{}", kVersion), .exemplars = &with_.exemplars}),
      agents_(with_.agents),
      askers_(kAskers, kWaiting) {}

Status Scrapes::read_files() {
  if (with_.paths.empty()) return {};
  const auto schemas = with_.packages.schemas(default_tenant(), "base");
  if (!schemas) return fail(ErrorCode::kInternal, "there is no package base");
  std::vector<scrape::ScrapeConfig> jobs;
  std::vector<std::string> warnings;
  for (const auto& path : with_.paths) {
    auto read = read_scrape_file(with_.files, path, *schemas, warnings);
    if (!read) return fail_within(fmt::format("--scrape-config {}", path), std::move(read).error());
    std::move(read->begin(), read->end(), std::back_inserter(jobs));
  }
  for (const auto& warning : warnings) telemetry::log_warn("scrape", warning);
  {
    const std::lock_guard lock(mutex_);
    of_files_ = std::move(jobs);
  }
  changed(default_tenant());
  return {};
}

void Scrapes::changed(const TenantId& tenant) {
  const std::lock_guard lock(mutex_);
  std::vector<scrape::ScrapeConfig> jobs;
  std::vector<AgentJob> of_agents;
  if (tenant == default_tenant()) jobs = of_files_;
  for (const auto& found : with_.packages.items(tenant, kSection)) {
    std::vector<scrape::ConfigProblem> problems;
    if (auto job = scrape::read_config(found.item->id, found.item->fields, {}, problems)) {
      const auto* on = found.item->fields.if_contains(packages::kScrapesOn);
      if (on == nullptr || !on->is_array()) {
        jobs.push_back(std::move(*job));
        continue;
      }
      of_agents.push_back({std::move(*job), {}});
      for (const auto& pattern : on->get_array()) of_agents.back().on.patterns.emplace_back(pattern.get_string());
    } else {
      telemetry::log_error("scrape", "a job does not run",
                           {{"job", found.item->id}, {"reason", to_string(problems.front().error)}});
    }
  }
  scraper_.set(tenant, std::move(jobs));
  agents_.set(tenant, std::move(of_agents));
}

scrape::TargetsView Scrapes::targets(const TenantId& tenant) {
  auto out = scraper_.targets(tenant);
  agents_.add_to(tenant, out);
  std::ranges::stable_sort(out.active, {}, &scrape::TargetView::pool);
  std::ranges::stable_sort(out.dropped, {}, &scrape::DroppedTarget::pool);
  return out;
}

void Scrapes::add_routes(api::Doors& doors) {
  api::add_target_routes(
      doors,
      {[this](const TenantId& tenant) { return targets(tenant); },
       [this](const TenantId& tenant, std::string_view metric) {
         auto out = scraper_.metadata(tenant, metric);
         agents_.add_metadata(tenant, metric, out);
         // Our own series are that tenant's, though nobody scrapes them.
         if (tenant == default_tenant())
           std::ranges::move(own_metadata(with_.metrics, with_.host, metric), std::back_inserter(out));
         return out;
       },
       [this](const TenantId& tenant, std::string_view pool) { return scraper_.relabelings(tenant, pool); }, askers_});
}

void Scrapes::start() { scraper_.start(); }

void Scrapes::stop() {
  scraper_.stop();
  agents_.stop();
  askers_.stop();
}

}  // namespace atalaya::app
