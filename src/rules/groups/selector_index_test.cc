#include "rules/groups/selector_index.h"

#include <gtest/gtest.h>

#include <random>

namespace atalaya::rules {
namespace {

using Numbers = std::vector<std::uint32_t>;

TEST(SelectorIndex, FindsTheSelectorsThatMatchEachNumberOnce) {
  SelectorIndex index;
  index.add(0, {Matcher::equal("__name__", "load"), Matcher::equal("host", "a")});
  index.add(1, {Matcher::equal("__name__", "load")});
  index.add(1, {Matcher::equal("host", "a")});
  index.add(2, {*Matcher::make("__name__", Matcher::Op::kRegex, "lo.*")});
  index.add(3, {Matcher::equal("__name__", "load"), Matcher::equal("rack", "")});
  index.add(4, {Matcher::equal("rack", ""), *Matcher::make("host", Matcher::Op::kNotEqual, "b")});
  index.build();
  EXPECT_EQ(index.find({{"__name__", "load"}, {"host", "a"}}), (Numbers{0, 1, 2, 3, 4}));
  EXPECT_EQ(index.find({{"__name__", "load"}, {"host", "b"}, {"rack", "1"}}), (Numbers{1, 2}));
  EXPECT_EQ(index.find({{"__name__", "up"}, {"host", "a"}}), (Numbers{1, 4}));
  EXPECT_EQ(index.find({{"__name__", "up"}, {"rack", "1"}}), Numbers{});
}

TEST(SelectorIndex, AnswersWhatTryingEachSelectorAnswers) {
  std::mt19937 random(7);
  const auto word = [&](const char* prefix, unsigned count) { return prefix + std::to_string(random() % count); };
  std::vector<Matchers> selectors;
  SelectorIndex index;
  for (std::uint32_t i = 0; i < 300; ++i) {
    Matchers selector;
    for (unsigned n = random() % 3 + 1; n > 0; --n) {
      const auto op = static_cast<Matcher::Op>(random() % 4);
      selector.push_back(*Matcher::make(word("name", 4), op, random() % 5 == 0 ? "" : word("value", 5)));
    }
    index.add(i, selector);
    selectors.push_back(std::move(selector));
  }
  index.build();
  for (int round = 0; round < 300; ++round) {
    LabelsBuilder builder;
    for (unsigned n = random() % 4; n > 0; --n) builder.set(word("name", 4), word("value", 5));
    const auto labels = builder.build();
    Numbers wanted;
    for (std::uint32_t i = 0; i < selectors.size(); ++i) {
      if (matches(selectors[i], labels)) wanted.push_back(i);
    }
    EXPECT_EQ(index.find(labels), wanted) << to_string(labels);
  }
}

}  // namespace
}  // namespace atalaya::rules
