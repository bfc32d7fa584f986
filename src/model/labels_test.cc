#include "model/labels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <vector>

#include "base/bytes.h"
#include "model/label_number.h"
#include "model/names.h"

namespace atalaya {
namespace {

std::string packed(std::initializer_list<Labels::Pair> pairs) {
  std::string out;
  ByteWriter writer(out);
  for (const auto& [name, value] : pairs) {
    writer.text(name);
    writer.text(value);
  }
  return out;
}

TEST(Labels, AreSortedUniqueAndWithoutEmptyValues) {
  const Labels labels{{"b", "2"}, {"a", "1"}, {"b", "3"}, {"c", ""}};
  EXPECT_EQ(to_string(labels), "{a=\"1\", b=\"3\"}");
  EXPECT_EQ(labels.size(), 2u);
  EXPECT_EQ(labels.get("b"), "3");
  EXPECT_EQ(labels.get("c"), "");
  EXPECT_FALSE(labels.has("c"));
}

TEST(Labels, TheSameSetIsEqualHowEverItWasMade) {
  const Labels a{{"x", "1"}, {"y", "2"}};
  const Labels b(std::map<std::string, std::string>{{"y", "2"}, {"x", "1"}, {"z", ""}});
  const auto c = LabelsBuilder(Labels{{"y", "2"}, {"q", "9"}}).set("x", "1").set("q", "").build();
  EXPECT_EQ(a, b);
  EXPECT_EQ(a, c);
  EXPECT_EQ(a.hash(), b.hash());
  EXPECT_NE(a.hash(), a.with("x", "2").hash());
  EXPECT_EQ(a.with("z", "3").without("z"), a);
  EXPECT_EQ(a.without("absent"), a);
}

TEST(Labels, WhereNameEndsAndValueBeginsMatters) {
  EXPECT_NE((Labels{{"ab", "c"}}), (Labels{{"a", "bc"}}));
  EXPECT_NE((Labels{{"a", "b"}, {"c", "d"}}).hash(), (Labels{{"a", "bcd"}}).hash());
}

TEST(Labels, SortAsPrometheusSortsSeries) {
  const std::vector<Labels> ascending{
      Labels{},           Labels{{"a", "1"}}, Labels{{"a", "1"}, {"b", "1"}}, Labels{{"a", "10"}},
      Labels{{"a", "2"}}, Labels{{"b", "0"}}};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      EXPECT_EQ(ascending[i] <=> ascending[j], i <=> j) << i << " " << j;
    }
  }
}

TEST(LabelNumber, HasAPointOrAnExponent) {
  const std::pair<double, const char*> pairs[] = {
      {0, "0.0"},         {1, "1.0"},         {-1, "-1.0"},         {0.99, "0.99"}, {0.1, "0.1"},
      {1e-4, "0.0001"},   {1e-5, "1e-05"},    {100000, "100000.0"}, {1e6, "1e+06"}, {1234567, "1.234567e+06"},
      {5e-324, "5e-324"}, {INFINITY, "+Inf"}, {-INFINITY, "-Inf"},  {NAN, "NaN"}};
  for (const auto& [number, text] : pairs) EXPECT_EQ(label_number(number), text);
}

TEST(Labels, AreWrittenInPrometheusNotation) {
  EXPECT_EQ(to_string(Labels{}), "{}");
  EXPECT_EQ(to_string(Labels{{"__name__", "up"}}), "up");
  EXPECT_EQ(to_string(Labels{{"__name__", "a:b"}, {"x", "q\"\\\n"}}), "a:b{x=\"q\\\"\\\\\\n\"}");
  EXPECT_EQ(to_string(Labels{{"__name__", "m.x"}, {"a.b", "1"}}), "{\"m.x\", \"a.b\"=\"1\"}");
}

TEST(Labels, ThePackedFormRoundTrips) {
  const Labels labels{{"a", std::string(300, 'x')}, {"ñ", "€"}};
  Labels read;
  ASSERT_TRUE(Labels::unpack(labels.packed(), read));
  EXPECT_EQ(read, labels);
  ASSERT_TRUE(Labels::unpack("", read));
  EXPECT_TRUE(read.empty());
}

TEST(Labels, SetsAreInTheOrderOfTheirPairs) {
  std::mt19937 random(3);
  const auto text = [&] {
    const auto length = random() % 6 == 0 ? 120 + random() % 20 : 1 + random() % 3;
    std::string out(length, 'a');
    out.back() = static_cast<char>('a' + random() % 3);
    if (random() % 3 == 0) out.front() = '\x01';
    return out;
  };
  std::vector<std::map<std::string, std::string>> sets(60);
  for (auto& set : sets) {
    for (auto n = random() % 4; n > 0; --n) set[text()] = text();
  }
  for (const auto& a : sets) {
    for (const auto& b : sets)
      EXPECT_EQ(Labels(a) <=> Labels(b), a <=> b) << to_string(Labels(a)) << to_string(Labels(b));
  }
}

TEST(Labels, PackedBytesFromOutsideAreJudged) {
  Labels out{{"kept", "1"}};
  for (const auto& bad : {packed({{"b", "1"}, {"a", "1"}}), packed({{"a", "1"}, {"a", "2"}}), packed({{"a", ""}}),
                          packed({{"", "1"}}), packed({{"a", "\xff"}}), packed({{"\xc0\x80", "1"}}),
                          packed({{"a", "12"}}).substr(0, 4), std::string("\x01"), std::string(1, '\x7f')}) {
    EXPECT_FALSE(Labels::unpack(bad, out)) << to_hex(bad);
  }
  EXPECT_EQ(out, (Labels{{"kept", "1"}}));
}

TEST(Labels, ALongerVarintThanNeededMakesTheSameSet) {
  Labels out;
  ASSERT_TRUE(Labels::unpack(std::string("\x81\x00"
                                         "a\x01"
                                         "1",
                                         5),
                             out));
  EXPECT_EQ(out, (Labels{{"a", "1"}}));
}

TEST(Labels, ALabelNameHasThePrometheusShape) {
  EXPECT_TRUE(is_label_name("le"));
  EXPECT_TRUE(is_label_name("_x9"));
  for (const auto* bad : {"", "9x", "a-b", "a:b", "ñ"}) EXPECT_FALSE(is_label_name(bad)) << bad;
  EXPECT_TRUE(is_metric_name("job:rate:sum"));
  EXPECT_FALSE(is_metric_name("a.b"));
}

}  // namespace
}  // namespace atalaya
