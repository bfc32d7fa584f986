// For tests: alert scripts in plain words (docs/formats/alert-script.md), as steps.
#pragma once

#include <fmt/format.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/labels.h"
#include "routing/matchers.h"

namespace atalaya::routing {

/// `disk{host=a}` with the words behind it.
struct ScriptAlert {
  Labels labels;
  std::string severity;
  std::optional<Duration> starts;
  std::optional<Duration> ends;
  Labels annotations;
};

/// `firing disk a since 1m`: what must be true of one alert of a message.
struct ScriptItem {
  bool firing = true;
  Labels labels;
  std::vector<std::string> values;  ///< that labels of the alert must have
  std::optional<Duration> since;
  std::optional<Duration> ended;
  Labels annotations;
};

struct ScriptStep {
  enum class Kind {
    kBegin,    ///< `text` is the time at which the script's clock begins
    kAlert,    ///< fires until it is resolved
    kPost,     ///< as another program posts it
    kResolve,  ///< ends now, or at `ends`
    kSilence,
    kUnsilence,
    kReload,
    kRestart,
    kFail,
    kHang,
    kWork,
    kLose,         ///< no data come any more
    kRule,         ///< what rules of that name depend on, or correlate with
    kAcknowledge,  ///< of an incident, as the next ones, or of an alert
    kUnacknowledge,
    kAssign,
    kClose,
    kMerge,
    kNote,
    kExpectNotify,
    kExpectNothing,
    kExpectHidden,
    kExpectShown,
    kExpectAlerts,
    kExpectIncident,
    kExpectIncidents,  ///< so many there were
    kExpectUnknown,
    kExpectKnown,
  };
  Duration at{0};
  int line = 0;
  Kind kind = Kind::kAlert;
  std::vector<ScriptAlert> alerts;
  std::vector<ScriptItem> items;
  std::string text;    ///< target, silence, configuration, who hides
  std::string reason;  ///< of a notification, "" for any
  Matchers matchers;
  Duration from{0};
  Duration until{0};
  // Of incidents and rules.
  std::uint64_t number = 0;
  std::uint64_t into = 0;
  std::string by;
  std::string owner;
  std::string state;  ///< open, acknowledged, closed; of a rule: depends, correlates
  std::string severity;
  std::vector<std::string> names;  ///< alerts, or labels
};

struct Script {
  std::map<std::string, std::string> configs;  ///< by name, "" for the first one
  std::vector<ScriptStep> steps;
};

/// Reads one statement's words. Thread-compatible.
class ScriptWords {
 public:
  explicit ScriptWords(std::string_view text) {
    std::string word;
    int depth = 0;
    bool quoted = false;
    for (const char c : text) {
      if (c == '"') quoted = !quoted;
      if (!quoted && (c == '{' || c == '[')) ++depth;
      if (!quoted && (c == '}' || c == ']')) --depth;
      if ((c == ' ' || c == '\t') && depth == 0 && !quoted) {
        if (!word.empty()) words_.push_back(std::exchange(word, {}));
      } else {
        word += c;
      }
    }
    if (!word.empty()) words_.push_back(word);
  }
  bool empty() const { return next_ >= words_.size(); }
  std::string take() { return empty() ? std::string() : words_[next_++]; }
  const std::string& peek() const { return empty() ? kNothing : words_[next_]; }
  bool take_if(std::string_view word) {
    if (peek() != word || empty()) return false;
    ++next_;
    return true;
  }

 private:
  inline static const std::string kNothing;
  std::vector<std::string> words_;
  std::size_t next_ = 0;
};

/// Reads scripts. Thread-compatible.
class ScriptReader {
 public:
  Result<Script> read(std::string_view text, std::string_view file) {
    int number = 0;
    while (!text.empty()) {
      const auto line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(text.size(), line.size() + 1));
      ++number;
      if (auto read = read_line(line, number); !read) {
        return fail(ErrorCode::kInvalidArgument, Place{std::string(file), static_cast<std::uint32_t>(number), 0},
                    read.error().message);
      }
    }
    return std::move(script_);
  }

 private:
  static std::unexpected<Error> bad(std::string message) {
    return fail(ErrorCode::kInvalidArgument, std::move(message));
  }
  static std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
    return text;
  }

  Status read_line(std::string_view line, int number) {
    const bool indented = line.starts_with("  ");
    if (in_config_ && (indented || trimmed(line).empty())) {
      script_.configs[*in_config_] += std::string(indented ? line.substr(2) : line) + "\n";
      return {};
    }
    in_config_.reset();
    line = trimmed(line);
    if (line.empty() || line.starts_with('#')) return {};
    if (line.starts_with("config") && line.ends_with(':')) {
      in_config_ = std::string(trimmed(line.substr(6, line.size() - 7)));
      return {};
    }
    for (const auto statement : split(line, ';')) AT_TRY(read_statement(trimmed(statement), number));
    return {};
  }

  /// At separators outside of brackets and quotes.
  static std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> out;
    int depth = 0;
    bool quoted = false;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (c == '"') quoted = !quoted;
      if (!quoted && (c == '{' || c == '[')) ++depth;
      if (!quoted && (c == '}' || c == ']')) --depth;
      if (c != separator || depth != 0 || quoted) continue;
      out.push_back(text.substr(begin, i - begin));
      begin = i + 1;
    }
    out.push_back(text.substr(begin));
    return out;
  }

  Status read_statement(std::string_view text, int number) {
    if (text.empty()) return {};
    if (text.starts_with("at ")) {
      const auto colon = text.find(':');
      if (colon == std::string_view::npos) return bad("at TIME: needs its colon");
      AT_TRY(const auto at, parse_duration(trimmed(text.substr(3, colon - 3))));
      if (at < at_) return bad(fmt::format("{} is before the statement above", format_duration(at)));
      at_ = at;
      return read_statement(trimmed(text.substr(colon + 1)), number);
    }
    ScriptStep step;
    step.at = at_;
    step.line = number;
    ScriptWords words(text);
    AT_TRY(read_step(words, step));
    if (!words.empty()) return bad(fmt::format("\"{}\" is not understood", words.peek()));
    script_.steps.push_back(std::move(step));
    return {};
  }

  Status read_step(ScriptWords& words, ScriptStep& step) {
    using Kind = ScriptStep::Kind;
    const auto verb = words.take();
    static const std::map<std::string_view, Kind> kAlerts{
        {"alert", Kind::kAlert}, {"post", Kind::kPost}, {"resolve", Kind::kResolve}, {"lose", Kind::kLose}};
    static const std::map<std::string_view, Kind> kCommands{{"acknowledge", Kind::kAcknowledge},
                                                            {"unacknowledge", Kind::kUnacknowledge},
                                                            {"assign", Kind::kAssign},
                                                            {"close", Kind::kClose},
                                                            {"merge", Kind::kMerge},
                                                            {"note", Kind::kNote}};
    static const std::map<std::string_view, Kind> kTargets{
        {"begin", Kind::kBegin},   {"fail", Kind::kFail},       {"hang", Kind::kHang},          {"work", Kind::kWork},
        {"reload", Kind::kReload}, {"restart", Kind::kRestart}, {"unsilence", Kind::kUnsilence}};
    if (const auto found = kAlerts.find(verb); found != kAlerts.end()) {
      step.kind = found->second;
      return read_alerts(words, step);
    }
    if (const auto found = kTargets.find(verb); found != kTargets.end()) {
      step.kind = found->second;
      step.text = words.take();
      return {};
    }
    if (const auto found = kCommands.find(verb); found != kCommands.end()) {
      step.kind = found->second;
      return read_command(words, step);
    }
    if (verb == "rule") return read_rule(words, step);
    if (verb == "silence") return read_silence(words, step);
    if (verb == "expect") return read_expectation(words, step);
    return bad(fmt::format("\"{}\" is no verb", verb));
  }

  /// Several alerts that come at once are joined by `and`.
  Status read_alerts(ScriptWords& words, ScriptStep& step) {
    do {
      ScriptAlert alert;
      AT_TRY(alert.labels, read_labels(words.take(), true));
      if (alert.labels.empty()) return bad("an alert has a name, and labels in {}");
      while (!words.empty() && words.peek() != "and") {
        const auto word = words.take();
        if (word == "starts" || word == "ends") {
          AT_TRY((word == "starts" ? alert.starts : alert.ends), read_time(words.take()));
        } else if (word == "with") {
          AT_TRY(alert.annotations, read_labels(words.take(), false));
        } else {
          alert.severity = word;
        }
      }
      step.alerts.push_back(std::move(alert));
    } while (words.take_if("and"));
    return {};
  }

  static Result<std::uint64_t> read_number(std::string_view text) {
    std::uint64_t out = 0;
    for (const char c : text) {
      if (c < '0' || c > '9') return bad(fmt::format("{} is no number", text));
      out = out * 10 + static_cast<std::uint64_t>(c - '0');
    }
    if (text.empty()) return bad("a number is missing");
    return out;
  }

  /// `acknowledge 1 by ana until 10m`, `acknowledge disk{host=a} by ana`, `assign 1 to bob by ana`,
  /// `merge 2 into 1 by ana`.
  Status read_command(ScriptWords& words, ScriptStep& step) {
    using Kind = ScriptStep::Kind;
    const bool of_alerts = step.kind == Kind::kAcknowledge || step.kind == Kind::kUnacknowledge;
    if (of_alerts && !words.empty() && (words.peek().front() < '0' || words.peek().front() > '9')) {
      AT_TRY(step.alerts.emplace_back().labels, read_labels(words.take(), true));
    } else {
      AT_TRY(step.number, read_number(words.take()));
    }
    step.until = Duration::max();
    while (!words.empty()) {
      const auto word = words.take();
      if (word == "by") {
        step.by = words.take();
      } else if (word == "to") {
        step.owner = words.take();
      } else if (word == "into") {
        AT_TRY(step.into, read_number(words.take()));
      } else if (word == "until") {
        AT_TRY(step.until, read_time(words.take()));
      } else {
        step.text += (step.text.empty() ? "" : " ") + word;
      }
    }
    return {};
  }

  /// `rule disk depends on host`, `rule disk correlates with raid, cpu`, `rule disk correlates by service`.
  static Status read_rule(ScriptWords& words, ScriptStep& step) {
    step.kind = ScriptStep::Kind::kRule;
    step.text = words.take();
    step.state = words.take();
    step.by = words.take();
    const bool known = (step.state == "depends" && step.by == "on") ||
                       (step.state == "correlates" && (step.by == "with" || step.by == "by"));
    if (!known) return bad("a rule depends on, correlates with, or correlates by something");
    while (!words.empty()) {
      auto name = words.take();
      if (name.ends_with(',')) name.pop_back();
      step.names.push_back(std::move(name));
    }
    return step.names.empty() ? Status(bad("a name is missing")) : Status{};
  }

  /// `1 open critical [disk a, cpu a] owner ana because host`.
  Status read_incident(ScriptWords& words, ScriptStep& step) {
    step.kind = ScriptStep::Kind::kExpectIncident;
    AT_TRY(step.number, read_number(words.take()));
    step.state = words.take();
    while (!words.empty()) {
      const auto word = words.take();
      if (word.starts_with('[')) {
        const auto inner = std::string_view(word).substr(1, word.size() - 2);
        for (const auto item : split(inner, ',')) {
          if (!trimmed(item).empty()) AT_TRY(read_item("firing " + std::string(trimmed(item)), step));
        }
        step.reason = "listed";
      } else if (word == "owner") {
        step.owner = words.take();
      } else if (word == "because") {
        step.by = words.take();
      } else if (word == "into") {
        step.text = words.take();
      } else {
        step.severity = word;
      }
    }
    return {};
  }

  Status read_silence(ScriptWords& words, ScriptStep& step) {
    step.kind = ScriptStep::Kind::kSilence;
    step.text = words.take();
    AT_TRY(step.matchers, parse_matchers(words.take()));
    step.from = at_;
    step.until = Duration::max();
    while (!words.empty()) {
      if (words.take_if("from")) {
        AT_TRY(step.from, read_time(words.take()));
      } else if (words.take_if("until")) {
        AT_TRY(step.until, read_time(words.take()));
      } else {
        return {};
      }
    }
    return {};
  }

  Status read_expectation(ScriptWords& words, ScriptStep& step) {
    using Kind = ScriptStep::Kind;
    const auto what = words.take();
    if (what == "nothing") {
      step.kind = Kind::kExpectNothing;
      return {};
    }
    if (what == "notify" || what == "alerts") {
      step.kind = what == "notify" ? Kind::kExpectNotify : Kind::kExpectAlerts;
      if (what == "notify") step.text = words.take();
      const auto list = words.take();
      if (!list.starts_with('[') || !list.ends_with(']')) return bad("a list in [] is missing");
      const auto inner = std::string_view(list).substr(1, list.size() - 2);
      for (const auto item : split(inner, ',')) {
        if (!trimmed(item).empty()) AT_TRY(read_item(trimmed(item), step));
      }
      step.reason = words.take();
      return {};
    }
    if (what == "incident") return read_incident(words, step);
    if (what == "incidents") {
      step.kind = Kind::kExpectIncidents;
      AT_TRY(step.number, read_number(words.take()));
      return {};
    }
    if (what == "unknown" || what == "known") {
      step.kind = what == "unknown" ? Kind::kExpectUnknown : Kind::kExpectKnown;
      ScriptAlert alert;
      AT_TRY(alert.labels, read_labels(words.take(), true));
      step.alerts.push_back(std::move(alert));
      if (words.take_if("because")) step.text = words.take();
      return {};
    }
    if (what == "hidden" || what == "shown") {
      step.kind = what == "hidden" ? Kind::kExpectHidden : Kind::kExpectShown;
      ScriptAlert alert;
      AT_TRY(alert.labels, read_labels(words.take(), true));
      step.alerts.push_back(std::move(alert));
      if (words.take_if("by")) step.text = words.take();
      return {};
    }
    return bad(fmt::format("\"{}\" cannot be expected", what));
  }

  Status read_item(std::string_view text, ScriptStep& step) {
    ScriptWords words(text);
    ScriptItem item;
    const auto state = words.take();
    if (state != "firing" && state != "resolved")
      return bad(fmt::format("\"{}\" is neither firing nor resolved", state));
    item.firing = state == "firing";
    AT_TRY(item.labels, read_labels(words.take(), true));
    while (!words.empty()) {
      const auto word = words.take();
      if (word == "since" || word == "ended") {
        AT_TRY((word == "since" ? item.since : item.ended), read_time(words.take()));
      } else if (word == "with") {
        AT_TRY(item.annotations, read_labels(words.take(), false));
      } else {
        item.values.push_back(word);
      }
    }
    step.items.push_back(std::move(item));
    return {};
  }

  /// `name{a=b}`, or without the name.
  static Result<Labels> read_labels(std::string_view text, bool named) {
    LabelsBuilder out;
    const auto brace = std::min(text.find('{'), text.size());
    if (named && brace > 0) out.set("alertname", text.substr(0, brace));
    AT_TRY(const auto matchers, parse_matchers(named ? text.substr(brace) : text));
    for (const auto& matcher : matchers) {
      if (matcher.op() != Matcher::Op::kEqual) return bad(fmt::format("labels are given by =, not as {}", text));
      out.set(matcher.name(), matcher.value());
    }
    return out.build();
  }

  static Result<Duration> read_time(std::string_view text) {
    const bool before = text.starts_with('-');
    AT_TRY(const auto time, parse_duration(before ? text.substr(1) : text));
    return before ? -time : time;
  }

  Script script_;
  std::optional<std::string> in_config_;
  Duration at_{0};
};

}  // namespace atalaya::routing
