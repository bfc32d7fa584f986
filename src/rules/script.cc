#include "rules/script.h"

#include <fmt/format.h>

#include <algorithm>

#include "rules/script_run.h"
#include "rules/script_words.h"

namespace atalaya::rules {
namespace {

constexpr Duration kTick{1000};

}  // namespace

ScriptResult run_script(std::string_view text, const ScriptOptions& options) { return Script(options).run(text); }

ScriptResult Script::run(std::string_view text) {
  while (!text.empty() && !failed()) {
    const auto end = text.find('\n');
    ++line_;
    line(std::string(text.substr(0, end)));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return std::move(result_);
}

void Script::line(const std::string& text) {
  const auto begin = text.find_first_not_of(" \t\r");
  if (begin == std::string::npos || text[begin] == '#') return;
  if (begin > 0) return loading_ ? load_series(text.substr(begin)) : fault("only the series of a load are indented");
  loading_ = false;
  const auto words = split_words(text, ' ');
  const auto& verb = words.front();
  if (verb == "rule") return declare(words);
  if (verb == "package") return use_package(words);
  if (verb == "rules") return choose_rules(words);
  if (verb == "load") return load_head(words);
  if (verb == "from") return loop(text);
  const auto colon = text.find(':');
  if (verb != "at" || colon == std::string::npos || words.size() < 2)
    return fault("a line is one of: package, rules, rule, load, at TIME: …, from TIME to TIME every TIME: …");
  step(offset(split_words(text.substr(0, colon), ' ').back()), text.substr(colon + 1));
}

void Script::load_head(const Words& words) {
  const bool later = words.size() == 5 && words[1] == "from" && words[3] == "every";
  if (!later && (words.size() != 3 || words[1] != "every")) return fault("load [from TIME] every TIME");
  load_from_ = later ? offset(words[2]) : Duration{0};
  load_every_ = offset(words.back());
  if (load_every_ <= Duration{0}) return fault("load every more than 0s");
  if (base_ + load_from_ < now_) return fault("load begins before the time that has come");
  loading_ = true;
}

void Script::load_series(const std::string& text) {
  const auto words = split_words(text, ' ');
  const auto labels = series(words.front());
  const auto values = parse_values(words, 1);
  if (!values) return fault(to_string(values.error()));
  if (!labels || values->empty()) return fault("a series and its values: up{job=\"node\"} 1x10 0x5");
  const auto id = store_.resolve(*labels);
  auto at = base_ + load_from_;
  for (const auto& value : *values) {
    if (value) loaded_.push_back({id, at, *value});
    at += load_every_;
  }
  if (loaded_.size() > kMaxScriptSamples) return fault("more samples than a script may have");
  std::stable_sort(loaded_.begin() + static_cast<std::ptrdiff_t>(delivered_), loaded_.end(),
                   [](const auto& a, const auto& b) { return a.time < b.time; });
}

void Script::loop(const std::string& text) {
  const auto colon = text.find(':');
  const auto words = split_words(text.substr(0, colon), ' ');
  if (colon == std::string::npos || words.size() != 6) return fault("from TIME to TIME every TIME: …");
  const auto to = offset(words[3]);
  const auto every = offset(words[5]);
  if (every <= Duration{0}) return fault("every more than 0s");
  for (auto t = offset(words[1]); t <= to && !failed(); t += every) step(t, text.substr(colon + 1));
}

void Script::step(Duration at, const std::string& text) {
  if (failed()) return;
  if (!engine_) start();
  const auto target = base_ + at;
  if (target < now_) return fault("time goes back");
  if (failed()) return;
  pass_to(target);
  for (const auto& part : split_words(text, ';')) statement(split_words(part, ' '));
  send();
  end_line();
}

void Script::pass_to(Time target) {
  deliver();
  if (away_) {
    now_ = target;
    return deliver();
  }
  while (now_ < target) {
    now_ = std::min(target, now_ + kTick);
    deliver();
    engine_->on_tick(now_);
  }
}

void Script::end_line() {
  if (failed()) return;
  if (!of_package_) {
    if (!listener_.news.empty()) fault("unexpected: " + show(listener_.news.front()));
    return;
  }
  listener_.news.clear();
  for (const auto& [labels, v] : listener_.open)
    if (v.level == Level::kError) return fault(fmt::format("{}: {}", v.rule, v.text));
}

Duration Script::offset(const std::string& text) {
  const auto parsed = parse_duration(text);
  if (!parsed) fault(fmt::format("{} is no time such as 90s or 1h30m", text));
  return parsed.value_or(Duration{0});
}

double Script::real(const std::string& text) {
  const auto value = parse_value(text);
  if (!value) fault(fmt::format("{} is no number", text));
  return value.value_or(0);
}

std::uint32_t Script::count(const std::string& text) {
  const auto value = parse_count(text);
  if (!value || *value > UINT32_MAX) fault(fmt::format("{} is no whole number", text));
  return static_cast<std::uint32_t>(value.value_or(0));
}

std::optional<Labels> Script::series(const std::string& text) {
  auto labels = parse_series(text);
  if (labels) return std::move(*labels);
  fault(to_string(labels.error()));
  return std::nullopt;
}

}  // namespace atalaya::rules
