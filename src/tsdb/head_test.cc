#include "tsdb/head.h"

#include <gtest/gtest.h>

namespace atalaya::tsdb {
namespace {

class HeadTest : public testing::Test {
 protected:
  SeriesId add(const Labels& labels, std::int64_t time = 1) {
    const auto id = head_.resolve(tenant_, labels, from_ms(0)).value();
    head_.tenant(tenant_)->series(id.value())->append(from_ms(time), 1);
    return id;
  }
  std::vector<std::string> found(const Matchers& matchers) {
    std::vector<std::string> out;
    const auto selected = head_.select(tenant_, matchers, {});
    for (const auto& series : *selected) out.push_back(to_string(*series.labels));
    return out;
  }
  static Matcher matcher(std::string name, Matcher::Op op, std::string value) {
    return Matcher::make(std::move(name), op, std::move(value)).value();
  }

  TenantId tenant_ = default_tenant();
  Head head_{HeadLimits{.max_series_per_tenant = 4, .max_labels_per_series = 3, .max_label_value_bytes = 10}};
};

TEST_F(HeadTest, SelectsByEveryKindOfMatcherSortedByLabels) {
  add(Labels{{"__name__", "up"}, {"job", "b"}});
  add(Labels{{"__name__", "up"}, {"job", "a"}});
  add(Labels{{"__name__", "down"}});
  using Op = Matcher::Op;
  using Strings = std::vector<std::string>;
  EXPECT_EQ(found({Matcher::equal("__name__", "up")}), (Strings{"up{job=\"a\"}", "up{job=\"b\"}"}));
  EXPECT_EQ(found({matcher("job", Op::kRegex, "a|c")}), (Strings{"up{job=\"a\"}"}));
  EXPECT_EQ(found({matcher("job", Op::kNotEqual, "")}), (Strings{"up{job=\"a\"}", "up{job=\"b\"}"}));
  EXPECT_EQ(found({matcher("__name__", Op::kRegex, ".+"), matcher("job", Op::kNotRegex, ".+")}), (Strings{"down"}));
  EXPECT_EQ(found({Matcher::equal("__name__", "up"), Matcher::equal("job", "")}), Strings{});
  EXPECT_EQ(found({Matcher::equal("__name__", "absent")}), Strings{});
}

TEST_F(HeadTest, RefusesAQueryForEverything) {
  EXPECT_EQ(head_.select(tenant_, {}, {}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(head_.select(tenant_, {Matcher::equal("a", "")}, {}).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(HeadTest, OneTenantDoesNotSeeAnother) {
  add(Labels{{"__name__", "up"}});
  EXPECT_TRUE(head_.select(TenantId{"other"}, {Matcher::equal("__name__", "up")}, {})->empty());
}

TEST_F(HeadTest, LimitsAreNamed) {
  const auto error = [&](const Labels& labels) { return head_.resolve(tenant_, labels, from_ms(0)).error(); };
  EXPECT_NE(error(Labels{{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}}).message.find("max_labels_per_series"),
            std::string::npos);
  EXPECT_NE(error(Labels{{"a", "12345678901"}}).message.find("max_label_value_bytes"), std::string::npos);
  for (const auto* value : {"1", "2", "3", "4"}) add(Labels{{"a", value}});
  const auto full = error(Labels{{"a", "5"}});
  EXPECT_EQ(full.code, ErrorCode::kResourceExhausted);
  EXPECT_NE(full.message.find("max_series_per_tenant"), std::string::npos);
  EXPECT_TRUE(head_.resolve(tenant_, Labels{{"a", "1"}}, from_ms(0)));
}

TEST_F(HeadTest, RetiredSeriesLeaveTheIndexAndComeBackWithTheirId) {
  const auto id = add(Labels{{"__name__", "up"}, {"job", "old"}}, 5);
  head_.drop_before(from_ms(1000));
  EXPECT_EQ(head_.live(), 0u);
  EXPECT_TRUE(head_.tenant(tenant_)->label_values("job", {}).empty());
  EXPECT_EQ(head_.resolve(tenant_, Labels{{"__name__", "up"}, {"job", "old"}}, from_ms(2000)), id);
  EXPECT_EQ(head_.live(), 1u);
  EXPECT_EQ(head_.tenant(tenant_)->label_values("job", {}), std::vector<std::string>{"old"});
}

TEST_F(HeadTest, LabelNamesAndValuesFollowMatchers) {
  add(Labels{{"__name__", "up"}, {"job", "a"}});
  add(Labels{{"__name__", "down"}, {"zone", "z"}});
  const auto* tenant = head_.tenant(tenant_);
  using Strings = std::vector<std::string>;
  EXPECT_EQ(tenant->label_names({}), (Strings{"__name__", "job", "zone"}));
  EXPECT_EQ(tenant->label_names({Matcher::equal("__name__", "up")}), (Strings{"__name__", "job"}));
  EXPECT_EQ(tenant->label_values("__name__", {}), (Strings{"down", "up"}));
  EXPECT_EQ(tenant->label_values("__name__", {Matcher::equal("job", "a")}), (Strings{"up"}));
}

}  // namespace
}  // namespace atalaya::tsdb
