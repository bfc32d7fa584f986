#include "collect/scrape/config.h"
#include "packages/project.h"

namespace atalaya::packages {
namespace {

/// The node that a problem speaks of; the nearest one above where it is not written.
const config::Node& node_at(const config::Node& item, const std::vector<std::string>& path) {
  const auto* at = &item;
  for (const auto& part : path) {
    const config::Node* next = nullptr;
    if (at->is_sequence() && !part.empty() && part.find_first_not_of("0123456789") == std::string::npos) {
      const auto index = std::stoul(part);
      if (index < at->items().size()) next = at->items()[index];
    } else {
      next = at->get(part);
    }
    if (next == nullptr) break;
    at = next;
  }
  return *at;
}

}  // namespace

void check_scrape(const ItemContext& item) {
  std::vector<collect::scrape::ConfigProblem> problems;
  collect::scrape::read_config(item.id, item.fields, {}, problems);
  for (auto& problem : problems) {
    problem.error.place = node_at(item.node, problem.path).place();
    item.errors.push_back(std::move(problem.error));
  }
}

}  // namespace atalaya::packages
