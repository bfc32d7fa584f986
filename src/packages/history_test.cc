#include "packages/history.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "base/bytes.h"
#include "io/checksum.h"
#include "io/faulty_file_system.h"
#include "io/memory_file_system.h"

namespace atalaya::packages {
namespace {

constexpr Time kNow = from_ms(1'795'000'000'000);
const std::string kRoot = "history/default";
const std::string kFiles = "packages/default";

using Texts = std::map<std::string, std::string>;

void collect(io::FileSystem& disk, const std::string& folder, const std::string& prefix, Texts& out) {
  const auto entries = disk.list(folder);
  if (!entries) return;
  for (const auto& entry : *entries) {
    if (entry.is_directory) {
      collect(disk, folder + "/" + entry.name, prefix + entry.name + "/", out);
    } else {
      out[prefix + entry.name] = io::read_file(disk, folder + "/" + entry.name).value();
    }
  }
}

/// All files of all packages, those that a crash left beside them included.
Texts files_of(io::FileSystem& disk) {
  Texts out;
  collect(disk, kFiles, "", out);
  return out;
}

void lay_out(io::FileSystem& disk, const Texts& texts) {
  ASSERT_TRUE(disk.create_directories(kFiles));
  for (const auto& [file, text] : texts) {
    ASSERT_TRUE(disk.create_directories(io::parent_path(kFiles + "/" + file)));
    ASSERT_TRUE(io::write_file_atomically(disk, kFiles + "/" + file, text));
  }
}

Commit change(std::vector<FileChange> files, std::string reason = "because") {
  return {0, kNow, "ana", std::move(reason), std::move(files)};
}

const Texts kOld{{"host/package.yaml", "package: host\n"}, {"web/package.yaml", "package: web\n"}, {"old/a/x.py", "x"}};
const Texts kNew{{"host/package.yaml", "package: host\ntitle: Hosts\n"},
                 {"web/package.yaml", "package: web\ntitle: Web\n"},
                 {"new/pages/deep/a.html", std::string("<p>\0\xff</p>", 9)}};

Commit from_old_to_new() {
  return change({{"host/package.yaml", kOld.at("host/package.yaml"), kNew.at("host/package.yaml")},
                 {"new/pages/deep/a.html", std::nullopt, kNew.at("new/pages/deep/a.html")},
                 {"old/a/x.py", "x", std::nullopt},
                 {"web/package.yaml", kOld.at("web/package.yaml"), kNew.at("web/package.yaml")}});
}

/// Counts what waits for the disk. Thread-compatible.
class CountingFileSystem final : public io::FileSystem {
 public:
  explicit CountingFileSystem(io::FileSystem& below) : below_(below) {}

  struct CountedFile final : io::File {
    CountedFile(std::unique_ptr<io::File> file, int& count) : below(std::move(file)), syncs(count) {}
    Status append(std::string_view bytes) override { return below->append(bytes); }
    Result<std::string> read(std::uint64_t offset, std::size_t size) const override {
      return below->read(offset, size);
    }
    Status sync() override {
      ++syncs;
      return below->sync();
    }
    Status truncate(std::uint64_t size) override { return below->truncate(size); }
    std::uint64_t size() const override { return below->size(); }
    std::unique_ptr<io::File> below;
    int& syncs;
  };

  Result<std::unique_ptr<io::File>> open_append(const std::string& path) override {
    AT_TRY(auto file, below_.open_append(path));
    return std::make_unique<CountedFile>(std::move(file), syncs);
  }
  Result<std::unique_ptr<io::File>> open_read(const std::string& path) override { return below_.open_read(path); }
  Result<std::unique_ptr<io::Mapping>> map(const std::string& path, io::MapSource source) override {
    return below_.map(path, source);
  }
  Result<std::vector<io::DirectoryEntry>> list(const std::string& path) override { return below_.list(path); }
  Status create_directories(const std::string& path) override { return below_.create_directories(path); }
  Status remove(const std::string& path) override { return below_.remove(path); }
  Status remove_all(const std::string& path) override { return below_.remove_all(path); }
  Status rename(const std::string& from, const std::string& to) override { return below_.rename(from, to); }
  Status link(const std::string& from, const std::string& to) override { return below_.link(from, to); }
  Status sync_directory(const std::string& path) override {
    ++syncs;
    return below_.sync_directory(path);
  }
  bool exists(const std::string& path) override { return below_.exists(path); }
  Result<std::uint64_t> free_bytes(const std::string& path) override { return below_.free_bytes(path); }
  Result<std::unique_ptr<void, void (*)(void*)>> lock(const std::string& path) override { return below_.lock(path); }

  int syncs = 0;

 private:
  io::FileSystem& below_;
};

/// What is left of temporary files is nobody's file.
Texts without_temporaries(Texts texts) {
  std::erase_if(texts, [](const auto& file) { return file.first.ends_with(".new"); });
  return texts;
}

TEST(PackageHistory, AChangeIsWrittenAndKept) {
  io::MemoryFileSystem disk;
  lay_out(disk, kOld);
  History history(disk, kRoot, kFiles);
  ASSERT_TRUE(history.recover());
  const auto id = history.commit(from_old_to_new());
  ASSERT_TRUE(id) << to_string(id.error());
  EXPECT_EQ(*id, 1u);
  EXPECT_EQ(files_of(disk), kNew);
  EXPECT_FALSE(disk.exists(kFiles + "/old"));
  const auto read = history.read(1).value();
  EXPECT_EQ(read.id, 1u);
  EXPECT_EQ(read.at, kNow);
  EXPECT_EQ(read.author, "ana");
  EXPECT_EQ(read.reason, "because");
  EXPECT_EQ(read.files, from_old_to_new().files);
}

TEST(PackageHistory, AChangeOfOneFileCostsFourSyncsAndIsDurableThen) {
  io::MemoryFileSystem disk;
  lay_out(disk, kOld);
  CountingFileSystem counting(disk);
  History history(counting, kRoot, kFiles);
  ASSERT_TRUE(history.commit(change({{"old/a/x.py", "x", "y"}})));
  EXPECT_EQ(counting.syncs, 4);
  disk.power_cut();
  EXPECT_EQ(files_of(disk).at("old/a/x.py"), "y");
}

TEST(PackageHistory, TheListIsNewestFirstAndOfOnePackageWhereAsked) {
  io::MemoryFileSystem disk;
  lay_out(disk, kOld);
  {
    History history(disk, kRoot, kFiles);
    ASSERT_TRUE(history.commit(change({{"old/a/x.py", "x", "y"}}, "one")));
    ASSERT_TRUE(history.commit(change({{"host/b", std::nullopt, "b"}}, "two")));
    ASSERT_TRUE(history.note(change({{"old/a/x.py", "y", "z"}}, "three")));
  }
  const History history(disk, kRoot, kFiles);
  const auto all = history.list("", 0, 10).value();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].reason, "three");
  EXPECT_EQ(all[2].reason, "one");
  EXPECT_EQ(all[0].files, (std::vector<FileChange>{{"old/a/x.py", std::nullopt, std::nullopt}}));
  EXPECT_EQ(history.list("old", 0, 10).value().size(), 2u);
  EXPECT_EQ(history.list("ol", 0, 10).value().size(), 0u);
  EXPECT_EQ(history.list("", 3, 1).value()[0].reason, "two");
  EXPECT_EQ(history.list("", 1, 10).value().size(), 0u);
  EXPECT_EQ(history.read(4).error().code, ErrorCode::kNotFound);
}

TEST(PackageHistory, AFileThatSomebodyChangedFirstIsAConflict) {
  io::MemoryFileSystem disk;
  lay_out(disk, kOld);
  History history(disk, kRoot, kFiles);
  const auto refused =
      history.commit(change({{"host/package.yaml", "package: host\n", "a"}, {"old/a/x.py", "w", "y"}}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_NE(refused.error().message.find("old/a/x.py"), std::string::npos);
  EXPECT_EQ(files_of(disk), kOld);
  EXPECT_TRUE(history.list("", 0, 10).value().empty());
}

TEST(PackageHistory, PathsOutsideAreRefused) {
  io::MemoryFileSystem disk;
  History history(disk, kRoot, kFiles);
  for (const auto* file : {"../x", "x", "/etc/passwd", "host/../../x", "host/.git/x", ""}) {
    EXPECT_EQ(history.commit(change({{file, std::nullopt, "x"}})).error().code, ErrorCode::kInvalidArgument) << file;
  }
  EXPECT_EQ(history.commit(change({})).error().code, ErrorCode::kInvalidArgument);
}

TEST(PackageHistory, WhatTakesACommitBackRestoresEveryByte) {
  io::MemoryFileSystem disk;
  lay_out(disk, kOld);
  History history(disk, kRoot, kFiles);
  ASSERT_TRUE(history.commit(from_old_to_new()));
  const auto back = history.inverse(1, files_of(disk));
  ASSERT_TRUE(back);
  ASSERT_TRUE(history.commit(change(*back)));
  EXPECT_EQ(files_of(disk), kOld);
  auto edited = kNew;
  edited["web/package.yaml"] += "# mine\n";
  const auto refused = history.inverse(1, edited);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_NE(refused.error().message.find("web/package.yaml"), std::string::npos);
}

TEST(PackageHistory, APowerCutAtAnyCallLeavesAllOldOrAllNew) {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    std::uint64_t old_seen = 0;
    std::uint64_t new_seen = 0;
    const auto struck = io::for_every_call([&](std::uint64_t n) {
      io::MemoryFileSystem disk;
      lay_out(disk, kOld);
      io::FaultyFileSystem faulty(disk);
      faulty.arm(io::Fault::kPowerCut, n);
      bool acknowledged = false;
      {
        History history(faulty, kRoot, kFiles);
        acknowledged = history.recover() && history.commit(from_old_to_new());
      }
      if (seed == 0) {
        disk.power_cut();
      } else {
        disk.power_cut_keeping_some(seed * 1000 + n);
      }
      History history(disk, kRoot, kFiles);
      EXPECT_TRUE(history.recover());
      EXPECT_TRUE(history.left_alone().empty());
      const auto now = without_temporaries(files_of(disk));
      EXPECT_TRUE(now == kNew || (!acknowledged && now == kOld)) << "call " << n << ", seed " << seed;
      (now == kNew ? new_seen : old_seen) += 1;
      EXPECT_EQ(history.list("", 0, 10).value().size(), now == kNew ? 1u : 0u);
      // And it goes on.
      const auto next = change({{"host/package.yaml", now.at("host/package.yaml"), "package: host\nmore: 1\n"}});
      EXPECT_TRUE(history.commit(next)) << "call " << n;
      return faulty.struck();
    });
    EXPECT_GT(struck, 20u);
    EXPECT_GT(old_seen, 0u);
    EXPECT_GT(new_seen, 0u);
  }
}

bool is_decided(const Result<std::uint64_t>& done) {
  return done || done.error().message.find("is decided") != std::string::npos;
}

/// Number of the first call of a commit after its decision.
std::uint64_t first_call_after_the_decision() {
  std::uint64_t found = 0;
  io::for_every_call([&](std::uint64_t n) {
    io::MemoryFileSystem disk;
    lay_out(disk, kOld);
    io::FaultyFileSystem faulty(disk);
    faulty.arm(io::Fault::kPowerCut, n);
    History history(faulty, kRoot, kFiles);
    found = n;
    return !is_decided(history.commit(from_old_to_new()));
  });
  return found;
}

TEST(PackageHistory, APowerCutDuringRecoveryIsRecoveredFrom) {
  const auto after_decision = first_call_after_the_decision();
  const auto struck = io::for_every_call([&](std::uint64_t n) {
    io::MemoryFileSystem disk;
    lay_out(disk, kOld);
    {
      io::FaultyFileSystem faulty(disk);
      faulty.arm(io::Fault::kPowerCut, after_decision);
      History history(faulty, kRoot, kFiles);
      EXPECT_FALSE(history.commit(from_old_to_new()));
    }
    disk.power_cut();
    EXPECT_EQ(files_of(disk), kOld);
    io::FaultyFileSystem faulty(disk);
    faulty.arm(io::Fault::kPowerCut, n);
    {
      History history(faulty, kRoot, kFiles);
      (void)history.recover();
    }
    disk.power_cut_keeping_some(n);
    History history(disk, kRoot, kFiles);
    EXPECT_TRUE(history.recover());
    EXPECT_EQ(without_temporaries(files_of(disk)), kNew) << "call " << n;
    return faulty.struck();
  });
  EXPECT_GT(struck, 15u);
}

TEST(PackageHistory, ADiskThatFailsOnceAtAnyCallLeavesNothingHalfDone) {
  for (const auto fault : {io::Fault::kIoError, io::Fault::kNoSpace, io::Fault::kTear}) {
    io::for_every_call([&](std::uint64_t n) {
      io::MemoryFileSystem disk;
      lay_out(disk, kOld);
      io::FaultyFileSystem faulty(disk);
      faulty.arm(fault, n);
      History history(faulty, kRoot, kFiles);
      const auto done = history.commit(from_old_to_new());
      const bool struck = faulty.struck();
      faulty.disarm();
      const bool decided = is_decided(done);
      EXPECT_TRUE(history.recover());
      EXPECT_EQ(files_of(disk), decided ? kNew : kOld) << "call " << n;
      EXPECT_EQ(history.list("", 0, 10).value().size(), decided ? 1u : 0u) << "call " << n;
      // A start anew sees the same.
      History again(disk, kRoot, kFiles);
      EXPECT_TRUE(again.recover());
      EXPECT_EQ(files_of(disk), decided ? kNew : kOld) << "call " << n;
      return struck;
    });
  }
}

TEST(PackageHistory, AnUnfinishedChangeIsFinishedBeforeTheNextOne) {
  io::MemoryFileSystem disk;
  lay_out(disk, kOld);
  io::FaultyFileSystem faulty(disk);
  History history(faulty, kRoot, kFiles);
  faulty.arm(io::Fault::kNoSpace, first_call_after_the_decision());
  const auto done = history.commit(from_old_to_new());
  faulty.disarm();
  EXPECT_TRUE(!done && is_decided(done));
  EXPECT_NE(files_of(disk), kNew);
  auto next = change({{"host/package.yaml", kNew.at("host/package.yaml"), "package: host\nmore: 1\n"}});
  EXPECT_EQ(history.commit(next).value(), 2u);
  auto expected = kNew;
  expected["host/package.yaml"] = "package: host\nmore: 1\n";
  EXPECT_EQ(files_of(disk), expected);
}

TEST(PackageHistory, WhatAPersonEditedAfterTheCrashIsLeftAloneAndTold) {
  io::MemoryFileSystem disk;
  lay_out(disk, kOld);
  {
    History history(disk, kRoot, kFiles);
    ASSERT_TRUE(history.commit(from_old_to_new()));
  }
  ASSERT_TRUE(disk.remove(kRoot + "/applied"));
  lay_out(disk, {{"host/package.yaml", "package: host\n# mine\n"}, {"web/package.yaml", kOld.at("web/package.yaml")}});
  History history(disk, kRoot, kFiles);
  ASSERT_TRUE(history.recover());
  EXPECT_EQ(history.left_alone(), std::vector<std::string>{"host/package.yaml"});
  EXPECT_EQ(files_of(disk).at("host/package.yaml"), "package: host\n# mine\n");
  EXPECT_EQ(files_of(disk).at("web/package.yaml"), kNew.at("web/package.yaml"));
}

TEST(PackageHistory, AnAppliedCommitIsNotDoneAgainWhereAPersonPutTheFileBack) {
  io::MemoryFileSystem disk;
  lay_out(disk, kOld);
  {
    History history(disk, kRoot, kFiles);
    ASSERT_TRUE(history.commit(from_old_to_new()));
  }
  lay_out(disk, {{"web/package.yaml", kOld.at("web/package.yaml")}});
  History history(disk, kRoot, kFiles);
  ASSERT_TRUE(history.recover());
  EXPECT_EQ(files_of(disk).at("web/package.yaml"), kOld.at("web/package.yaml"));
}

TEST(PackageHistory, DamageToACommitIsTheDamageOfThatOneOnly) {
  const auto path = kRoot + "/commits/000000000002.commit";
  for (std::uint64_t offset = 0; offset < 200; ++offset) {
    io::MemoryFileSystem disk;
    lay_out(disk, kOld);
    {
      History history(disk, kRoot, kFiles);
      for (const auto* text : {"1", "2", "3"}) {
        const auto now = files_of(disk).at("old/a/x.py");
        ASSERT_TRUE(history.commit(change({{"old/a/x.py", now, text}}, text)));
      }
    }
    if (!disk.flip_bits(path, offset, 0x10)) {
      EXPECT_GT(offset, 100u);
      return;
    }
    History history(disk, kRoot, kFiles);
    EXPECT_TRUE(history.recover());
    EXPECT_EQ(history.read(2).error().code, ErrorCode::kCorruption) << offset;
    EXPECT_EQ(history.read(1).value().reason, "1");
    EXPECT_EQ(history.read(3).value().reason, "3");
    EXPECT_EQ(history.list("", 0, 10).value().size(), 3u);
    EXPECT_EQ(history.commit(change({{"old/a/x.py", "3", "4"}})).value(), 4u);
  }
}

TEST(PackageHistory, ACommitOfANewerVersionIsUnprocessable) {
  io::MemoryFileSystem disk;
  lay_out(disk, kOld);
  History history(disk, kRoot, kFiles);
  ASSERT_TRUE(history.commit(change({{"old/a/x.py", "x", "y"}})));
  const auto path = kRoot + "/commits/000000000001.commit";
  auto bytes = io::read_file(disk, path).value();
  bytes[7] = 2;
  std::string checksum;
  ByteWriter(checksum).u32(io::crc32c(std::string_view(bytes).substr(0, 24)));
  bytes.replace(24, 4, checksum);
  ASSERT_TRUE(io::write_file_atomically(disk, path, bytes));
  EXPECT_EQ(history.read(1).error().code, ErrorCode::kUnprocessable);
}

TEST(PackageHistory, AnUnfinishedCommitThatIsDamagedIsToldAndHoldsNothingUp) {
  io::MemoryFileSystem disk;
  lay_out(disk, kOld);
  {
    History history(disk, kRoot, kFiles);
    ASSERT_TRUE(history.commit(change({{"old/a/x.py", "x", "y"}})));
  }
  ASSERT_TRUE(disk.remove(kRoot + "/applied"));
  ASSERT_TRUE(disk.flip_bits(kRoot + "/commits/000000000001.commit", 40, 1));
  History history(disk, kRoot, kFiles);
  EXPECT_EQ(history.recover().error().code, ErrorCode::kCorruption);
  EXPECT_EQ(history.commit(change({{"old/a/x.py", "y", "z"}})).value(), 2u);
}

}  // namespace
}  // namespace atalaya::packages
