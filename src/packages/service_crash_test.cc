// Changes through the service, and what is left of them when the machine dies at any moment.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "io/faulty_file_system.h"
#include "io/memory_file_system.h"
#include "packages/service.h"
#include "packages/world_test_lines.h"

namespace atalaya::packages {
namespace {

using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const TenantId kTenant = default_tenant();
const std::string kRoot = "/data/packages/default/";

const std::vector<ShippedFile>& shipped_base() {
  static const auto kSources = base_sources();
  static const std::vector<std::string> kPaths = [] {
    std::vector<std::string> out;
    for (const auto& file : kSources) out.push_back("base/" + file.name);
    return out;
  }();
  static const std::vector<ShippedFile> kFiles = [] {
    std::vector<ShippedFile> out;
    for (std::size_t i = 0; i < kSources.size(); ++i) {
      if (!kSources[i].name.starts_with("channels/")) out.push_back({kPaths[i], kSources[i].text});
    }
    return out;
  }();
  return kFiles;
}

void collect(io::FileSystem& disk, const std::string& folder, const std::string& prefix, FolderTexts& out) {
  const auto entries = disk.list(folder);
  for (const auto& entry : entries ? *entries : std::vector<io::DirectoryEntry>{}) {
    if (entry.name.starts_with('.') || entry.name.ends_with(".new") || prefix + entry.name == "base") continue;
    if (entry.is_directory) {
      collect(disk, folder + "/" + entry.name, prefix + entry.name + "/", out);
    } else {
      out[prefix + entry.name] = io::read_file(disk, folder + "/" + entry.name).value();
    }
  }
}
/// All files of the packages but base.
FolderTexts texts_on(io::FileSystem& disk) {
  FolderTexts out;
  collect(disk, kRoot.substr(0, kRoot.size() - 1), "", out);
  return out;
}

/// One start of the program.
struct Program {
  explicit Program(io::FileSystem& files)
      : service(files, items, clock,
                {.root = "/data/packages",
                 .last_good = "/data/good",
                 .history = "/data/history",
                 .shipped = shipped_base()}) {
    service.subscribe({.rules = [this](const auto& rules) { told.push_back("all " + std::to_string(rules.size())); },
                       .package_rules =
                           [this](const auto&, const auto& names, const auto& rules) {
                             told.push_back(fmt::format("{}: {}", fmt::join(names, ","), rules.size()));
                           },
                       .collectors = [this](std::uint64_t) { told.push_back("collectors"); },
                       .channels = [this](const auto&, const auto&, const auto&) { told.push_back("channels"); }});
    loaded = service.load_all();
  }
  std::vector<std::string> rules() const {
    std::vector<std::string> out;
    for (const auto& rule : service.rules()) {
      out.push_back(fmt::format("{} {}", rule.id, std::get<rules::GaugeSpec>(rule.threshold).warning.value_or(-1)));
    }
    return out;
  }
  std::vector<Commit> history(const std::string& package = "") {
    return service.history(kTenant, package, 0, 100).value();
  }

  ManualClock clock{from_ms(1'795'000'000'000)};
  registry::Items items;
  Service service;
  std::vector<std::string> told;
  Status loaded;
};

const FolderTexts kTexts{
    {"p/package.yaml", "# Ours.\n" + package_with_rule("p", "hot", 5) +
                           "    # The other.\n    warm: {gauge: {expr: temp, above: {warning: 3}}}\n"},
    {"p/README.md", "words\n"},
    {"q/package.yaml", package_with_rule("q", "cold", 1)}};

void lay_out(io::FileSystem& disk, const FolderTexts& texts = kTexts) {
  for (const auto& [file, text] : texts) {
    ASSERT_TRUE(disk.create_directories(io::parent_path(kRoot + file)));
    ASSERT_TRUE(io::write_file_atomically(disk, kRoot + file, text));
  }
}

Operation warning_to(const std::string& package, const std::string& rule, int level) {
  Operation out;
  out.at = {package, "rules", {"a", rule}};
  out.field = {"gauge", "above", "warning"};
  out.value = config::YamlValue(level);
  return out;
}
Operation of(Operation::What what, ItemAddress at, ItemAddress to = {}) {
  Operation out;
  out.what = what;
  out.at = std::move(at);
  out.to = std::move(to);
  return out;
}
ChangeRequest asks(std::vector<Operation> operations, std::string reason = "because") {
  ChangeRequest out;
  out.operations = std::move(operations);
  out.author = "ana";
  out.reason = std::move(reason);
  return out;
}

Archive archive_of(const std::string& package) {
  return {package,
          "1.2.0",
          {{"package.yaml", head(package, "1.2.0") + "rules: {link: rules/a.yaml}\n"},
           {"rules/a.yaml", "a: {fresh: {gauge: {expr: temp, above: {warning: 8}}}}\n"},
           {"scripts/x.sh", std::string("#!/bin/sh\n\0\xff", 12)}},
          ""};
}

class ServiceChanges : public testing::Test {
 protected:
  ServiceChanges() { lay_out(disk_); }
  io::MemoryFileSystem disk_;
};

TEST_F(ServiceChanges, AreWrittenToldAndKept) {
  Program run(disk_);
  EXPECT_THAT(run.told, ElementsAre("all 3", "collectors", "channels"));
  run.told.clear();
  const auto done = run.service.change(kTenant, asks({warning_to("p", "hot", 6)}, "too early"));
  ASSERT_TRUE(done && done->errors.empty());
  EXPECT_EQ(done->commit, 1u);
  EXPECT_THAT(run.rules(), ElementsAre("p/a/hot 6", "p/a/warm 3", "q/a/cold 1"));
  EXPECT_THAT(run.told, ElementsAre("p: 2"));
  auto expected = kTexts;
  auto& text = expected["p/package.yaml"];
  text.replace(text.find("warning: 5"), 10, "warning: 6");
  EXPECT_EQ(texts_on(disk_), expected);
  ASSERT_EQ(run.history().size(), 1u);
  EXPECT_EQ(run.history().front().author, "ana");
  EXPECT_EQ(run.history().front().reason, "too early");
  EXPECT_FALSE(run.service.scan()) << "its own change is nobody's by hand";
  EXPECT_EQ(run.history().size(), 1u);
}

TEST_F(ServiceChanges, APreviewSaysTheSameAndChangesNothing) {
  Program run(disk_);
  run.told.clear();
  auto request = asks({warning_to("p", "hot", 6), of(Operation::What::kRemove, {"q", "rules", {"a", "cold"}})});
  request.preview = true;
  const auto seen = run.service.change(kTenant, request);
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->commit, std::nullopt);
  EXPECT_FALSE(seen->effects.empty());
  EXPECT_EQ(texts_on(disk_), kTexts);
  EXPECT_THAT(run.told, IsEmpty());
  EXPECT_THAT(run.history(), IsEmpty());
  request.preview = false;
  const auto done = run.service.change(kTenant, request);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->effects, seen->effects);
  EXPECT_EQ(done->files, seen->files);
  EXPECT_EQ(done->hashes, seen->hashes);
}

TEST_F(ServiceChanges, WhatWouldNotHoldChangesNothing) {
  Program run(disk_);
  run.told.clear();
  auto unset = warning_to("p", "hot", 0);
  unset.what = Operation::What::kUnset;
  const auto done = run.service.change(kTenant, asks({warning_to("q", "cold", 2), unset}));
  ASSERT_TRUE(done);
  EXPECT_FALSE(done->errors.empty());
  EXPECT_EQ(texts_on(disk_), kTexts);
  EXPECT_THAT(run.told, IsEmpty());
  EXPECT_THAT(run.history(), IsEmpty());
  EXPECT_THAT(run.rules(), ElementsAre("p/a/hot 5", "p/a/warm 3", "q/a/cold 1"));
}

TEST_F(ServiceChanges, AStaleHashIsAConflictThatShowsBothVersions) {
  Program run(disk_);
  auto request = asks({warning_to("p", "hot", 6)});
  request.base = {{"p/package.yaml", text_hash(kTexts.at("p/package.yaml"))}};
  ASSERT_TRUE(run.service.change(kTenant, request));
  request.operations = {warning_to("p", "hot", 7)};
  const auto refused = run.service.change(kTenant, request);
  ASSERT_TRUE(refused);
  ASSERT_EQ(refused->conflicts.size(), 1u);
  EXPECT_THAT(refused->conflicts[0].text, HasSubstr("warning: 6"));
  EXPECT_EQ(refused->conflicts[0].hash, text_hash(refused->conflicts[0].text));
  EXPECT_EQ(run.rules().front(), "p/a/hot 6");
}

TEST_F(ServiceChanges, AreTakenBackByteForByte) {
  Program run(disk_);
  ASSERT_TRUE(run.service.change(
      kTenant, asks({warning_to("p", "hot", 6),
                     of(Operation::What::kMove, {"p", "rules", {"a", "warm"}}, {"q", "rules", {"b", "warm"}})})));
  ASSERT_TRUE(run.service.change(kTenant, asks({of(Operation::What::kRemovePackage, {"q", "", {}})})));
  EXPECT_THAT(run.rules(), ElementsAre("p/a/hot 6"));
  ASSERT_TRUE(run.service.revert(kTenant, 2, "ana", "", false));
  ASSERT_TRUE(run.service.revert(kTenant, 1, "ana", "", false));
  EXPECT_EQ(texts_on(disk_), kTexts);
  EXPECT_EQ(run.history().size(), 4u);
}

TEST_F(ServiceChanges, ByHandAreNotedWithTheirDifference) {
  Program run(disk_);
  auto text = kTexts.at("q/package.yaml");
  text.replace(text.find("warning: 1"), 10, "warning: 2");
  ASSERT_TRUE(io::write_file_atomically(disk_, kRoot + "q/package.yaml", text));
  run.told.clear();
  EXPECT_TRUE(run.service.scan());
  EXPECT_THAT(run.told, ElementsAre("q: 1"));
  ASSERT_EQ(run.history().size(), 1u);
  EXPECT_EQ(run.history().front().author, "files on disk");
  const auto commit = run.service.commit(kTenant, 1);
  ASSERT_TRUE(commit);
  EXPECT_THAT(commit->files, ElementsAre(FileChange{"q/package.yaml", kTexts.at("q/package.yaml"), text}));
  Program again(disk_);
  EXPECT_EQ(again.history().size(), 1u) << "noted once";
}

TEST_F(ServiceChanges, AnArchiveIsInstalledUpgradedAndExportedAsItWas) {
  Program run(disk_);
  const auto archive = archive_of("fresh");
  ASSERT_TRUE(run.service.install(kTenant, archive, "ana", false, false));
  EXPECT_THAT(run.rules(), ElementsAre("fresh/a/fresh 8", "p/a/hot 5", "p/a/warm 3", "q/a/cold 1"));
  const auto out = run.service.pack(kTenant, "fresh");
  ASSERT_TRUE(out);
  EXPECT_EQ(out->files, archive.files);
  EXPECT_EQ(out->version, archive.version);
  EXPECT_EQ(pack(*out, ""), pack(archive, ""));
  EXPECT_EQ(run.service.install(kTenant, archive, "ana", false, false).error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(run.service.install(kTenant, archive, "ana", true, false).error().code, ErrorCode::kConflict);
  auto newer = archive;
  newer.version = "1.3.0";
  newer.files = {{"package.yaml", package_with_rule("fresh", "hot", 1)}};
  newer.files["package.yaml"].replace(newer.files["package.yaml"].find("1.0.0"), 5, "1.3.0");
  const auto seen = run.service.install(kTenant, newer, "ana", true, true);
  ASSERT_TRUE(seen);
  auto between = newer;
  between.version = "1.2.5";
  between.files["package.yaml"].replace(between.files["package.yaml"].find("1.3.0"), 5, "1.2.5");
  ASSERT_TRUE(run.service.install(kTenant, between, "bo", true, false));
  const auto late = run.service.install(kTenant, newer, "ana", true, false, "", false, seen->replaces);
  ASSERT_FALSE(late) << "what was previewed is not what would change";
  EXPECT_EQ(late.error().code, ErrorCode::kConflict);
  EXPECT_THAT(to_string(late.error()), testing::HasSubstr("version 1.2.5 now"));
  const auto again = run.service.install(kTenant, newer, "ana", true, true);
  ASSERT_TRUE(again);
  EXPECT_NE(again->replaces, seen->replaces);
  const auto upgraded = run.service.install(kTenant, newer, "ana", true, false, "", false, again->replaces);
  ASSERT_TRUE(upgraded) << to_string(upgraded.error());
  EXPECT_EQ(run.service.pack(kTenant, "fresh")->files, newer.files);
}

TEST_F(ServiceChanges, ListenersHearOnlyOfWhatDiffers) {
  Program run(disk_);
  run.told.clear();
  auto title = warning_to("q", "cold", 0);
  title.field = {"title"};
  title.value = config::YamlValue("Cold");
  ASSERT_TRUE(run.service.change(kTenant, asks({title})));
  EXPECT_THAT(run.told, ElementsAre("q: 1"));
  run.told.clear();
  Operation create = of(Operation::What::kCreate, {"q", "collectors", {"c", "x"}});
  create.text = "tcp: {address: 'x:1'}\n";
  ASSERT_TRUE(run.service.change(kTenant, asks({create})));
  EXPECT_THAT(run.told, testing::Contains("collectors"));
  EXPECT_THAT(run.told, testing::Not(testing::Contains("channels")));
  for (const auto& line : run.told) EXPECT_FALSE(line.starts_with("all")) << line;
}

// Crashes.

using Work = std::function<bool(Service&)>;  ///< true: acknowledged

/// For every call: the machine dies at it, with any part of what was not synced lost; then it starts again.
void survives_every_crash(const Work& work) {
  FolderTexts after;
  std::vector<std::string> rules_before;
  std::vector<std::string> rules_after;
  {
    io::MemoryFileSystem disk;
    lay_out(disk);
    Program run(disk);
    rules_before = run.rules();
    ASSERT_TRUE(work(run.service));
    after = texts_on(disk);
    rules_after = run.rules();
  }
  ASSERT_NE(after, kTexts);
  std::size_t old_worlds = 0;
  std::size_t new_worlds = 0;
  const auto struck = io::for_every_call([&](std::uint64_t n) {
    io::MemoryFileSystem disk;
    lay_out(disk);
    io::FaultyFileSystem faulty(disk);
    bool acknowledged = false;
    {
      Program run(faulty);
      faulty.arm(io::Fault::kPowerCut, n);
      acknowledged = work(run.service);
    }
    n % 3 == 0 ? disk.power_cut() : disk.power_cut_keeping_some(n * 7919);
    Program again(disk);
    EXPECT_TRUE(again.loaded) << "call " << n;
    const auto texts = texts_on(disk);
    const bool is_new = texts == after;
    EXPECT_TRUE(is_new || texts == kTexts) << "neither old nor new after call " << n;
    EXPECT_TRUE(is_new || !acknowledged) << "acknowledged and lost at call " << n;
    EXPECT_EQ(again.rules(), is_new ? rules_after : rules_before) << "call " << n;
    const auto history = again.history();
    EXPECT_EQ(history.size(), is_new ? 1u : 0u) << "call " << n;
    for (const auto& commit : history) EXPECT_EQ(commit.author, "ana") << "call " << n;
    EXPECT_TRUE(again.service.change(kTenant, asks({warning_to("q", "cold", 77)}))) << "it goes on, call " << n;
    (is_new ? new_worlds : old_worlds) += 1;
    return faulty.struck() && !testing::Test::HasFailure();
  });
  EXPECT_GT(struck, 5u);
  EXPECT_GT(old_worlds, 0u);
  EXPECT_GT(new_worlds, 0u);
}

Work change_of(std::vector<Operation> operations) {
  return [operations = std::move(operations)](Service& service) {
    const auto done = service.change(kTenant, asks(operations));
    return done && done->errors.empty() && done->conflicts.empty();
  };
}

TEST(ServiceCrash, AnEditOfOneFileIsThereOrNot) { survives_every_crash(change_of({warning_to("p", "hot", 6)})); }

TEST(ServiceCrash, AMoveBetweenTwoPackagesIsThereOrNotAndNeverTwice) {
  survives_every_crash(
      change_of({of(Operation::What::kMove, {"p", "rules", {"a", "warm"}}, {"q", "rules", {"a", "warm"}})}));
}

TEST(ServiceCrash, AnInstalledPackageIsThereWholeOrNotAtAll) {
  survives_every_crash(
      [](Service& service) { return service.install(kTenant, archive_of("fresh"), "ana", false, false).has_value(); });
}

TEST(ServiceCrash, ARemovedPackageIsGoneWholeOrNotAtAll) {
  survives_every_crash(change_of({of(Operation::What::kRemovePackage, {"p", "", {}})}));
}

TEST(ServiceCrash, ADiskWithoutRoomRefusesAChangeAndLeavesAllAsItWas) {
  io::for_every_call([&](std::uint64_t n) {
    io::MemoryFileSystem disk;
    lay_out(disk);
    io::FaultyFileSystem faulty(disk);
    Program run(faulty);
    faulty.arm(io::Fault::kNoSpace, n);
    const auto done = run.service.change(kTenant, asks({warning_to("p", "hot", 6)}));
    const bool struck = faulty.struck();
    faulty.disarm();
    Program again(disk);
    const bool is_new = again.rules().front() == "p/a/hot 6";
    EXPECT_THAT(again.rules().front(), AnyOf("p/a/hot 5", "p/a/hot 6"));
    EXPECT_TRUE(is_new || !done || !done->errors.empty()) << "call " << n;
    return struck && !testing::Test::HasFailure();
  });
}

}  // namespace
}  // namespace atalaya::packages
