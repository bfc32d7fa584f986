#include "packages/agent_configuration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "packages/world_test_lines.h"

namespace atalaya::packages {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// A package with a check c/<name> of an address of `bytes` bytes.
std::string with_check(const std::string& package, const std::string& name, std::size_t bytes, const std::string& on) {
  return head(package) + fmt::format("collectors:\n  c:\n    {}: {{http: {{url: 'http://x/{}'}}, on: '{}'}}\n", name,
                                     std::string(bytes, 'u'), on);
}

std::optional<PackageError> refusal(const FolderTexts& before, const FolderTexts& after,
                                    const std::set<std::string>& changed, std::vector<std::string> hosts = {}) {
  const auto world = world_of(before);
  const auto plan = world.plan(changed, files_of(after));
  EXPECT_TRUE(plan.errors.empty());
  return too_long_for_agents(world, plan, std::move(hosts), 2000);
}

TEST(AgentConfiguration, WhatIsTooLongForAHostIsRefusedAtTheCollectorThatIsLongest) {
  const FolderTexts before{{"p/package.yaml", with_check("p", "a", 900, "web*")}};
  auto after = before;
  after["q/package.yaml"] = with_check("q", "b", 1000, "web1");
  const auto error = refusal(before, after, {"q"}, {"db1", "web1", "web2"});
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code, ErrorCode::kTooLarge);
  EXPECT_THAT(error->message, HasSubstr("host web1 would get"));
  EXPECT_THAT(error->message, HasSubstr("an agent takes 2000"));
  EXPECT_THAT(error->remedy, HasSubstr("on:"));
  ASSERT_TRUE(error->place);
  EXPECT_EQ(error->place->file, "q/package.yaml");
  EXPECT_EQ(error->package, "q");
  EXPECT_EQ(error->section, "collectors");
  EXPECT_THAT(error->path, ElementsAre("c", "b"));
  EXPECT_FALSE(refusal(before, after, {"q"}, {"db1", "web2"})) << "no host gets both";
}

TEST(AgentConfiguration, WhatRunsEverywhereIsJudgedWithoutAnyHost) {
  const auto error = refusal({}, {{"p/package.yaml", with_check("p", "a", 2000, "*")}}, {"p"});
  ASSERT_TRUE(error);
  EXPECT_THAT(error->message, HasSubstr("every host would get"));
  EXPECT_FALSE(refusal({}, {{"p/package.yaml", with_check("p", "a", 1500, "*")}}, {"p"}));
}

TEST(AgentConfiguration, OneThatIsTooLongAlreadyMayBecomeShorter) {
  FolderTexts before{{"p/package.yaml", with_check("p", "a", 4000, "*")}};
  auto after = before;
  after["p/package.yaml"] = with_check("p", "a", 3000, "*");
  EXPECT_FALSE(refusal(before, after, {"p"}));
  EXPECT_TRUE(refusal(after, before, {"p"}));
  after["p/package.yaml"] = with_check("p", "a", 4000, "*");
  after["q/package.yaml"] = package_with_rule("q", "r", 5);
  EXPECT_FALSE(refusal(before, after, {"q"})) << "rules are nothing to agents";
}

TEST(AgentConfiguration, ScrapesThatAreOnHostsGoToTheirAgentsAlone) {
  const FolderTexts texts{{"p/package.yaml", head("p") + "scrape_configs:\n"
                                                         "  - {job_name: ours, static_configs: [{targets: ['a:1']}]}\n"
                                                         "  - {job_name: theirs, on: web*, scrape_interval: 15s,"
                                                         " static_configs: [{targets: ['b:1']}]}\n"}};
  const auto world = world_of(texts);
  const auto configuration = agent_configuration(world.slots(), "web1", 3);
  EXPECT_THAT(configuration,
              HasSubstr(R"({"id":"p/theirs","type":"scrape","period":"1s","config":{"job_name":"theirs",)"));
  EXPECT_THAT(configuration, HasSubstr(R"("scrape_interval":15000)"));
  EXPECT_THAT(configuration, Not(HasSubstr("ours")));
  EXPECT_THAT(configuration, Not(HasSubstr(R"("on")")));
  EXPECT_THAT(agent_configuration(world.slots(), "db1", 3), Not(HasSubstr("theirs")));
  const auto error = refusal({},
                             {{"p/package.yaml", head("p") +
                                                     "scrape_configs:\n  - {job_name: long, on: '*',"
                                                     " metrics_path: '/" +
                                                     std::string(3000, 'x') + "'}\n"}},
                             {"p"}, {"web1"});
  ASSERT_TRUE(error);
  EXPECT_EQ(error->section, "scrape_configs");
  EXPECT_THAT(error->path, ElementsAre("long"));
}

TEST(AgentConfiguration, TheBoundIsThatOfWhatIsSent) {
  for (std::size_t bytes = 1600; bytes < 2000; bytes += 20) {
    const FolderTexts texts{{"p/package.yaml", with_check("p", "a", bytes, "*")}};
    if (refusal({}, texts, {"p"})) continue;
    EXPECT_LE(agent_configuration(world_of(texts).slots(), "web1", 1'000'000).size(), 2000u) << bytes;
  }
}

}  // namespace
}  // namespace atalaya::packages
