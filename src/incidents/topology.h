// What depends on what, and which of it is down.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "incidents/settings.h"

namespace atalaya::incidents {

/// The open alerts that depend on others, or on which others depend; those are all that it holds. An alert is about
/// its rule, and about the collector whose check it judges. Down is what a binary rule found, what is critical, and
/// what lacks data. Thread-compatible.
class Topology {
 public:
  explicit Topology(SettingsPtr settings) : settings_(std::move(settings)) {}

  /// An open alert as it stands, or (`open` false) one that is over. True if what depends on it must be looked at
  /// again.
  bool note(const alerts::Alert& alert, bool open);
  /// The parent that is down, and the reason for the alert's being unknown: the one that itself depends on nothing that
  /// is down, the one that has been longest. Of two that depend on each other neither is the other's parent. On the
  /// same instance where the parent is judged there, else on any.
  std::optional<alerts::Alert::Because> parent_of(const alerts::Alert& alert) const;
  /// Could it be unknown because of another?
  bool may_depend(const alerts::Alert& alert) const;
  /// Open alerts, other than this one, whose parent is no longer (or not yet) the one that they were told of.
  std::vector<AlertId> differing(const AlertId& except) const;
  void told(const AlertId& alert, const std::optional<alerts::Alert::Because>& because);

 private:
  struct Fact {
    std::vector<std::string> items;
    std::vector<std::string> judged_with;
    std::string instance;
    std::string name;
    std::string text;
    Time started{};
    bool down = false;
    AlertId because;  ///< as it was told
  };

  std::vector<std::string> items_of(const alerts::Alert& alert) const;
  Fact fact_of(const alerts::Alert& alert) const;
  const std::set<std::string>& above(const std::string& item) const;
  std::optional<AlertId> parent(const AlertId& id, const Fact& fact) const;
  bool reaches(const Fact& fact, const std::string& item, const Fact& parent) const;

  SettingsPtr settings_;
  std::map<AlertId, Fact> facts_;
  std::map<std::string, std::set<AlertId>> down_;  ///< by item
  mutable std::unordered_map<std::string, std::set<std::string>>
      above_;                                                       ///< items that an item depends on, all the way
  mutable std::optional<std::set<std::string>> parents_;            ///< items on which others depend
  mutable std::map<std::string, std::vector<std::string>> checks_;  ///< collectors by the name of their check
  mutable bool checks_read_ = false;
};

}  // namespace atalaya::incidents
