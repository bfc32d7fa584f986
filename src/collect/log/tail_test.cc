#include "collect/log/tail.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "collect/log/level.h"

namespace atalaya::collect::log {
namespace {

class TailTest : public testing::Test {
 protected:
  TailTest() {
    std::string pattern = testing::TempDir() + "/tail_XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    options_.id = "p/files/app";
    options_.instance = "web1";
    options_.paths = {path("app.log")};
    options_.missed = [this](std::size_t files) { missed_ += files; };
  }
  ~TailTest() override { std::filesystem::remove_all(directory_); }

  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  void append(const std::string& name, const std::string& text) {
    std::ofstream(path(name), std::ios::app | std::ios::binary) << text;
  }
  void move(const std::string& from, const std::string& to) { std::filesystem::rename(path(from), path(to)); }

  /// A new process: only what the spool kept is known.
  void restart() { tail_ = std::make_unique<Tail>(options_, labels_, marks_); }

  /// One cycle; what is stored moves the marks, as the spool does.
  std::vector<std::string> read(bool stored = true) {
    if (!tail_) restart();
    now_ += options_.period;
    Batch batch;
    last_status_ = tail_->collect(now_, batch);
    std::vector<std::string> lines;
    levels_.clear();
    for (const auto& entry : batch.logs()) {
      lines.emplace_back(batch.line(entry));
      const auto& labels = labels_.at(entry.stream);
      levels_.emplace_back(labels.get("level"));
      EXPECT_EQ(labels.get("instance"), "web1");
      EXPECT_EQ(labels.get("job"), "log");
    }
    if (stored)
      for (const auto& mark : batch.marks()) {
        if (mark.value.empty())
          marks_.erase(mark.key);
        else
          marks_[mark.key] = mark.value;
      }
    if (!batch.empty()) tail_->settled(stored);
    labels_.sweep();
    return lines;
  }
  void pass(Duration time) { now_ += time; }

  using Lines = std::vector<std::string>;

  std::string directory_;
  TailOptions options_;
  LabelsTable labels_;
  Marks marks_;
  Time now_ = from_ms(1'700'000'000'000);
  std::unique_ptr<Tail> tail_;
  Status last_status_;
  std::size_t missed_ = 0;
  std::vector<std::string> levels_;
};

TEST_F(TailTest, AFileThatIsThereAtFirstIsReadFromItsEnd) {
  append("app.log", "old\n");
  EXPECT_EQ(read(), Lines{});
  append("app.log", "new\n");
  EXPECT_EQ(read(), Lines{"new"});
  EXPECT_EQ(read(), Lines{});
}

TEST_F(TailTest, FromStartWhenAsked) {
  options_.from_start = true;
  append("app.log", "one\ntwo\n");
  EXPECT_EQ(read(), (Lines{"one", "two"}));
}

TEST_F(TailTest, AFileThatComesLaterIsReadFromItsBeginning) {
  EXPECT_EQ(read(), Lines{});
  EXPECT_FALSE(last_status_) << "says that nothing matches";
  append("app.log", "one\n");
  EXPECT_EQ(read(), Lines{"one"});
  EXPECT_TRUE(last_status_);
}

TEST_F(TailTest, AfterARestartItGoesOnWhereTheSpoolSays) {
  append("app.log", "");
  read();
  append("app.log", "one\ntwo\n");
  EXPECT_EQ(read(), (Lines{"one", "two"}));
  append("app.log", "three\n");
  restart();
  EXPECT_EQ(read(), Lines{"three"});
}

TEST_F(TailTest, LinesThatTheSpoolDidNotTakeComeAgain) {
  append("app.log", "");
  read();
  append("app.log", "one\n");
  EXPECT_EQ(read(false), Lines{"one"});
  EXPECT_EQ(read(), Lines{"one"});
  EXPECT_EQ(read(), Lines{});
}

TEST_F(TailTest, APartialLineIsHeldUntilItIsComplete) {
  append("app.log", "");
  read();
  append("app.log", "begin");
  EXPECT_EQ(read(), Lines{});
  append("app.log", " end\nnext");
  EXPECT_EQ(read(), Lines{"begin end"});
}

TEST_F(TailTest, APartialLineThatStaysIsTakenAfterTheTimeout) {
  append("app.log", "");
  read();
  append("app.log", "no end");
  EXPECT_EQ(read(), Lines{});
  pass(options_.partial_timeout);
  EXPECT_EQ(read(), Lines{"no end"});
  append("app.log", " after all\n");
  EXPECT_EQ(read(), Lines{" after all"});
}

TEST_F(TailTest, ARenamedFileIsDrainedAndTheNewOneFollowed) {
  append("app.log", "");
  read();
  append("app.log", "one\n");
  move("app.log", "app.log.1");
  append("app.log.1", "two\n");
  append("app.log", "three\n");
  auto lines = read();
  std::ranges::sort(lines);
  EXPECT_EQ(lines, (Lines{"one", "three", "two"}));
  append("app.log.1", "late\n");
  append("app.log", "four\n");
  lines = read();
  std::ranges::sort(lines);
  EXPECT_EQ(lines, (Lines{"four", "late"}));
}

TEST_F(TailTest, ADrainedFileIsForgottenAndItsMarkToo) {
  append("app.log", "");
  read();
  move("app.log", "app.log.1");
  append("app.log", "");
  read();
  EXPECT_EQ(marks_.size(), 3u);
  pass(options_.drain);
  read();
  EXPECT_EQ(marks_.size(), 2u);
}

TEST_F(TailTest, RotationWhileNobodyLookedLosesNothing) {
  append("app.log", "");
  read();
  append("app.log", "one\n");
  EXPECT_EQ(read(), Lines{"one"});
  tail_.reset();
  append("app.log", "two\n");
  move("app.log", "app.log.1");
  append("app.log", "three\n");
  restart();
  auto lines = read();
  std::ranges::sort(lines);
  EXPECT_EQ(lines, (Lines{"three", "two"}));
}

TEST_F(TailTest, ARotatedFileThatMatchesThePatternIsNotReadAgain) {
  options_.paths = {path("app.log*")};
  options_.from_start = true;
  append("app.log", "one\n");
  EXPECT_EQ(read(), Lines{"one"});
  move("app.log", "app.log.1");
  append("app.log", "two\n");
  pass(options_.rescan);
  EXPECT_EQ(read(), Lines{"two"});
  pass(options_.drain);
  EXPECT_EQ(read(), Lines{});
  restart();
  EXPECT_EQ(read(), Lines{});
}

TEST_F(TailTest, CompressedFilesAreNotText) {
  options_.paths = {path("app.log*")};
  options_.from_start = true;
  append("app.log.2.gz", "not text\n");
  append("app.log", "one\n");
  EXPECT_EQ(read(), Lines{"one"});
}

TEST_F(TailTest, CopyTruncateStartsFromTheBeginning) {
  append("app.log", "");
  read();
  append("app.log", "one\ntwo\nthree\n");
  EXPECT_EQ(read().size(), 3u);
  std::filesystem::resize_file(path("app.log"), 0);
  EXPECT_EQ(read(), Lines{});
  append("app.log", "four\n");
  EXPECT_EQ(read(), Lines{"four"});
}

TEST_F(TailTest, ATruncatedFileThatGrewPastTheOldOffsetIsKnownByItsFirstBytes) {
  append("app.log", "");
  read();
  append("app.log", "one\n");
  EXPECT_EQ(read(), Lines{"one"});
  std::filesystem::resize_file(path("app.log"), 0);
  append("app.log", "other first line\nand more\n");
  EXPECT_EQ(read(), (Lines{"other first line", "and more"}));
}

TEST_F(TailTest, ATruncationBetweenTwoProcessesIsNoticed) {
  append("app.log", "");
  read();
  append("app.log", "a long line of the old content\n");
  read();
  tail_.reset();
  std::filesystem::resize_file(path("app.log"), 0);
  append("app.log", "new\n");
  restart();
  EXPECT_EQ(read(), Lines{"new"});
}

TEST_F(TailTest, ALongLineIsCutWithAMarkerAndItsRestLeftOut) {
  append("app.log", "");
  read();
  append("app.log", std::string(200'000, 'x') + "\nshort\n" + std::string(options_.max_line_bytes, 'y') + "\n");
  const auto lines = read();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0], std::string(options_.max_line_bytes, 'x') + " …(line cut)");
  EXPECT_EQ(lines[1], "short");
  EXPECT_EQ(lines[2], std::string(options_.max_line_bytes, 'y'));
}

TEST_F(TailTest, ALongLineIsSkippedAcrossARestart) {
  append("app.log", "");
  read();
  append("app.log", std::string(100'000, 'x'));
  EXPECT_EQ(read().size(), 1u);
  restart();
  append("app.log", "xxx\nnext\n");
  EXPECT_EQ(read(), Lines{"next"});
}

TEST_F(TailTest, BytesThatAreNotTextAreReplaced) {
  append("app.log", "");
  read();
  append("app.log",
         "a\xff"
         "b \xc3\xb1 \xe2\x82\r\n");
  EXPECT_EQ(read(), Lines{"a\xef\xbf\xbd"
                          "b \xc3\xb1 \xef\xbf\xbd\xef\xbf\xbd"});
}

TEST_F(TailTest, ACycleReadsNoMoreThanItsBound) {
  options_.max_cycle_bytes = 100'000;
  append("app.log", "");
  read();
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "line " + std::to_string(i) + "\n";
  append("app.log", text);
  Lines all;
  int cycles = 0;
  for (auto lines = read(); !lines.empty(); lines = read(), ++cycles) all.insert(all.end(), lines.begin(), lines.end());
  EXPECT_GT(cycles, 1);
  ASSERT_EQ(all.size(), 20'000u);
  EXPECT_EQ(all.back(), "line 19999");
}

TEST_F(TailTest, LevelsAreLabels) {
  append("app.log", "");
  read();
  append("app.log", "2016-04-23 10:11:12.123 4567 ERROR nova.compute.manager [req-1] boom\nplain\n");
  EXPECT_EQ(read().size(), 2u);
  EXPECT_EQ(levels_, (std::vector<std::string>{"error", ""}));
}

TEST_F(TailTest, AFileThatCameAndWentBetweenTwoLooksIsReadToo) {
  append("app.log.7", "long ago\n");
  append("app.log", "");
  read();
  append("app.log", "one\n");
  move("app.log", "app.log.1");
  append("app.log", "two\n");
  move("app.log.1", "app.log.2");
  move("app.log", "app.log.1");
  append("app.log", "three\n");
  auto lines = read();
  std::ranges::sort(lines);
  EXPECT_EQ(lines, (Lines{"one", "three", "two"}));
  EXPECT_EQ(read(), Lines{});
  EXPECT_EQ(missed_, 0u);
}

TEST_F(TailTest, AFileOfAPatternThatIsRotatedIsSeenAtOnce) {
  options_.paths = {path("*.log")};
  append("app.log", "");
  read();
  move("app.log", "app.log-20261122");
  append("app.log", "new\n");
  EXPECT_EQ(read(), Lines{"new"}) << "without waiting for the next look at the pattern";
}

TEST_F(TailTest, WhatRotatedTwiceWhileNobodyLookedIsReadFromItsBeginning) {
  append("app.log", "");
  read();
  append("app.log", "one\n");
  read();
  tail_.reset();
  append("app.log", "two\n");
  move("app.log", "app.log.2");
  append("app.log.1", "three\n");
  std::filesystem::last_write_time(path("app.log.1"),
                                   std::filesystem::last_write_time(path("app.log.2")) + std::chrono::seconds{1});
  append("app.log", "four\n");
  auto lines = read();
  std::ranges::sort(lines);
  EXPECT_EQ(lines, (Lines{"four", "three", "two"}));
}

TEST_F(TailTest, WhatWasCompressedBeforeItCouldBeReadIsCounted) {
  append("app.log", "");
  read();
  move("app.log", "app.log.1");
  append("app.log.2.gz", "packed");
  append("app.log", "new\n");
  EXPECT_EQ(read(), Lines{"new"});
  EXPECT_EQ(missed_, 1u);
}

TEST_F(TailTest, AFileThatIsGoneAfterARestartIsCounted) {
  append("app.log", "");
  read();
  tail_.reset();
  std::filesystem::remove(path("app.log"));
  read();
  EXPECT_EQ(missed_, 1u);
}

TEST_F(TailTest, TheCopyOfATruncatedFileIsNotReadAgain) {
  append("app.log", "");
  read();
  append("app.log", "one\n");
  EXPECT_EQ(read(), Lines{"one"});
  std::filesystem::copy(path("app.log"), path("app.log.1"));
  std::filesystem::resize_file(path("app.log"), 0);
  EXPECT_EQ(read(), Lines{});
  append("app.log", "two\n");
  EXPECT_EQ(read(), Lines{"two"});
  move("app.log", "app.log.2");
  append("app.log", "three\n");
  EXPECT_EQ(read(), Lines{"three"});
}

TEST_F(TailTest, FinishForgetsTheMarksAndReleasesTheLabels) {
  append("app.log", "");
  read();
  append("app.log", "one\n");
  read();
  Batch batch;
  tail_->finish(now_, batch);
  for (const auto& mark : batch.marks()) marks_.erase(mark.key);
  EXPECT_TRUE(marks_.empty());
  labels_.sweep();
  EXPECT_EQ(labels_.size(), 0u);
}

TEST(Level, AsTheLineSays) {
  EXPECT_EQ(recognise_level("2016-04-23 10:11:12.123 4567 ERROR nova.compute.manager [req-1] x"), "error");
  EXPECT_EQ(recognise_level("2016-04-23 10:11:12.123 4567 WARNING oslo_config.cfg [-] x"), "warning");
  EXPECT_EQ(recognise_level("2016-04-23 10:11:12.123 4567 INFO nova.osapi [-] 127.0.0.1 \"GET / ERROR\""), "info");
  EXPECT_EQ(recognise_level("2026/01/02 03:04:05 [error] 12#12: *1 open() failed"), "error");
  EXPECT_EQ(recognise_level("[Wed Oct 11 14:32:52 2000] [core:error] [pid 1] x"), "error");
  EXPECT_EQ(recognise_level("ts=2026-01-01T00:00:00Z level=warn msg=\"slow\""), "warning");
  EXPECT_EQ(recognise_level(R"({"time":"…","level":"debug","msg":"x"})"), "debug");
  EXPECT_EQ(recognise_level("error: no such file"), "error");
  EXPECT_EQ(recognise_level("FATAL:  password authentication failed"), "critical");
  EXPECT_EQ(recognise_level("CRITICAL all is lost"), "critical");
}

TEST(Level, WordsInSentencesAreNoLevels) {
  EXPECT_EQ(recognise_level("the last error was harmless"), "");
  EXPECT_EQ(recognise_level("GET /error/info HTTP/1.1"), "");
  EXPECT_EQ(recognise_level("error_log=/var/log/x"), "");
  EXPECT_EQ(recognise_level(""), "");
}

}  // namespace
}  // namespace atalaya::collect::log
