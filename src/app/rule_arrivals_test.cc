#include "app/rule_arrivals.h"

#include <gmock/gmock.h>

#include "rules/groups/groups_test_world.h"

namespace atalaya::app {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr const char* kHigh = "{name: high, rules: [{alert: High, expr: load > 5}]}";
constexpr const char* kOther = "{name: other, rules: [{alert: Other, expr: other > 5}]}";

/// Series are numbered in the order in which they come.
class NumberedSeries : public promql::MemorySeries {
 public:
  SeriesId number(const std::string& text) {
    names_.push_back(text);
    return SeriesId{names_.size()};
  }
  std::shared_ptr<const Labels> labels_of(const TenantId&, SeriesId id) const override {
    return std::make_shared<const Labels>(rules::labels_of(names_.at(id.value() - 1)));
  }

 private:
  std::vector<std::string> names_;
};

class Arrivals : public testing::Test {
 protected:
  Arrivals() { clock_.advance(std::chrono::hours{1}); }

  WatchedGroup watched(const char* yaml) { return {rules::group_of(yaml), ticks_}; }

  void arrive(std::initializer_list<std::pair<SeriesId, double>> samples) {
    std::vector<storage::SeriesSample> out;
    for (const auto& [id, value] : samples) out.push_back({id, clock_.now(), value});
    arrivals_.on_samples({TenantId{}, {}, out});
  }
  /// Until nothing can be done any more at this instant.
  void turn() {
    for (int i = 0; i < 1000 && arrivals_.turn().count() == 0; ++i) {
    }
  }
  void pass(milliseconds time) {
    clock_.advance(time);
    turn();
  }
  double counted(const std::string& name) {
    const auto text = metrics_.expose();
    return std::stod(text.substr(text.find("\n" + name + " ") + name.size() + 2));
  }

  ManualClock clock_{from_ms(1'000'000)};
  NumberedSeries series_;
  telemetry::Registry metrics_;
  std::shared_ptr<std::atomic<std::uint64_t>> ticks_ = std::make_shared<std::atomic<std::uint64_t>>(0);
  std::chrono::nanoseconds spent_{0};
  milliseconds cost_{0};
  EarlyAnswer answer_;
  std::vector<std::string> evaluated_;
  RuleArrivals arrivals_{
      series_, clock_, [this] { return spent_; }, metrics_,
      [this](const rules::GroupSpecPtr& group, std::size_t index, const Matchers& restrict, Time) {
        spent_ += cost_;
        if (!answer_.is_busy) {
          evaluated_.push_back(group->rules[index].name + (restrict.empty() ? "" : " " + restrict[0].value()));
        }
        return answer_;
      }};
};

TEST_F(Arrivals, WhatIsBeyondTheShareOfAProcessorIsEvaluatedLater) {
  arrivals_.set_groups({watched(kHigh)});
  const auto a = series_.number(R"(load{host="a"})");
  const auto b = series_.number(R"(load{host="b"})");
  const auto c = series_.number(R"(load{host="c"})");
  cost_ = milliseconds{300};
  arrive({{a, 9}, {b, 9}, {c, 9}});
  turn();
  EXPECT_THAT(evaluated_, ElementsAre("High a")) << "it took three seconds' share";
  EXPECT_EQ(counted("atalaya_rules_arrival_waiting"), 2);
  pass(milliseconds{1900});
  EXPECT_THAT(evaluated_, ElementsAre("High a"));
  pass(milliseconds{200});
  EXPECT_THAT(evaluated_, ElementsAre("High a", "High b"));
  pass(milliseconds{3100});
  EXPECT_THAT(evaluated_, ElementsAre("High a", "High b", "High c"));
  EXPECT_EQ(counted("atalaya_rules_arrival_left_out_total"), 0);
  EXPECT_EQ(counted("atalaya_rules_arrival_waiting"), 0);
}

TEST_F(Arrivals, ASeriesThatWaitsIsEvaluatedOnceWhateverComes) {
  arrivals_.set_groups({watched(kHigh)});
  const auto a = series_.number(R"(load{host="a"})");
  const auto b = series_.number(R"(load{host="b"})");
  cost_ = milliseconds{200};
  arrive({{a, 9}});
  turn();
  for (int i = 0; i < 5; ++i) arrive({{a, 9}, {b, 1}});
  pass(milliseconds{10});
  cost_ = milliseconds{0};
  pass(milliseconds{5000});
  EXPECT_THAT(evaluated_, ElementsAre("High a", "High a")) << "b crosses nothing";
}

TEST_F(Arrivals, TimeThatOnlyPassesIsNobodysUse) {
  arrivals_.set_groups({watched(kHigh)});
  arrive({{series_.number(R"(load{host="a"})"), 9}});
  arrive({{series_.number(R"(load{host="b"})"), 9}});
  turn();
  EXPECT_THAT(evaluated_, UnorderedElementsAre("High a", "High b"));
}

TEST_F(Arrivals, TheTimeFromTheCommitToAVerdictIsCounted) {
  arrivals_.set_groups({watched(kHigh)});
  const auto a = series_.number(R"(load{host="a"})");
  arrive({{a, 9}});
  turn();
  EXPECT_EQ(counted(R"(atalaya_rules_arrival_seconds_count{of="series"})"), 0) << "nothing was said";
  answer_ = {.is_busy = true, .spoke = true};
  arrive({{a, 9}});
  pass(milliseconds{15});
  answer_.is_busy = false;
  pass(milliseconds{15});
  EXPECT_EQ(counted(R"(atalaya_rules_arrival_seconds_bucket{of="series",le="0.02"})"), 0);
  EXPECT_EQ(counted(R"(atalaya_rules_arrival_seconds_bucket{of="series",le="0.05"})"), 1);
  EXPECT_EQ(counted(R"(atalaya_rules_arrival_seconds_count{of="whole"})"), 0);
}

TEST_F(Arrivals, AGroupAtItsTickIsAskedAgain) {
  arrivals_.set_groups({watched(kHigh)});
  const auto a = series_.number(R"(load{host="a"})");
  answer_.is_busy = true;
  arrive({{a, 9}});
  turn();
  EXPECT_THAT(evaluated_, IsEmpty());
  answer_.is_busy = false;
  pass(milliseconds{2});
  EXPECT_THAT(evaluated_, ElementsAre("High a"));
}

TEST_F(Arrivals, WhereAnAlertFiresNothingIsEvaluatedUntilATick) {
  arrivals_.set_groups({watched(kHigh)});
  const auto a = series_.number(R"(load{host="a"})");
  const auto b = series_.number(R"(load{host="b"})");
  answer_.quiet_until = kMaxTime;
  arrive({{a, 9}});
  turn();
  arrive({{a, 9}, {b, 9}});
  pass(milliseconds{1000});
  EXPECT_THAT(evaluated_, ElementsAre("High a", "High b"));
  ++*ticks_;
  arrive({{a, 9}});
  turn();
  EXPECT_THAT(evaluated_, ElementsAre("High a", "High b", "High a"));
}

TEST_F(Arrivals, AnAlertThatIsPendingIsAskedForAgainWhenItsTimeIsOver) {
  arrivals_.set_groups({watched(kHigh)});
  const auto a = series_.number(R"(load{host="a"})");
  answer_.quiet_until = clock_.now() + milliseconds{500};
  arrive({{a, 9}});
  turn();
  pass(milliseconds{400});
  arrive({{a, 9}});
  turn();
  EXPECT_THAT(evaluated_, ElementsAre("High a"));
  pass(milliseconds{100});
  arrive({{a, 9}});
  turn();
  EXPECT_THAT(evaluated_, ElementsAre("High a", "High a"));
}

TEST_F(Arrivals, WhatWaitsOutlivesAChangeOfOtherGroups) {
  const auto high = watched(kHigh);
  arrivals_.set_groups({high});
  const auto a = series_.number(R"(load{host="a"})");
  answer_.is_busy = true;
  arrive({{a, 9}});
  turn();
  arrivals_.set_groups({watched(kOther), high});
  answer_.is_busy = false;
  pass(milliseconds{2});
  EXPECT_THAT(evaluated_, ElementsAre("High a"));
}

TEST_F(Arrivals, SumsAreEvaluatedOnceInATenthOfASecond) {
  arrivals_.set_groups({watched("{name: sums, rules: [{alert: Sum, expr: sum(load) > 5}]}")});
  const auto a = series_.number(R"(load{host="a"})");
  const auto b = series_.number(R"(load{host="b"})");
  arrive({{a, 1}, {b, 1}});
  arrive({{a, 2}});
  turn();
  EXPECT_THAT(evaluated_, ElementsAre("Sum"));
  arrive({{a, 3}});
  pass(milliseconds{50});
  EXPECT_THAT(evaluated_, ElementsAre("Sum"));
  pass(milliseconds{60});
  EXPECT_THAT(evaluated_, ElementsAre("Sum", "Sum"));
}

}  // namespace
}  // namespace atalaya::app
