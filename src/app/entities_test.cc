// Hosts and routes are entities too.
#include "app/entities.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/web_files.h"
#include "io/memory_file_system.h"

namespace atalaya::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Time kNow = from_ms(1'767'225'600'000);
const TenantId kTenant = default_tenant();

class EntitiesTest : public testing::Test {
 protected:
  EntitiesTest() : hosts_(registry::Hosts::open(*database_).value()) {}

  /// Base and packages of these texts.
  void load(const std::map<std::string, std::string>& texts) {
    packages::Service::Options options;
    options.root = "/data/packages";
    options.history = "/data/history";
    for (const auto& file : shipped_packages()) {
      if (file.path.starts_with("base/")) options.shipped.push_back(file);
    }
    service_ = std::make_unique<packages::Service>(files_, items_, clock_, std::move(options));
    entities_ = std::make_unique<Entities>(*service_, *hosts_, items_);
    for (const auto& [file, text] : texts) write(file, text);
    ASSERT_TRUE(service_->load_all());
    for (const auto& state : service_->list(kTenant)) {
      for (const auto& error : state.errors) ADD_FAILURE() << to_string(error);
    }
  }
  void write(const std::string& file, const std::string& text) {
    const auto path = "/data/packages/default/" + file;
    ASSERT_TRUE(files_.create_directories(path.substr(0, path.rfind('/'))));
    ASSERT_TRUE(io::write_file_atomically(files_, path, text));
  }
  void enrol(const std::string& id, const std::string& name) {
    ASSERT_TRUE(hosts_->enrolled(kTenant, AgentId{id}, name, "1.0", kNow));
  }
  /// "id → links" of a kind.
  std::vector<std::string> entities(std::string_view kind) {
    std::vector<std::string> out;
    for (const auto& item : items_.list(kTenant, kind))
      out.push_back(fmt::format("{} → {}", item.id, fmt::join(item.links, ", ")));
    return out;
  }

  io::MemoryFileSystem files_;
  ManualClock clock_{kNow};
  std::unique_ptr<db::Database> database_ = db::open_sqlite(":memory:").value();
  std::unique_ptr<registry::Hosts> hosts_;
  registry::Items items_;
  std::unique_ptr<packages::Service> service_;
  std::unique_ptr<Entities> entities_;
};

constexpr const char* kCollectors =
    "package: p\nversion: 1.0.0\ncollectors:\n  a:\n    web: {process: {name: nginx}, on: 'web*'}\n"
    "    all: {process: {name: cron}}\n";

TEST_F(EntitiesTest, AHostIsLinkedToItsCollectorsFromItsFirstDayToItsLast) {
  enrol("a1", "web1");
  load({{"p/package.yaml", kCollectors}});
  EXPECT_THAT(entities("hosts"), ElementsAre("web1 → p/a/web, p/a/all"));
  enrol("a2", "db1");
  EXPECT_THAT(entities("hosts"), ElementsAre("db1 → p/a/all", "web1 → p/a/web, p/a/all"));
  const auto host = items_.find(kTenant, "hosts", "db1").value();
  EXPECT_EQ(name(host.origin.kind), "agent");
  EXPECT_EQ(host.origin.who, "a2");
  EXPECT_EQ(host.origin.at, kNow);
  write("p/package.yaml", "package: p\nversion: 1.0.1\n");
  ASSERT_TRUE(service_->scan());
  EXPECT_THAT(entities("hosts"), ElementsAre("db1 → ", "web1 → "));
  ASSERT_TRUE(hosts_->remove(kTenant, AgentId{"a1"}));
  EXPECT_THAT(entities("hosts"), ElementsAre("db1 → "));
}

TEST_F(EntitiesTest, RoutesAppearAndGoWithThePagesAndProceduresOfAPackage) {
  load({{"p/package.yaml",
         "package: p\nversion: 1.0.0\npages:\n  all:\n    disks: {title: Disks, widgets: [{at: {x: 0, y: 0, w: 6, h: "
         "4}, text: {markdown: x}}]}\n"
         "rpc:\n  queues:\n    empty: {title: Empty it, script: \"#!/bin/sh\\ntrue\\n\"}\n"}});
  EXPECT_THAT(entities("routes"), ElementsAre("/api/atalaya/v1/rpc/p/queues/empty → p/queues/empty",
                                              "/p/p/all/disks → p/all/disks", "/p/p/disks → p/all/disks"));
  const auto route = items_.find(kTenant, "routes", "/p/p/all/disks").value();
  EXPECT_EQ(route.package, "p");
  EXPECT_EQ(route.origin.place.file, "p/package.yaml");
  EXPECT_EQ(route.origin.place.line, 5u);
  write("p/package.yaml",
        "package: p\nversion: 1.0.1\npages: {all: {cpus: {title: CPUs, widgets: [{at: {x: 0, y: 0, w: 6, h: 4}, text: "
        "{markdown: x}}]}}}\n");
  ASSERT_TRUE(service_->scan());
  EXPECT_THAT(entities("routes"), ElementsAre("/p/p/all/cpus → p/all/cpus", "/p/p/cpus → p/all/cpus"));
}

TEST_F(EntitiesTest, DashboardsAndProceduresAreLinkedToWhatTheyShowAndWhereTheyRun) {
  load({{"p/package.yaml",
         "package: p\nversion: 1.0.0\npages:\n  all:\n    disks: {title: Disks, widgets: [{at: {x: 0, y: 0, w: 6, h: "
         "4}, text: {markdown: x}}]}\n"
         "dashboards:\n  all:\n    one: {title: One, widgets: [{at: {x: 0, y: 0, w: 6, h: 4}, page: {page: "
         "all/disks}}]}\n"
         "rpc:\n  queues:\n    any: {title: Any, on: 'web*', script: \"#!/bin/sh\\ntrue\\n\"}\n"
         "    empty: {title: Empty it, on: web1, script: \"#!/bin/sh\\ntrue\\n\"}\n"}});
  EXPECT_THAT(entities("dashboards"), ElementsAre("p/all/one → p/all/disks"));
  EXPECT_THAT(entities("rpc"), ElementsAre("p/queues/any → ", "p/queues/empty → web1"));
}

TEST_F(EntitiesTest, WhatHappensIsInTheFeed) {
  load({});
  const auto before = items_.revision();
  enrol("a1", "web1");
  ASSERT_TRUE(hosts_->remove(kTenant, AgentId{"a1"}));
  std::vector<std::string> told;
  const auto feed = items_.changes(kTenant, before, 10);
  for (const auto& change : feed.changes) told.push_back(change.item.kind + " " + change.item.id);
  EXPECT_THAT(told, ElementsAre("hosts web1", "hosts web1"));
  EXPECT_THAT(items_.changes(kTenant, feed.revision, 10).changes, IsEmpty());
}

}  // namespace
}  // namespace atalaya::app
