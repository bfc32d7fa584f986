// Which firing alerts keep which others quiet.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "routing/alert.h"
#include "routing/config.h"

namespace atalaya::routing {

/// The firing sources of every rule, found by the values that must be equal. An alert that matches
/// both sides of a rule is not inhibited by another one that does. Thread-compatible.
class Inhibition {
 public:
  explicit Inhibition(const std::vector<InhibitRule>& rules);

  /// Takes the alert as it stands, or takes it away. `seen` are its seen_labels. True if it is a
  /// source of a rule: what others are told may change.
  bool put(const Alert& alert, const Labels& seen);
  bool erase(const Labels& labels, const Labels& seen);

  /// Labels of the alerts that inhibit one with these labels at that time; empty for none.
  std::vector<Labels> sources_of(const Labels& seen, Time now) const;
  bool inhibits(const Labels& seen, Time now) const;
  /// Whether any rule could inhibit it.
  bool is_target(const Labels& seen) const;

 private:
  struct Source {
    Time ends_at;
    bool target_too = false;
  };
  struct Rule {
    const InhibitRule* rule;
    std::unordered_map<std::string, std::unordered_map<Labels, Source>> by_equal;
  };
  template <typename Visit>
  void visit_sources(const Labels& seen, Time now, const Visit& visit) const;

  std::vector<Rule> rules_;
};

}  // namespace atalaya::routing
