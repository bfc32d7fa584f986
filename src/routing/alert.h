// An alert as routing sees it, whoever raised it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "model/labels.h"

namespace atalaya::routing {

/// Identified by its labels. It fires until `ends_at`, which is kMaxTime for one that its source will
/// end explicitly. Thread-compatible.
struct Alert {
  Labels labels;
  /// Of the source's judgement where the labels say nothing of it ("" for none): matchers and
  /// messages see it as the label `severity`, but the alert stays the same when it changes. A change
  /// is told; where the alert then belongs to other routes, it ends in those that it leaves.
  std::string severity;
  Labels annotations;
  std::string generator_url;
  Time starts_at{};
  Time ends_at = kMaxTime;
  Time updated_at{};
  bool timed_out = false;     ///< `ends_at` was made of resolve_timeout
  bool no_data = false;       ///< its source cannot say any more whether it goes on; a change of this is told, too
  bool acknowledged = false;  ///< somebody takes care of it: no repeat for a group of which this holds throughout

  bool firing_at(Time now) const { return ends_at > now; }
  bool operator==(const Alert&) const = default;
};

/// What a door received: a time that is not given is kMinTime. Fills them in as Alertmanager does:
/// the start is now (or the end, if that is past), the end is now + `resolve_timeout`.
Alert received(Alert alert, Time now, Duration resolve_timeout);
/// invalid_argument where it has no labels, an end before its start, or a name that is none.
Status check(const Alert& alert);

/// The alert after `next` came in: where the two overlap in time they are one, with the earliest
/// start, the latest explicit end, and all else of the later one.
Alert merged(const Alert& before, Alert next);

/// The labels that matchers and messages see.
Labels seen_labels(const Alert& alert);
/// 16 hexadecimal digits of a label set, as the API shows them.
std::string fingerprint(const Labels& labels);

}  // namespace atalaya::routing
