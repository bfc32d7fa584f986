// The decisions themselves: pure functions from what was and what came to what is.
#pragma once

#include <optional>
#include <string>

#include "rules/state.h"

namespace atalaya::rules {

/// `before` is the breach by the last data; hysteresis holds on to it.
Level gauge_level(const GaugeSpec& gauge, Level before, double value);

/// Counts a binary result at `at` into the subject. Nullopt: not yet enough failures to speak, what
/// was before goes on.
std::optional<Level> binary_level(const BinarySpec& binary, Subject& subject, bool down, Time at);

/// Adds a matching line, keeping the newest `count`. True when `count` of them lie within the window.
bool add_hit(const TailableSpec& tailable, Subject& subject, Hit hit);
/// Has the oldest line left the window at `now`? Counted from its arrival, so that what came late is
/// seen for as long as what came in time.
bool window_passed(const TailableSpec& tailable, const Subject& subject, Time now);

/// alertname, the rule's labels over the series' labels, without __name__.
Labels verdict_labels(const RuleSpec& rule, const Labels& series);

/// Labels of the alert about a stream. The level is a property of a line, not of its stream: one file
/// is one alert.
Labels stream_labels(const RuleSpec& rule, const Labels& stream);

/// One line about a subject at `level` for people. `check_text` is what a check last said, or "".
std::string describe(const Compiled& rule, const Subject& subject, Level level, std::string_view check_text);

/// Order of badness for the state of a rule: error, critical, warning, no_data, ok.
int badness(Level level);

}  // namespace atalaya::rules
