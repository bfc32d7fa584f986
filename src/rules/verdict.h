// What a rule says about one label set, and to whom it says it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "model/labels.h"

namespace atalaya::rules {

enum class Kind : std::uint8_t {
  kGauge,     ///< numbers over time
  kBinary,    ///< up or down, with a text
  kTailable,  ///< log lines
};

enum class Level : std::uint8_t {
  kOk,
  kWarning,
  kCritical,
  kNoData,  ///< the samples stopped: neither healthy nor in breach
  kError,   ///< about the rule itself: it cannot be evaluated
};

/// `gauge`, `binary`, `tailable`.
std::string_view name(Kind kind);
/// `ok`, `warning`, `critical`, `no_data`, `error`.
std::string_view name(Level level);

/// Name and label of the alert by which a rule speaks of itself (level `error`): its identity is
/// {alertname=kRuleErrorName, rule=<rule id>}, so it never mixes with an alert of the rule.
constexpr std::string_view kRuleErrorName = "rule_cannot_be_evaluated";

/// Said when the level changes, when a breach becomes sustained, and as a refresh of the value of
/// what is not ok (at most every 15 s). Saying the same twice must be harmless to who listens.
struct Verdict {
  TenantId tenant;
  std::string rule;  ///< "package/group/name"
  Kind kind = Kind::kGauge;
  std::string title;
  std::string expr;  ///< PromQL; of a tailable rule its matchers
  Labels labels;     ///< alertname, the rule's labels, the series' labels without __name__
  Level level = Level::kOk;
  Duration for_duration{0};
  Time at;                 ///< data time of the sample or line; of `no_data` by silence: when it was noticed
  Time since;              ///< data time at which the breach began; `at` when there is none
  bool sustained = false;  ///< the breach has lasted at least `for_duration` by data time
  bool late = false;       ///< now - at > late_after
  bool removed = false;    ///< level ok because the rule (or what it watched) was taken away by a person
  double value = 0;
  std::string text;  ///< one line a person can read without context; a log line for tailable
  std::map<std::string, std::string> annotations;  ///< templates, not yet rendered
  /// Of `labels` those by which the rule tells its alerts apart, its own and alertname; empty: all.
  Labels identity;
  /// Rules on which this one depends, directly or not, and that are judged on the same instance.
  std::vector<std::string> judged_with;
};

/// Called on the engine's strand, in the order in which things became known.
class VerdictSink {
 public:
  virtual ~VerdictSink() = default;
  virtual void verdict(Verdict verdict) = 0;
};

}  // namespace atalaya::rules
