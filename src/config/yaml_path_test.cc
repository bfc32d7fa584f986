#include "config/yaml_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atalaya::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Names on the way to a line and column of the text.
std::vector<std::string> way(const std::string& text, std::uint32_t line, std::uint32_t column) {
  std::vector<Error> told;
  const auto document = Document::parse(text, "a.yaml", told);
  std::vector<std::string> out;
  for (auto& step : path_to(*document, {"a.yaml", line, column})) out.push_back(step.name);
  return out;
}

TEST(YamlPath, LeadsToKeysValuesAndItems) {
  const std::string text = "a:\n  b: [x, {c: y}]\nd: z\n";
  EXPECT_THAT(way(text, 1, 1), ElementsAre("a"));
  EXPECT_THAT(way(text, 2, 3), ElementsAre("a", "b"));
  EXPECT_THAT(way(text, 2, 7), ElementsAre("a", "b", "0"));
  EXPECT_THAT(way(text, 2, 15), ElementsAre("a", "b", "1", "c"));
  EXPECT_THAT(way(text, 3, 4), ElementsAre("d"));
  EXPECT_THAT(way(text, 0, 0), IsEmpty());
}

TEST(YamlPath, AKeyThatStandsTwiceIsOnTheWayAndOneThatIsNoTextEndsItAbove) {
  EXPECT_THAT(way("a: {b: 1}\nc: 1\na: {d: 1}\n", 3, 5), ElementsAre("a", "d"));
  EXPECT_THAT(way("a:\n  b: 1\n  ? [c, d]\n  : 1\n", 3, 5), ElementsAre("a"));
}

TEST(YamlPath, AnotherFilesPlaceIsNowhere) {
  std::vector<Error> told;
  const auto document = Document::parse("a: 1\n", "a.yaml", told);
  EXPECT_THAT(path_to(*document, {"b.yaml", 1, 1}), IsEmpty());
}

}  // namespace
}  // namespace atalaya::config
