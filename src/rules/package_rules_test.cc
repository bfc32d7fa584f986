// Rules of some packages change; what the others know stays.

#include <gtest/gtest.h>

#include "rules/engine.h"
#include "rules/memory_store.h"

namespace atalaya::rules {
namespace {

const Time kStart = from_ms(1'767'225'600'000);

struct Said {
  std::string rule;
  Level level;
  bool removed;
  bool operator==(const Said&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Said& said) {
  return out << said.rule << " level " << static_cast<int>(said.level) << (said.removed ? " removed" : "");
}

class Recorder final : public VerdictSink {
 public:
  void verdict(Verdict v) override { said.push_back({v.rule, v.level, v.removed}); }
  std::vector<Said> take() { return std::exchange(said, {}); }
  std::vector<Said> said;
};

RuleSpec hot(const std::string& package, double warning, const TenantId& tenant = default_tenant()) {
  RuleSpec rule;
  rule.tenant = tenant;
  rule.id = package + "/heat/hot";
  rule.name = "hot";
  rule.threshold = GaugeSpec{.expr = "temp", .warning = warning};
  return rule;
}

using Names = std::set<std::string>;

class PackageRules : public testing::Test {
 protected:
  void send(double value, const TenantId& tenant = default_tenant()) {
    now_ += std::chrono::seconds{1};
    engine_.on_samples({tenant, {++position_}, {{{id_, now_, value}}}}, now_);
  }
  void set(const Names& packages, std::vector<RuleSpec> rules) {
    const auto done = engine_.set_package_rules(default_tenant(), packages, std::move(rules), now_);
    ASSERT_TRUE(done) << to_string(done.error());
  }
  std::vector<Said> said() { return recorder_.take(); }

  MemorySeries store_;
  Recorder recorder_;
  Engine engine_{store_, recorder_};
  SeriesId id_ = store_.resolve(Labels{{kMetricName, "temp"}});
  std::uint64_t position_ = 0;
  Time now_ = kStart;
};

TEST_F(PackageRules, ARuleThatComesJudgesSeriesThatAreThereAlready) {
  ASSERT_TRUE(engine_.set_rules({hot("p", 10)}, now_));
  send(25);
  EXPECT_EQ(said(), (std::vector<Said>{{"p/heat/hot", Level::kWarning, false}}));
  set({"q"}, {hot("q", 20)});
  send(26);
  EXPECT_EQ(engine_.rule_count(), 2u);
  const auto told = said();
  EXPECT_TRUE(std::find(told.begin(), told.end(), Said{"q/heat/hot", Level::kWarning, false}) != told.end());
}

TEST_F(PackageRules, ARuleThatGoesClosesItsOwnAlertAndNoOther) {
  ASSERT_TRUE(engine_.set_rules({hot("p", 10), hot("q", 10)}, now_));
  send(25);
  ASSERT_EQ(said().size(), 2u);
  set({"q"}, {});
  EXPECT_EQ(said(), (std::vector<Said>{{"q/heat/hot", Level::kOk, true}}));
  EXPECT_EQ(engine_.rule_count(), 1u);
  send(5);
  EXPECT_EQ(said(), (std::vector<Said>{{"p/heat/hot", Level::kOk, false}}));
}

TEST_F(PackageRules, AChangedRuleKeepsItsOpenAlertAndJudgesItByTheNextSample) {
  ASSERT_TRUE(engine_.set_rules({hot("p", 10)}, now_));
  send(25);
  said();
  set({"p"}, {hot("p", 30)});
  EXPECT_TRUE(said().empty()) << "it is open still";
  send(25);
  EXPECT_EQ(said(), (std::vector<Said>{{"p/heat/hot", Level::kOk, false}}));
}

TEST_F(PackageRules, EqualRulesChangeNothing) {
  auto slow = hot("p", 10);
  slow.for_duration = std::chrono::seconds{3};
  ASSERT_TRUE(engine_.set_rules({slow}, now_));
  send(25);
  send(25);
  said();
  const auto queries = store_.queries();
  for (int i = 0; i < 5; ++i) set({"p"}, {slow});
  EXPECT_TRUE(said().empty());
  EXPECT_EQ(store_.queries(), queries) << "nothing is read anew";
  ASSERT_EQ(engine_.states(default_tenant()).size(), 1u);
  EXPECT_EQ(engine_.states(default_tenant()).front().level, Level::kWarning);
}

TEST_F(PackageRules, OthersKeepWhatTheyCounted) {
  auto failing = hot("p", 10);
  failing.threshold = BinarySpec{.expr = "temp", .failures = 3};
  ASSERT_TRUE(engine_.set_rules({failing, hot("q", 10)}, now_));
  send(0);
  send(0);
  said();
  set({"q"}, {hot("q", 50)});
  send(0);
  EXPECT_EQ(said(), (std::vector<Said>{{"p/heat/hot", Level::kCritical, false}})) << "the third time in a row";
}

TEST_F(PackageRules, APackageWhoseNameBeginsLikeAnothersIsAnother) {
  ASSERT_TRUE(engine_.set_rules({hot("p", 10), hot("p2", 10), hot("p@x", 10)}, now_));
  send(25);
  said();
  set({"p"}, {});
  EXPECT_EQ(said(), (std::vector<Said>{{"p/heat/hot", Level::kOk, true}}));
  EXPECT_EQ(engine_.rule_count(), 2u);
}

TEST_F(PackageRules, ARuleThatMovesBetweenPackagesIsAnotherRule) {
  ASSERT_TRUE(engine_.set_rules({hot("p", 10)}, now_));
  send(25);
  said();
  set({"p", "q"}, {hot("q", 10)});
  EXPECT_EQ(said().front(), (Said{"p/heat/hot", Level::kOk, true}));
  send(25);
  EXPECT_EQ(said().back(), (Said{"q/heat/hot", Level::kWarning, false}));
}

TEST_F(PackageRules, AnotherTenantsPackageOfTheNameIsLeftAlone) {
  const TenantId other{"other"};
  ASSERT_TRUE(engine_.set_rules({hot("p", 10), hot("p", 10, other)}, now_));
  send(25, other);
  said();
  set({"p"}, {});
  EXPECT_TRUE(said().empty());
  EXPECT_EQ(engine_.states(other).size(), 1u);
  EXPECT_TRUE(engine_.states(default_tenant()).empty());
}

TEST_F(PackageRules, WhatCannotBeUnderstoodIsRefusedAndAllStays) {
  ASSERT_TRUE(engine_.set_rules({hot("p", 10)}, now_));
  send(25);
  said();
  auto bad = hot("p", 10);
  bad.threshold = GaugeSpec{.expr = "temp +", .warning = 1};
  EXPECT_FALSE(engine_.set_package_rules(default_tenant(), {"p"}, {bad}, now_));
  EXPECT_TRUE(said().empty());
  send(5);
  EXPECT_EQ(said(), (std::vector<Said>{{"p/heat/hot", Level::kOk, false}}));
}

TEST_F(PackageRules, InPiecesOrAtOnceComesToTheSame) {
  MemorySeries store;
  Recorder recorder;
  Engine whole(store, recorder);
  store.resolve(Labels{{kMetricName, "temp"}});
  ASSERT_TRUE(engine_.set_rules({}, now_));
  const std::vector<std::vector<double>> steps{{10, 20}, {10, -1}, {15, 20}, {-1, -1}, {30, 5}};
  double value = 12;
  for (const auto& step : steps) {
    std::vector<RuleSpec> all;
    for (std::size_t i = 0; i < step.size(); ++i) {
      const auto package = "p" + std::to_string(i);
      std::vector<RuleSpec> own;
      if (step[i] >= 0) own.push_back(hot(package, step[i]));
      all.insert(all.end(), own.begin(), own.end());
      set({package}, own);
    }
    ASSERT_TRUE(whole.set_rules(all, now_));
    value += 4;
    send(value);
    whole.on_samples({default_tenant(), {position_}, {{{id_, now_, value}}}}, now_);
    EXPECT_EQ(said(), recorder.take());
  }
}

}  // namespace
}  // namespace atalaya::rules
