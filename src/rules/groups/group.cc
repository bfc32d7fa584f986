#include "rules/groups/group.h"

#include <algorithm>
#include <array>

namespace atalaya::rules {
namespace {

bool same(const std::vector<PromText>& a, const std::vector<PromText>& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) { return x.name == y.name && x.text == y.text; });
}

}  // namespace

bool PromRule::same_content(const PromRule& other) const {
  return alerting == other.alerting && id == other.id && name == other.name && expr == other.expr &&
         hold == other.hold && keep_firing_for == other.keep_firing_for && same(labels, other.labels) &&
         same(annotations, other.annotations);
}

Labels PromRule::label_set() const {
  LabelsBuilder builder;
  for (const auto& label : labels) builder.set(label.name, label.text);
  return builder.build();
}

bool GroupSpec::same_content(const GroupSpec& other) const {
  return tenant == other.tenant && id == other.id && file == other.file && name == other.name &&
         interval == other.interval && limit == other.limit && query_offset == other.query_offset &&
         on_arrival == other.on_arrival &&
         std::ranges::equal(rules, other.rules, [](const auto& a, const auto& b) { return a.same_content(b); });
}

Level level_of(const Labels& labels) {
  constexpr std::array<std::string_view, 12> kCriticalWords{"critical", "crit", "page",  "error", "fatal", "emergency",
                                                            "disaster", "high", "major", "p0",    "p1",    "p2"};
  std::string word(labels.get("severity"));
  std::ranges::transform(word, word.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return std::ranges::find(kCriticalWords, word) != kCriticalWords.end() ? Level::kCritical : Level::kWarning;
}

}  // namespace atalaya::rules
