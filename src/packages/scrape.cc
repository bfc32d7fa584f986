#include "collect/scrape/config.h"
#include "config/yaml_path.h"
#include "packages/project.h"

namespace atalaya::packages {

void check_scrape(const ItemContext& item) {
  std::vector<collect::scrape::ConfigProblem> problems;
  collect::scrape::read_config(item.id, item.fields, {}, problems);
  for (auto& problem : problems) {
    problem.error.place = config::node_at(item.node, problem.path).place();
    item.errors.push_back(std::move(problem.error));
  }
}

}  // namespace atalaya::packages
