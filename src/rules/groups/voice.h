// What our alerts are told of the alerts of one rule: verdicts.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "rules/groups/alerting.h"
#include "rules/verdict.h"

namespace atalaya::rules {

/// The label sets (without __name__) that the rule's inputs let it judge now; every one of them is healthy when
/// it has no alert.
using Judged = std::function<Result<std::vector<Labels>>()>;

/// Turns what is active into verdicts. Said when something changes, and again with a fresh value at most every
/// 15 s. An alert that fired is closed by a healthy sample alone: where its inputs are gone it becomes no_data.
/// One that only waited ends quietly. Thread-compatible.
class Voice {
 public:
  struct Moment {
    Time at;
    bool late = false;
  };
  explicit Voice(const GroupSpec& group, const PromRule& rule);

  /// `judged` is asked when an alert is open that is not active; null, or an error: what is not
  /// active stays as it is.
  void speak(const std::vector<const ActiveAlert*>& active, Moment moment, const Judged& judged,
             std::vector<Verdict>& out);
  /// The rule cannot be evaluated ("" : it can again).
  void trouble(const std::string& error, Moment moment, std::vector<Verdict>& out);
  /// The rule is gone.
  void close(Moment moment, std::vector<Verdict>& out);
  /// An alert that was open before the process started.
  void remember(const Labels& labels, Level level, bool fired);
  /// Says nothing more of open alerts that match: somebody else closes them.
  void forget(const Matchers& matchers);
  void take_over(const Voice& before) {
    said_ = before.said_;
    in_trouble_ = before.in_trouble_;
  }

 private:
  struct Said {
    Level level = Level::kWarning;
    bool sustained = false;  ///< as of the last verdict
    bool fired = false;      ///< at any time since it is open
    std::optional<Time> at;  ///< nothing for what another process said
  };
  Verdict verdict_on(const ActiveAlert& alert, Moment moment) const;
  bool is_about(const Labels& alert, const Labels& result) const;
  Verdict about(const Labels& labels, Level level, Moment moment, std::string text) const;

  Verdict blank_;                           ///< what every verdict of the rule holds
  std::set<std::string, std::less<>> own_;  ///< names of the rule's labels, which stand over those of the result
  std::map<Labels, Said> said_;             ///< what is open
  bool in_trouble_ = false;
};

}  // namespace atalaya::rules
