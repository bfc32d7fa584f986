// What alerts are made from: the verdict of a rule about one series (or log stream).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "model/labels.h"

namespace atalaya::alerts {

/// kPosted: of an alert that others sent; no rule of ours judges it.
enum class Kind : std::uint8_t { kGauge, kBinary, kTailable, kPosted };
enum class Level : std::uint8_t { kOk, kWarning, kCritical, kNoData, kError };

std::string_view name(Kind kind);    ///< gauge, binary, tailable, posted
std::string_view name(Level level);  ///< ok, warning, critical, no_data, error

/// One verdict. The tenant comes with the event.
struct Judgement {
  std::string rule;  ///< `package/group/name`
  std::string expr;  ///< PromQL or log match, for people to look at; may be empty
  Kind kind = Kind::kGauge;
  /// With the rule the alert's identity: alertname, the rule's labels, the series' labels without __name__.
  Labels labels;
  Level level = Level::kOk;
  Duration hold{0};        ///< the rule's `for`
  Time at;                 ///< data time
  bool sustained = false;  ///< the breach has lasted `hold` by data time
  bool late = false;       ///< the data came late
  /// The rule itself says when the breach has lasted `hold`, and when it has not: no timer does (groups of
  /// Prometheus' rules, whose `for` counts evaluations).
  bool times_itself = false;
  double value = 0;
  std::string text;
  std::map<std::string, std::string> annotations;  ///< templates, or texts where `rendered`
  bool rendered = false;
  /// Of `labels` those by which the rule tells its alerts apart; empty: all. Label sets of one identity are one alert,
  /// which is as bad as the worst of them and ends with the last.
  Labels identity;
  std::vector<std::string> judged_with;  ///< Alert::judged_with
};

/// Event body: the verdicts of one batch of data, in order. Post all of a batch (of one store's
/// commit) as one event with the batch's cursor: the machine then knows a repetition after a crash
/// by cursor name and position and changes nothing. Verdicts of a tick (no-data, time-outs) go
/// without a cursor; they are repeatable by themselves.
struct Judged {
  std::vector<Judgement> judgements;
};

/// hash(tenant, rule, labels) as 16 hexadecimal digits: rules of equal name in two packages have
/// alerts of their own. `rule` is `package/group/name`, "" for alerts that others posted.
AlertId identity(const TenantId& tenant, const std::string& rule, const Labels& labels);

}  // namespace atalaya::alerts
