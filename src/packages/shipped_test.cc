// The packages that ship, as a server loads them: whole, with instances, and with dashboards that can be drawn.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <re2/re2.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "packages/testing.h"
#include "promql/engine.h"

namespace atalaya::packages {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kOurs =
    "package: ours\nversion: 1.0.0\ninstances:\n"
    "  ping: {db1: {with: {host: db1.example.org, slow: 0.5}}}\n"
    "  http: {shop: {with: {url: 'https://shop.example.org/health', on: [web1, web2]}}}\n"
    "  process: {sshd: {with: {name: sshd, at_least: 2}}}\n";

/// All that ships, and a package of somebody's own that puts the specifications to use.
const World& shipped_world() {
  static const World kWorld = [] {
    std::map<std::string, std::string> texts{{"ours/package.yaml", std::string(kOurs)}};
    const auto files = io::real_file_system();
    for (const auto& entry : fs::directory_iterator(std::string(AT_SOURCE_DIR) + "/packages")) {
      if (!entry.is_directory()) continue;
      const std::string name = entry.path().filename();
      const auto listed = list_files(*files, entry.path());
      if (!listed) continue;
      for (const auto& file : *listed) {
        if (auto text = io::read_file(*files, entry.path().string() + "/" + file.name))
          texts[name + "/" + file.name] = *text;
      }
    }
    return world_of(texts);
  }();
  return kWorld;
}

PackagePtr running(const std::string& name) {
  const auto found = shipped_world().slots().find(name);
  return found == shipped_world().slots().end() ? nullptr : found->second.running;
}

TEST(ShippedPackages, LoadWithoutAnError) {
  for (const auto& [name, slot] : shipped_world().slots()) {
    for (const auto& error : slot.errors) ADD_FAILURE() << name << ": " << to_string(error);
    for (const auto& error : slot.world_errors) ADD_FAILURE() << name << ": " << to_string(error);
  }
  for (const auto* name : {"base", "host", "self", "ping", "http", "process", "logs"})
    EXPECT_TRUE(running(name)) << name;
}

TEST(ShippedPackages, SpecificationsYieldNothingWithoutInstances) {
  for (const auto* name : {"ping", "http", "process"}) {
    ASSERT_TRUE(running(name)) << name;
    EXPECT_TRUE(running(name)->specification) << name;
    EXPECT_TRUE(running(name)->rules.empty()) << name;
    EXPECT_TRUE(running(name)->collectors.empty()) << name;
  }
}

TEST(ShippedPackages, AnInstanceMakesItsCheckItsRulesAndItsDashboard) {
  const auto ping = running("ping@db1");
  ASSERT_TRUE(ping);
  ASSERT_EQ(ping->collectors.size(), 1u);
  const auto& check = ping->collectors.front();
  EXPECT_EQ(check.id, "ping@db1/ping/ping_check");
  EXPECT_EQ(check.type, "ping");
  EXPECT_EQ(check.fields.at("host").as_string(), "db1.example.org");
  EXPECT_EQ(check.fields.at("count").to_number<int>(), 3);
  EXPECT_EQ(ping->rules.size(), 3u);
  for (const auto& rule : ping->rules) {
    EXPECT_NE(rule.expr().find("target=\"db1.example.org\""), std::string::npos) << rule.expr();
    if (rule.name != "ping_slow") continue;
    EXPECT_EQ(std::get<rules::GaugeSpec>(rule.threshold).warning, 0.5);
  }
  EXPECT_TRUE(ping->find("dashboards", "ping@db1/ping/host"));

  const auto http = running("http@shop");
  ASSERT_TRUE(http);
  ASSERT_EQ(http->collectors.size(), 1u);
  EXPECT_EQ(http->collectors.front().on.patterns, (std::vector<std::string>{"web1", "web2"}));
  EXPECT_EQ(http->rules.size(), 2u);
  const auto process = running("process@sshd");
  ASSERT_TRUE(process);
  ASSERT_EQ(process->collectors.size(), 1u);
  EXPECT_EQ(process->collectors.front().fields.at("at_least").to_number<int>(), 2);
}

/// Every text of these fields, wherever it stands.
void collect_texts(const boost::json::value& value, const std::string& field, const std::vector<std::string>& wanted,
                   std::vector<std::string>& out) {
  if (const auto* object = value.if_object()) {
    for (const auto& [name, inner] : *object) collect_texts(inner, name, wanted, out);
  } else if (const auto* array = value.if_array()) {
    for (const auto& inner : *array) collect_texts(inner, field, wanted, out);
  } else if (value.is_string() && std::find(wanted.begin(), wanted.end(), field) != wanted.end()) {
    out.emplace_back(value.get_string());
  }
}

TEST(ShippedPackages, EveryQueryOfADashboardCanBeAsked) {
  std::size_t queries = 0;
  for (const auto& [name, slot] : shipped_world().slots()) {
    if (!slot.running) continue;
    for (const auto& item : slot.running->items) {
      if (item.section != "dashboards") continue;
      std::vector<std::string> texts;
      collect_texts(item.fields, "", {"expr", "of", "match"}, texts);
      for (auto text : texts) {
        ++queries;
        RE2::GlobalReplace(&text, R"(\$\{?\w+\}?)", "x");
        const auto parsed = promql::parse(text);
        EXPECT_TRUE(parsed) << item.id << ": " << text << ": " << to_string(parsed.error());
      }
    }
  }
  EXPECT_GT(queries, 80u);
}

TEST(ShippedPackages, WidgetsStandWithinTheGridAndNotUponOneAnother) {
  for (const auto& [name, slot] : shipped_world().slots()) {
    if (!slot.running) continue;
    for (const auto& item : slot.running->items) {
      if (item.section != "dashboards") continue;
      std::set<std::pair<std::int64_t, std::int64_t>> taken;
      for (const auto& widget : item.fields.at("widgets").as_array()) {
        const auto& at = widget.at("at").as_object();
        const auto x = at.at("x").to_number<std::int64_t>();
        const auto w = at.at("w").to_number<std::int64_t>();
        const auto y = at.at("y").to_number<std::int64_t>();
        const auto h = at.at("h").to_number<std::int64_t>();
        EXPECT_LE(x + w, 24) << item.id;
        for (auto column = x; column < x + w; ++column)
          for (auto row = y; row < y + h; ++row)
            EXPECT_TRUE(taken.emplace(column, row).second) << item.id << " at " << column << ", " << row;
      }
    }
  }
}

}  // namespace
}  // namespace atalaya::packages
