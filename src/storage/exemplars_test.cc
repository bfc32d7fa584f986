#include "storage/exemplars.h"

#include <gmock/gmock.h>

namespace atalaya::storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Knows the labels of three series.
class ThreeSeries : public SeriesQuerier {
 public:
  Result<std::vector<SelectedSeries>> select(const TenantId&, const Matchers&, TimeRange) const override {
    return std::vector<SelectedSeries>{};
  }
  Result<SelectedSeries> series(const TenantId&, SeriesId, TimeRange) const override {
    return fail(ErrorCode::kNotFound, "none");
  }
  std::shared_ptr<const Labels> labels_of(const TenantId&, SeriesId id) const override {
    if (id.value() > 3) return nullptr;
    return std::make_shared<const Labels>(
        Labels{{"__name__", "requests_total"}, {"path", std::string(1, static_cast<char>('a' + id.value() - 1))}});
  }
  std::vector<std::string> label_names(const TenantId&, const Matchers&) const override { return {}; }
  std::vector<std::string> label_values(const TenantId&, std::string_view, const Matchers&) const override {
    return {};
  }
};

class ExemplarsTest : public testing::Test {
 protected:
  bool add(std::uint64_t series, std::int64_t ms, double value, const std::string& trace = "x") {
    return exemplars_.add(tenant_, SeriesId{series}, {Labels{{"trace", trace}}, value, from_ms(ms)});
  }
  /// "a@1=0.5 2=0.7" of each series.
  std::vector<std::string> seen(const Matchers& selector = {}, std::int64_t from = 0, std::int64_t to = 1'000'000) {
    std::vector<std::string> out;
    for (const auto& one : exemplars_.select(tenant_, {selector}, {from_ms(from), from_ms(to)})) {
      auto text = std::string(one.series.get("path")) + "@";
      for (const auto& exemplar : one.exemplars) {
        text += std::to_string(to_ms(exemplar.time)) + "=" + std::to_string(static_cast<int>(exemplar.value)) + " ";
      }
      out.push_back(text);
    }
    return out;
  }

  ThreeSeries series_;
  TenantId tenant_{"default"};
  Exemplars exemplars_{series_, 4};
};

TEST_F(ExemplarsTest, TheNewestOfAllSeriesAreKept) {
  for (int i = 1; i <= 3; ++i) EXPECT_TRUE(add(1, i, i));
  EXPECT_TRUE(add(2, 4, 4));
  EXPECT_THAT(seen(), ElementsAre("a@1=1 2=2 3=3 ", "b@4=4 "));
  EXPECT_TRUE(add(3, 5, 5));
  EXPECT_TRUE(add(3, 6, 6));
  EXPECT_THAT(seen(), ElementsAre("a@3=3 ", "b@4=4 ", "c@5=5 6=6 "));
  EXPECT_EQ(exemplars_.size(), 4u);
  EXPECT_TRUE(add(2, 7, 7));
  EXPECT_THAT(seen(), ElementsAre("b@4=4 7=7 ", "c@5=5 6=6 "));
  EXPECT_TRUE(add(1, 1, 9)) << "nothing of it is left that would be younger";
}

TEST_F(ExemplarsTest, SelectorsAndTimesChoose) {
  add(1, 10, 1);
  add(2, 20, 2);
  add(2, 30, 3);
  EXPECT_THAT(seen({Matcher::equal("path", "b")}), ElementsAre("b@20=2 30=3 "));
  EXPECT_THAT(seen({}, 10, 20), ElementsAre("a@10=1 ", "b@20=2 "));
  EXPECT_THAT(seen({Matcher::equal("path", "z")}), IsEmpty());
  EXPECT_THAT(exemplars_.select(TenantId{"other"}, {Matchers{}}, {}), IsEmpty());
}

TEST_F(ExemplarsTest, WhatIsOldRepeatedOrTooLongIsNotKept) {
  EXPECT_TRUE(add(1, 10, 1));
  EXPECT_TRUE(add(1, 10, 1)) << "it is there";
  EXPECT_FALSE(add(1, 9, 1));
  EXPECT_TRUE(add(1, 10, 2)) << "another of the same instant";
  EXPECT_FALSE(add(1, 11, 1, std::string(124, 'x')));
  EXPECT_TRUE(add(1, 11, 1, std::string(123, 'x')));
  EXPECT_FALSE(add(9, 11, 1)) << "nobody knows the series";
  EXPECT_THAT(seen(), ElementsAre("a@10=1 10=2 11=1 "));
}

TEST_F(ExemplarsTest, WithoutRoomThereAreNone) {
  Exemplars none(series_, 0);
  EXPECT_FALSE(none.add(tenant_, SeriesId{1}, {Labels{{"trace", "x"}}, 1, from_ms(1)}));
  EXPECT_THAT(none.select(tenant_, {Matchers{}}, {}), IsEmpty());
}

}  // namespace
}  // namespace atalaya::storage
