#include "collect/scrape/target.h"

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atalaya::collect::scrape {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ScrapeConfig config_of(std::string_view json) {
  std::vector<ConfigProblem> problems;
  auto out = read_config("p/j", boost::json::parse(json).as_object(), {}, problems);
  EXPECT_TRUE(out) << (problems.empty() ? "" : problems.front().error.message);
  return out ? *out : ScrapeConfig{};
}

std::vector<std::string> problems_of(std::string_view json) {
  std::vector<ConfigProblem> problems;
  read_config("p/j", boost::json::parse(json).as_object(), {}, problems);
  std::vector<std::string> out;
  for (const auto& one : problems) {
    std::string path;
    for (const auto& part : one.path) path += "/" + part;
    out.push_back(path + " " + one.error.message);
  }
  return out;
}

TEST(ScrapeConfigs, DefaultsArePrometheus) {
  const auto config = config_of(R"({"job_name": "j"})");
  EXPECT_EQ(config.interval, std::chrono::minutes{1});
  EXPECT_EQ(config.timeout, std::chrono::seconds{10});
  EXPECT_EQ(config.path, "/metrics");
  EXPECT_TRUE(config.honor_timestamps);
  EXPECT_EQ(config_of(R"({"job_name": "j", "scrape_interval": 5000})").timeout, std::chrono::seconds{5})
      << "a timeout that nobody wrote is no longer than the interval";
  EXPECT_EQ(config.accept,
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
            "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,"
            "text/plain;version=0.0.4;q=0.2,*/*;q=0.1");
}

TEST(ScrapeConfigs, WhatIsNotDoneIsRefusedAtItsPlace) {
  EXPECT_THAT(problems_of(R"({"job_name": "j", "kubernetes_sd_configs": [{}]})"),
              ElementsAre("/kubernetes_sd_configs targets are not discovered by kubernetes_sd_configs"));
  EXPECT_THAT(problems_of(R"({"job_name": "j", "oauth2": {"client_id": "x"}})"),
              ElementsAre(HasSubstr("/oauth2/token_url ")));
  EXPECT_THAT(problems_of(R"({"job_name": "j", "scrape_protocols": ["PrometheusProto"]})"),
              ElementsAre("/scrape_protocols protobuf is not read"));
  EXPECT_THAT(problems_of(R"({"job_name": "j", "scrape_interval": 1000, "scrape_timeout": 2000})"),
              ElementsAre(HasSubstr("/scrape_timeout a timeout of 2s")));
  EXPECT_THAT(
      problems_of(R"({"job_name": "j", "relabel_configs": [{}, {"action": "hashmod"}]})"),
      ElementsAre(HasSubstr("/relabel_configs/0 action replace"), HasSubstr("/relabel_configs/1 action hashmod")));
  EXPECT_THAT(problems_of(R"({"job_name": "j", "file_sd_configs": [{"files": ["x.yml", "/a/*/x.yml"]}]})"),
              ElementsAre(HasSubstr("no absolute path"), HasSubstr("no path of such files")));
  EXPECT_THAT(problems_of(R"({"job_name": "j", "http_sd_configs": [{"url": "ftp://x", "refresh": "1s"}]})"),
              ElementsAre(HasSubstr("/http_sd_configs/0/refresh the key"), HasSubstr("/http_sd_configs/0/url this")));
  EXPECT_THAT(problems_of(R"({"job_name": "j", "tls_config": {"cert_file": "/c", "max_version": "TLS11"}})"),
              ElementsAre("/tls_config/cert_file there is no key_file to it",
                          "/tls_config/max_version TLS 1.2 is the oldest that is spoken"));
  EXPECT_THAT(problems_of(R"({"job_name": "j", "authorization": {"credentials": "x"},
                              "oauth2": {"client_id": "x", "token_url": "http://y"}})"),
              ElementsAre(HasSubstr("/oauth2 there is another way")));
}

TEST(Targets, LabelsAreThoseOfPrometheus) {
  const auto config = config_of(R"({"job_name": "j", "params": {"module": ["http", "x"]},
    "relabel_configs": [
      {"source_labels": ["__address__"], "target_label": "__param_target"},
      {"source_labels": ["__param_target"], "target_label": "instance"},
      {"target_label": "__address__", "replacement": "exporter:9115"},
      {"target_label": "__scrape_interval__", "replacement": "30s"}]})");
  const auto made = make_targets(config, {{TargetGroup{{"a:1"}, {{"team", "x"}, {"__meta_y", "z"}}}}}, "host");
  ASSERT_EQ(made.active.size(), 1U);
  const auto& one = made.active.front();
  EXPECT_EQ(to_string(one.labels), R"({instance="a:1", job="j", team="x"})");
  EXPECT_EQ(
      to_string(one.discovered),
      R"({__address__="a:1", __meta_y="z", __metrics_path__="/metrics", __param_module="http", __scheme__="http", )"
      R"(__scrape_interval__="1m", __scrape_timeout__="10s", job="j", team="x"})");
  EXPECT_EQ(one.url, "http://exporter:9115/metrics?module=http&module=x&target=a%3A1");
  EXPECT_EQ(one.interval, std::chrono::seconds{30});
}

TEST(Targets, DroppedWrongAndRepeatedOnesAreTold) {
  const auto config = config_of(R"({"job_name": "j", "relabel_configs": [
      {"source_labels": ["__address__"], "regex": "gone.*", "action": "drop"}]})");
  const auto made = make_targets(config, {{TargetGroup{{"a:1", "gone:1", "a:1", "x/y", ""}, {}}}}, "host");
  EXPECT_EQ(made.active.size(), 1U);
  EXPECT_EQ(made.dropped.size(), 1U);
  EXPECT_THAT(made.errors, ElementsAre(HasSubstr("\"x/y\" is not a valid hostname"), HasSubstr("no address")));
}

TEST(Targets, LoopbackAddressesHaveANameForOthers) {
  const auto made = make_targets(config_of(R"({"job_name": "j"})"), {{TargetGroup{{"localhost:9100"}, {}}}}, "web-1");
  EXPECT_EQ(made.active.front().global_url, "http://web-1:9100/metrics");
}

TEST(Targets, GroupsAreReadFromYamlAndJson) {
  const auto groups = read_groups(R"([{"targets": ["a:1"], "labels": {"x": "y"}}])", "/f.json", "__meta_filepath");
  ASSERT_TRUE(groups);
  EXPECT_THAT(*groups, ElementsAre(TargetGroup{{"a:1"}, {{"x", "y"}, {"__meta_filepath", "/f.json"}}}));
  EXPECT_THAT(*read_groups("- targets: [b:1, 'c:2']\n", "/f", ""), ElementsAre(TargetGroup{{"b:1", "c:2"}, {}}));
  EXPECT_THAT(*read_groups("", "/f", ""), IsEmpty());
  EXPECT_EQ(to_string(*read_groups("- {target: [a]}\n", "/f", "").error().place), "/f:1:4");
  EXPECT_FALSE(read_groups("{}", "/f", ""));
}

TEST(Targets, OffsetsSpreadOverTheInterval) {
  for (const std::uint64_t key : {0ULL, 1ULL, 59'999ULL, 60'000ULL, ~0ULL}) {
    const auto offset = offset_of(key, std::chrono::minutes{1});
    EXPECT_GE(offset, Duration{0});
    EXPECT_LT(offset, std::chrono::minutes{1});
  }
}

}  // namespace
}  // namespace atalaya::collect::scrape
