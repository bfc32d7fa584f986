#include "app/section_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/web_files.h"
#include "io/memory_file_system.h"

namespace atalaya::app {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const TenantId kTenant = default_tenant();

/// A package with a section of its own, and an agent that answers what the test says.
class SectionRunnerTest : public testing::Test {
 protected:
  SectionRunnerTest() {
    service_->subscribe(
        {.packages = [this](const TenantId& tenant, const auto& names) { runner_.changed(tenant, names); }});
    write("vlans/package.yaml",
          "package: vlans\nversion: 1.0.0\nschemas:\n  vlans:\n    item: vlan\n    help: Networks.\n    shape: tree\n"
          "    indexes: {name: {type: name}}\n    fields: {tag: {type: integer, required: true, help: Its tag.}}\n"
          "    script: scripts/vlans.sh\n    on: switch1\nvlans: {office: {tag: 7}, guests: {tag: 8}}\n");
    write("vlans/scripts/vlans.sh", "#!/bin/sh\n");
  }
  void write(const std::string& name, const std::string& text) {
    const auto path = "/d/packages/default/" + name;
    ASSERT_TRUE(files_.create_directories(io::parent_path(path)));
    ASSERT_TRUE(io::write_file_atomically(files_, path, text));
  }
  void start() {
    ASSERT_TRUE(service_->load_all());
    for (const auto& one : service_->list(kTenant)) {
      for (const auto& error : one.errors) ADD_FAILURE() << to_string(error);
    }
  }
  std::string state() { return boost::json::serialize(runner_.state(kTenant, "vlans")); }

  io::MemoryFileSystem files_;
  registry::Items items_;
  ManualClock clock_{from_ms(1'700'000'000'000)};
  std::unique_ptr<packages::Service> service_ = [this] {
    packages::Service::Options options;
    options.root = "/d/packages";
    options.history = "/d/history";
    options.shipped = shipped_packages();
    return std::make_unique<packages::Service>(files_, items_, clock_, std::move(options));
  }();
  std::vector<ingest::CallFrame> calls_;
  std::string asked_;
  Result<ingest::CallResult> answer_{ingest::CallResult{
      0, false,
      R"({"entities":[{"id":"7","kind":"networks","title":"Office","item":"vlans/office","links":["x/y/z"]}]})", ""}};
  SectionRunner runner_{*service_, items_, clock_,
                        [this](const TenantId&, const std::string& on, ingest::CallFrame call) {
                          asked_ = on;
                          calls_.push_back(std::move(call));
                          return answer_;
                        }};
};

TEST_F(SectionRunnerTest, ItemsGoToTheProgramAndEntitiesIntoTheRegistry) {
  start();
  runner_.look();
  ASSERT_THAT(calls_, SizeIs(1));
  EXPECT_EQ(asked_, "switch1");
  EXPECT_THAT(calls_[0].input, HasSubstr(R"("id":"vlans/guests")"));
  EXPECT_THAT(calls_[0].input, HasSubstr(R"("tag":8)"));
  const auto entities = items_.list(kTenant, "networks");
  ASSERT_THAT(entities, SizeIs(1));
  EXPECT_EQ(entities[0].id, "vlans:vlans/7");
  EXPECT_THAT(entities[0].links, testing::ElementsAre("x/y/z", "vlans/office"));
  EXPECT_THAT(entities[0].origin.place.file, HasSubstr("vlans/package.yaml"));
  EXPECT_THAT(state(), HasSubstr(R"("state":"ok")"));
}

TEST_F(SectionRunnerTest, AnEntityNamesItsItemByThePathThatTheProgramGot) {
  answer_ = ingest::CallResult{0, false, R"({"entities":[{"id":"7","kind":"networks","item":"office"}]})", ""};
  start();
  runner_.look();
  EXPECT_THAT(calls_.at(0).input, HasSubstr(R"("path":"office")"));
  const auto entities = items_.list(kTenant, "networks");
  ASSERT_THAT(entities, SizeIs(1));
  EXPECT_THAT(entities[0].links, testing::ElementsAre("vlans/office"));
  EXPECT_THAT(entities[0].origin.place.file, HasSubstr("vlans/package.yaml"));
}

TEST_F(SectionRunnerTest, WhatDidNotChangeIsNotRunAgain) {
  start();
  runner_.look();
  clock_.advance(std::chrono::minutes{5});
  service_->reload();
  runner_.look();
  EXPECT_THAT(calls_, SizeIs(1));
  write("vlans/scripts/vlans.sh", "#!/bin/sh\n# other\n");
  service_->scan();
  runner_.look();
  EXPECT_THAT(calls_, SizeIs(2));
}

TEST_F(SectionRunnerTest, AFailureIsTriedAgainAndKeepsWhatWasThere) {
  start();
  runner_.look();
  answer_ = fail(ErrorCode::kUnavailable, "no agent");
  write("vlans/scripts/vlans.sh", "#!/bin/sh\n# other\n");
  service_->scan();
  runner_.look();
  EXPECT_THAT(state(), HasSubstr("no agent"));
  EXPECT_THAT(state(), HasSubstr(R"("entities":1)"));
  EXPECT_THAT(items_.list(kTenant, "networks"), SizeIs(1));
  runner_.look();
  EXPECT_THAT(calls_, SizeIs(2));
  answer_ = ingest::CallResult{0, false, R"({"entities":[]})", ""};
  clock_.advance(std::chrono::seconds{31});
  runner_.look();
  EXPECT_THAT(calls_, SizeIs(3));
  EXPECT_THAT(items_.list(kTenant, "networks"), IsEmpty());
}

TEST_F(SectionRunnerTest, EntitiesGoWithTheirSection) {
  start();
  runner_.look();
  ASSERT_TRUE(files_.remove_all("/d/packages/default/vlans"));
  service_->scan();
  runner_.look();
  EXPECT_THAT(items_.list(kTenant, "networks"), IsEmpty());
  EXPECT_EQ(state(), "[]");
}

TEST(Entities, AnswersThatAreNoneAreRefusedWithTheirReason) {
  for (const auto* bad : {"", "[]", "{}", R"({"entities":[7]})", R"({"entities":[{"id":""}]})",
                          R"({"entities":[{"id":"a","kind":"b c"}]})", R"({"entities":[{"id":7}]})"}) {
    const auto read = read_entities(bad, kTenant, "p", "s", {});
    ASSERT_FALSE(read) << bad;
    EXPECT_FALSE(read.error().message.empty());
  }
}

}  // namespace
}  // namespace atalaya::app
