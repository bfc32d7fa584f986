#include "collect/scrape/config.h"
#include "config/yaml_path.h"
#include "packages/project.h"

namespace atalaya::packages {
namespace {

/// How often an agent looks at files of targets; when targets are asked is the job's own.
constexpr Duration kPeriod{1000};

}  // namespace

std::optional<CollectorItem> make_scrape(const ItemContext& item) {
  std::vector<collect::scrape::ConfigProblem> problems;
  const auto job = collect::scrape::read_config(item.id, item.fields, {}, problems);
  for (auto& problem : problems) {
    problem.error.place = config::node_at(item.node, problem.path).place();
    item.errors.push_back(std::move(problem.error));
  }
  const auto* on = item.fields.if_contains(kScrapesOn);
  if (!job || on == nullptr || !on->is_array()) return std::nullopt;
  CollectorItem out;
  out.id = item.id;
  out.tenant = item.tenant;
  out.type = kScrapeType;
  out.title = job->job;
  out.period = kPeriod;
  auto config = item.fields;
  config.erase(kScrapesOn);
  out.fields["config"] = std::move(config);
  for (const auto& pattern : on->get_array()) out.on.patterns.emplace_back(pattern.get_string());
  out.origin = item.node.place();
  return out;
}

}  // namespace atalaya::packages
