// Which rules a script judges by.
#include <fmt/format.h>

#include <algorithm>

#include "promql/engine.h"
#include "rules/script_run.h"
#include "rules/script_words.h"

namespace atalaya::rules {
namespace {

/// `disk/*`, `disk/filling`, `filling`, `*`.
bool is_meant(std::string_view pattern, const RuleSpec& rule) {
  const std::string_view id = rule.id;
  const auto path = id.substr(id.find('/') + 1);
  if (pattern.ends_with('*')) return path.starts_with(pattern.substr(0, pattern.size() - 1));
  return pattern == path || pattern == rule.name;
}

}  // namespace

/// rule NAME [instead-of=OTHER] = KIND EXPRESSION OPTION…
void Script::declare(const Words& words) {
  const auto equals = std::find(words.begin(), words.end(), "=");
  if (words.size() < 5 || words.end() - equals < 3) return fault("rule NAME = gauge|binary|tailable `expression` …");
  RuleSpec spec;
  spec.tenant = default_tenant();
  spec.name = words[1];
  bool active = true;
  for (auto word = words.begin() + 2; word != equals; ++word) {
    if (!word->starts_with("instead-of=")) return fault("unknown option " + *word);
    spec.name = word->substr(11);
    active = false;
  }
  spec.id = "test/rules/" + spec.name;
  const auto expr = unquoted(equals[2]);
  if (equals[1] == "gauge")
    spec.threshold = GaugeSpec{.expr = expr};
  else if (equals[1] == "binary")
    spec.threshold = BinarySpec{.expr = expr};
  else if (equals[1] == "tailable")
    spec.threshold = TailableSpec{.match = expr};
  else
    return fault("unknown kind " + equals[1]);
  for (auto word = equals + 3; word != words.end(); ++word) read_option(spec, *word);
  if (failed()) return;
  const auto problems = check(spec);
  if (!problems.empty()) return fault(problems.front().field + ": " + problems.front().error.message);
  declared_[words[1]] = spec;
  if (active) active_[spec.id] = spec;
}

void Script::read_option(RuleSpec& spec, const std::string& word) {
  const auto equals = word.find('=');
  const auto key = word.substr(0, equals);
  const auto value = equals == std::string::npos ? "" : unquoted(word.substr(equals + 1));
  auto* binary = std::get_if<BinarySpec>(&spec.threshold);
  auto* tailable = std::get_if<TailableSpec>(&spec.threshold);
  if (key == "for") {
    spec.for_duration = offset(value);
  } else if (key == "no_data") {
    spec.no_data_stated = true;
    spec.no_data = value == "never" ? std::nullopt : std::optional(offset(value));
  } else if (key.starts_with("label.")) {
    spec.labels[key.substr(6)] = value;
  } else if (auto* gauge = std::get_if<GaugeSpec>(&spec.threshold)) {
    read_gauge(spec, *gauge, key, value);
  } else if (binary != nullptr && key == "failures") {
    binary->failures = count(value);
  } else if (tailable != nullptr && key == "pattern") {
    tailable->pattern = value;
  } else if (tailable != nullptr && key == "count") {
    tailable->count = count(value);
  } else if (tailable != nullptr && key == "within") {
    tailable->within = offset(value);
  } else if (tailable != nullptr && key == "absent") {
    tailable->absent = true;
  } else {
    fault("unknown option " + word);
  }
}

void Script::read_gauge(RuleSpec&, GaugeSpec& gauge, const std::string& key, const std::string& value) {
  if (key == "above" || key == "below")
    gauge.above = key == "above";
  else if (key == "warning")
    gauge.warning = real(value);
  else if (key == "critical")
    gauge.critical = real(value);
  else if (key == "hysteresis")
    gauge.hysteresis = real(value);
  else
    fault("unknown option " + key);
}

/// package NAME [PARAMETER=VALUE …]
void Script::use_package(const Words& words) {
  if (!options_.package) return fault("there is no package here");
  if (words.size() < 2) return fault("package NAME");
  if (engine_) return fault("package comes before the first at");
  std::map<std::string, std::string> parameters;
  for (std::size_t i = 2; i < words.size(); ++i) {
    const auto equals = words[i].find('=');
    if (equals == std::string::npos) return fault("package NAME PARAMETER=VALUE …");
    parameters[words[i].substr(0, equals)] = unquoted(words[i].substr(equals + 1));
  }
  auto rules = options_.package(words[1], parameters);
  if (!rules) return fault(to_string(rules.error()));
  of_package_ = true;
  for (auto& rule : *rules) {
    rule.tenant = default_tenant();
    active_[rule.id] = std::move(rule);
  }
}

/// rules PATTERN…: of those of the package, these alone take part.
void Script::choose_rules(const Words& words) {
  if (engine_) return fault("rules come before the first at");
  std::map<std::string, RuleSpec> chosen;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const auto before = chosen.size();
    for (const auto& [id, rule] : active_)
      if (is_meant(words[i], rule)) chosen.insert_or_assign(id, rule);
    if (chosen.size() == before) return fault(fmt::format("{} is no rule of the package", words[i]));
  }
  active_ = std::move(chosen);
}

void Script::start() {
  engine_ = std::make_unique<Engine>(store_, listener_, engine_options_);
  set_rules();
  if (!ignored_.empty()) watch();
  engine_->restore(listener_.alerts(), now_);
  engine_->prime_logs(logs_before_, ~std::uint64_t{0}, now_);
}

void Script::set_rules() {
  std::vector<RuleSpec> rules;
  for (const auto& [id, spec] : active_) rules.push_back(spec);
  const auto done = engine_->set_rules(std::move(rules), now_);
  if (!done) fault(to_string(done.error()));
}

void Script::watch() {
  engine_->set_watched([this](const TenantId&, const Labels& labels) { return !matches(ignored_, labels); }, now_);
}

std::optional<Matchers> Script::selector(const std::string& text) {
  const auto parsed = promql::parse(text);
  auto found = parsed ? promql::selectors(**parsed) : std::vector<Matchers>{};
  if (found.size() == 1) return std::move(found.front());
  fault(text + " is no selector");
  return std::nullopt;
}

}  // namespace atalaya::rules
