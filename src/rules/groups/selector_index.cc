#include "rules/groups/selector_index.h"

#include <algorithm>

namespace atalaya::rules {
namespace {

/// A label that must be there with this value.
bool is_pair(const Matcher& matcher) { return matcher.op() == Matcher::Op::kEqual && !matcher.value().empty(); }

}  // namespace

void SelectorIndex::append_key(std::string& key, std::string_view name, std::string_view value) {
  key.append(name).push_back('\0');
  key.append(value);
}

void SelectorIndex::add(std::uint32_t number, Matchers selector) { entries_.push_back({number, std::move(selector)}); }

void SelectorIndex::build() {
  std::unordered_map<std::string, std::size_t> shared;
  const auto key_of = [](const Matcher& matcher) {
    std::string key;
    append_key(key, matcher.name(), matcher.value());
    return key;
  };
  for (const auto& entry : entries_) {
    for (const auto& matcher : entry.selector) {
      if (is_pair(matcher)) ++shared[key_of(matcher)];
    }
  }
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    std::string best;
    std::size_t least = SIZE_MAX;
    for (const auto& matcher : entries_[i].selector) {
      if (!is_pair(matcher)) continue;
      auto key = key_of(matcher);
      const auto count = shared[key];
      if (count >= least) continue;
      least = count;
      best = std::move(key);
    }
    (least == SIZE_MAX ? others_ : by_pair_[best]).push_back(i);
  }
}

std::vector<std::uint32_t> SelectorIndex::find(const Labels& labels) const {
  std::vector<std::uint32_t> out;
  const auto look_at = [&](const std::vector<std::size_t>& places) {
    for (const auto place : places) {
      if (matches(entries_[place].selector, labels)) out.push_back(entries_[place].number);
    }
  };
  look_at(others_);
  std::string key;
  for (const auto& [name, value] : labels) {
    key.clear();
    append_key(key, name, value);
    const auto found = by_pair_.find(key);
    if (found != by_pair_.end()) look_at(found->second);
  }
  std::ranges::sort(out);
  const auto again = std::ranges::unique(out);
  out.erase(again.begin(), again.end());
  return out;
}

}  // namespace atalaya::rules
