// What happens in a script, and what is expected of it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "rules/script_run.h"
#include "rules/script_words.h"

namespace atalaya::rules {
namespace {

/// Rates and ratios are not exact.
bool about_equal(double a, double b) { return a == b || std::abs(a - b) <= 1e-6 * std::max(std::abs(a), std::abs(b)); }

bool has_all(const Labels& labels, const Labels& wanted) {
  for (const auto& [label, value] : wanted)
    if (label != kMetricName && labels.get(label) != value) return false;
  return true;
}

}  // namespace

std::string show(const Verdict& v) {
  const std::string alert{v.labels.get("alertname")};
  return fmt::format("{} {}{}{}{}{} value={:g} text=\"{}\"", name(v.level), alert,
                     to_string(v.labels.without("alertname")), v.sustained ? " sustained" : "", v.late ? " late" : "",
                     v.removed ? " removed" : "", v.value, v.text);
}

bool is_firing(const Verdict& v) { return v.sustained || v.level == Level::kNoData || v.level == Level::kError; }

void Script::statement(const Words& words) {
  if (words.empty() || failed()) return;
  const auto& verb = words[0];
  if (verb == "sample") return sample(words);
  if (verb == "log") return log(words);
  send();
  if (verb == "expect") return expect(words);
  if (verb == "firing") return firing(words);
  if (verb == "quiet") return quiet(words);
  if (!change(words)) fault("unknown statement " + verb);
}

/// Of the rules, the engine or the stores.
bool Script::change(const Words& words) {
  const auto& verb = words[0];
  const auto argument = words.size() > 1 ? words[1] : std::string{};
  if (verb == "restart") {
    away_ = false;
    if (options_.restarts_after_flush) store_.rest_all();
    start();
  } else if (verb == "kill") {
    away_ = true;
  } else if (verb == "fail") {
    store_.fail_with(unquoted(argument));
  } else if (verb == "remove") {
    active_.erase("test/rules/" + argument);
    set_rules();
  } else if (verb == "change") {
    const auto found = declared_.find(argument);
    if (found == declared_.end()) return false;
    active_[found->second.id] = found->second;
    set_rules();
  } else if (verb == "reload") {
    set_rules();
  } else if (verb == "limit") {
    engine_options_.max_series_per_rule = count(argument);
    start();
  } else if (verb == "ignore" || verb == "forget") {
    const auto matchers = selector(argument);
    if (!matchers) return true;
    if (verb == "forget") {
      engine_->forget(default_tenant(), *matchers, now_);
    } else {
      ignored_ = *matchers;
      if (!away_) watch();
    }
  } else {
    return false;
  }
  return true;
}

Time Script::time_of(const Words& words, std::size_t index) {
  return words.size() > index && words[index][0] == '@' ? base_ + offset(words[index].substr(1)) : now_;
}

void Script::sample(const Words& words) {
  if (words.size() < 3) return fault("sample SERIES VALUE [@TIME]");
  const auto labels = series(words[1]);
  const auto value = real(words[2]);
  const auto at = time_of(words, 3);
  if (failed()) return;
  const auto id = store_.resolve(*labels);
  store_.add(id, at, value);
  samples_.push_back({id, at, value});
}

void Script::log(const Words& words) {
  if (words.size() < 3) return fault("log STREAM \"line\" [@TIME]");
  const auto labels = series(words[1]);
  const auto at = time_of(words, 3);
  if (failed()) return;
  logs_.push_back({at, *labels, unquoted(words[2])});
  logs_before_.add(logs_.back());
  lines_came_ = true;
}

/// Neighbouring samples are one batch; while killed they only reach the store.
void Script::send() {
  static const TenantId tenant = default_tenant();
  if (!away_ && !samples_.empty()) engine_->on_samples({tenant, {++position_}, samples_}, now_);
  if (!away_ && !logs_.empty()) engine_->on_logs({tenant, {++position_}, logs_}, now_);
  samples_.clear();
  logs_.clear();
}

/// What was loaded and whose time has come; samples of one instant are one batch.
void Script::deliver() {
  while (delivered_ < loaded_.size() && loaded_[delivered_].time <= now_) {
    const auto at = loaded_[delivered_].time;
    for (; delivered_ < loaded_.size() && loaded_[delivered_].time == at; ++delivered_) {
      const auto& next = loaded_[delivered_];
      store_.add(next.series, next.time, next.value);
      samples_.push_back(next);
    }
    send();
  }
}

void Script::expect(const Words& words) {
  const auto what = words.size() > 1 ? words[1] : std::string{};
  if (what == "nothing") {
    if (!listener_.news.empty()) fault("unexpected: " + show(listener_.news.front()));
    return;
  }
  if (what == "any") {
    if (listener_.news.empty()) fault("nothing at all");
    listener_.news.clear();
    return;
  }
  if (words.size() < 3) return fault("expect LEVEL ALERT{labels} …, expect nothing, or expect any");
  // In any order: of one instant, label sets come as the engine finds them.
  for (auto it = listener_.news.begin(); it != listener_.news.end(); ++it) {
    if (!fits(*it, words)) continue;
    listener_.news.erase(it);
    return;
  }
  std::string seen;
  for (const auto& v : listener_.news) seen += "\n  " + show(v);
  fault(fmt::format("expected {}; said was{}", fmt::join(words, " "), seen.empty() ? " nothing" : seen));
}

bool Script::fits(const Verdict& v, const Words& words) {
  const auto wanted = series(words[2]);
  if (!wanted || name(v.level) != words[1]) return false;
  LabelsBuilder labels(*wanted);
  labels.erase(kMetricName).set("alertname", wanted->get(kMetricName));
  if (v.labels != labels.build()) return false;
  std::set<std::string> flags;
  for (std::size_t i = 3; i < words.size(); ++i) {
    if (words[i].starts_with("value=")) {
      if (v.value != real(words[i].substr(6))) return false;
    } else if (words[i].starts_with("text=")) {
      if (v.text.find(unquoted(words[i].substr(5))) == std::string::npos) return false;
    } else if (words[i].starts_with("at=")) {
      if (v.at != base_ + offset(words[i].substr(3))) return false;
    } else if (words[i].starts_with("since=")) {
      if (v.since != base_ + offset(words[i].substr(6))) return false;
    } else {
      flags.insert(words[i]);
    }
  }
  std::set<std::string> has;
  if (v.sustained) has.insert("sustained");
  if (v.late) has.insert("late");
  if (v.removed) has.insert("removed");
  return flags == has;
}

/// firing LEVEL ALERT{some of its labels} [value=…] [text="part"] [ANNOTATION="part"]
void Script::firing(const Words& words) {
  if (words.size() < 3) return fault("firing LEVEL ALERT{labels} [value=…] [text=…] [summary=…]");
  const auto wanted = series(words[2]);
  if (!wanted) return;
  std::string seen;
  for (const auto& [labels, v] : listener_.open) {
    const bool meant = labels.get("alertname") == wanted->get(kMetricName) && has_all(labels, *wanted);
    const auto wrong = !is_firing(v) || name(v.level) != words[1] || !meant ? show(v) : not_as_said(v, words);
    if (failed()) return;
    if (wrong.empty()) {
      result_.firing.insert(v.rule);
      return;
    }
    seen += "\n  " + wrong;
  }
  fault(fmt::format("expected {}; open is{}", fmt::join(words, " "), seen.empty() ? " nothing" : seen));
}

/// What is other than the words say; "" when nothing is.
std::string Script::not_as_said(const Verdict& v, const Words& words) {
  std::map<std::string, std::string> annotations;
  if (options_.annotations) annotations = options_.annotations(v);
  for (std::size_t i = 3; i < words.size(); ++i) {
    const auto equals = words[i].find('=');
    if (equals == std::string::npos) {
      fault("unknown word " + words[i]);
      return {};
    }
    const auto key = words[i].substr(0, equals);
    const auto value = unquoted(words[i].substr(equals + 1));
    if (key == "value") {
      if (!about_equal(v.value, real(value))) return show(v);
      continue;
    }
    const auto& text = key == "text" ? v.text : annotations[key];
    if (text.find(value) == std::string::npos) return fmt::format("{} {}=\"{}\"", show(v), key, text);
  }
  return {};
}

/// quiet [ALERT{labels}]: nothing (of it) is firing. Rules without anything to judge prove nothing.
void Script::quiet(const Words& words) {
  std::optional<Labels> wanted;
  if (words.size() > 1) {
    wanted = series(words[1]);
    if (!wanted) return;
  }
  for (const auto& [labels, v] : listener_.open) {
    const bool meant = !wanted || (labels.get("alertname") == wanted->get(kMetricName) && has_all(labels, *wanted));
    if (meant && is_firing(v)) return fault("not quiet: " + show(v));
  }
  bool known = !wanted;
  for (const auto& state : engine_->states(default_tenant())) {
    if (wanted && state.rule->name != wanted->get(kMetricName)) continue;
    known = true;
    const bool tailable = state.rule->kind() == Kind::kTailable;
    if (tailable ? lines_came_ : state.series > 0)
      result_.quiet.insert(state.rule->id);
    else if (wanted)
      return fault(fmt::format("{} has nothing to judge: being quiet proves nothing", state.rule->id));
  }
  if (!known) fault(fmt::format("there is no rule {}", wanted->get(kMetricName)));
}

}  // namespace atalaya::rules
