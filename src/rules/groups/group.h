// A group of Prometheus' rules as a person declared it.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/time.h"
#include "model/labels.h"
#include "promql/engine.h"
#include "rules/verdict.h"
#include "template/template.h"

namespace atalaya::rules {

/// A text with Prometheus' templates, parsed once. Immutable.
struct PromText {
  std::string name;  ///< of the label or annotation
  std::string text;
  std::optional<templates::Template> parsed;  ///< nothing where the text holds no action
};

/// A recording or alerting rule. Immutable.
struct PromRule {
  bool alerting = false;
  std::string id;    ///< "package/group/name": the rule of our alerts
  std::string name;  ///< of the series recorded, or of the alert
  std::string expr;  ///< as written
  promql::ExpressionPtr expression;
  Duration hold{0};  ///< `for`
  Duration keep_firing_for{0};
  std::vector<PromText> labels;  ///< by name; those of the group included. Recording rules expand none.
  std::vector<PromText> annotations;
  Place origin;

  bool same_content(const PromRule& other) const;
  /// As written.
  Labels label_set() const;
};

/// Immutable once read.
struct GroupSpec {
  TenantId tenant;
  std::string id;    ///< "package/group"
  std::string file;  ///< where it is declared, for people and for Prometheus' API
  std::string name;  ///< once in a file
  std::optional<Duration> interval;
  std::size_t limit = 0;  ///< alerts or series that a rule may yield; 0: any number
  std::optional<Duration> query_offset;
  bool on_arrival = true;  ///< alerting rules may start earlier than the next tick
  std::vector<PromRule> rules;
  Place origin;

  /// All but the origin.
  bool same_content(const GroupSpec& other) const;
};
using GroupSpecPtr = std::shared_ptr<const GroupSpec>;

/// Severity of our alert by the label `severity`: critical, crit, page, error, fatal, emergency, disaster, high,
/// major, p0, p1 and p2 in any case are critical; everything else, or none, is a warning.
Level level_of(const Labels& labels);

}  // namespace atalaya::rules
