// What routes name: receivers and time intervals of the same document.

#include <fmt/format.h>

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/suggest.h"
#include "packages/project.h"

namespace atalaya::packages {
namespace {

using config::Node;

/// Distances over all names for each of thousands of mistakes would hold up the plan.
constexpr std::size_t kMostHelped = 20;

class RoutingCheck {
 public:
  explicit RoutingCheck(config::Errors& errors) : errors_(errors) {}

  void run(const Node& document) {
    collect(document.get("receivers"), "receiver", receivers_);
    collect(document.get("time_intervals"), "time interval", intervals_);
    collect(document.get("mute_time_intervals"), "time interval", intervals_);
    const auto* root = document.get("route");
    if (root == nullptr) return;
    if (const auto* receiver = root->get("receiver"); receiver == nullptr || receiver->is_null()) {
      complain(root->place(), "the outermost route names no receiver", "add receiver: for what no other route takes");
    }
    check_route(*root);
  }

 private:
  using Names = std::map<std::string, Place>;

  void complain(const Place& place, std::string message, std::string remedy) {
    errors_.push_back({ErrorCode::kInvalidArgument, std::move(message), place, std::move(remedy)});
  }

  void collect(const Node* list, std::string_view what, Names& names) {
    if (list == nullptr) return;
    for (const auto* one : list->items()) {
      const auto* name = one->get("name");
      if (name == nullptr) continue;
      const auto [first, is_new] = names.try_emplace(name->text(), name->place());
      if (is_new) continue;
      complain(name->place(),
               fmt::format("there is another {} \"{}\", at {}", what, name->text(), to_string(first->second)),
               "give one of them another name");
    }
  }

  void check_name(const Node* name, std::string_view what, std::string_view section, const Names& known) {
    if (name == nullptr || name->is_null() || known.contains(name->text())) return;
    auto remedy = fmt::format("add it to {}:", section);
    if (!known.empty() && ++told_ <= kMostHelped) {
      std::vector<std::string> names;
      for (const auto& [one, place] : known) names.push_back(one);
      remedy = config::suggestion(name->text(), names);
    }
    complain(name->place(), fmt::format("there is no {} \"{}\"", what, name->text()), std::move(remedy));
  }

  void check_route(const Node& route) {
    check_name(route.get("receiver"), "receiver", "receivers", receivers_);
    for (const auto* key : {"mute_time_intervals", "active_time_intervals"}) {
      const auto* list = route.get(key);
      if (list == nullptr) continue;
      for (const auto* name : list->items()) check_name(name, "time interval", "time_intervals", intervals_);
    }
    const auto* inner = route.get("routes");
    if (inner == nullptr) return;
    for (const auto* one : inner->items()) check_route(*one);
  }

  config::Errors& errors_;
  Names receivers_;
  Names intervals_;
  std::size_t told_ = 0;
};

}  // namespace

void check_alertmanager(const ItemContext& item) { RoutingCheck(item.errors).run(item.node); }

}  // namespace atalaya::packages
