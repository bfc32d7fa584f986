#include "app/ballast.h"

#include <gtest/gtest.h>

#include "io/memory_file_system.h"

namespace atalaya::app {
namespace {

constexpr std::uint64_t kBytes = 1 << 20;

TEST(Ballast, IsMadeWhereThereIsRoomAndGivenUpWhenThereIsNone) {
  testing::internal::CaptureStderr();
  io::MemoryFileSystem disk;
  ASSERT_TRUE(disk.create_directories("data"));
  Ballast ballast(disk, "data", kBytes);
  EXPECT_FALSE(ballast.give_up_if_full()) << "there is none";
  disk.set_capacity(2 * kBytes - 1);
  ASSERT_TRUE(ballast.keep());
  EXPECT_FALSE(disk.exists("data/ballast"));
  disk.set_capacity(2 * kBytes);
  ASSERT_TRUE(ballast.keep());
  ASSERT_TRUE(disk.exists("data/ballast"));
  EXPECT_EQ(io::read_file(disk, "data/ballast")->size(), kBytes);
  disk.set_capacity(kBytes + kBytes / 2);
  EXPECT_FALSE(ballast.give_up_if_full());
  disk.set_capacity(kBytes);
  EXPECT_TRUE(ballast.give_up_if_full());
  EXPECT_FALSE(disk.exists("data/ballast"));
  EXPECT_NE(testing::internal::GetCapturedStderr().find("the ballast is given up"), std::string::npos);
}

TEST(Ballast, OfNoBytesIsNoneAndTakesAwayWhatThereWas) {
  io::MemoryFileSystem disk;
  ASSERT_TRUE(disk.create_directories("data"));
  Ballast ballast(disk, "data", 0);
  ASSERT_TRUE(ballast.keep());
  EXPECT_FALSE(disk.exists("data/ballast"));
  ASSERT_TRUE(Ballast(disk, "data", kBytes).keep());
  ASSERT_TRUE(ballast.keep());
  EXPECT_FALSE(disk.exists("data/ballast"));
  ASSERT_TRUE(Ballast(disk, "data", kBytes).keep());
  testing::internal::CaptureStderr();
  EXPECT_TRUE(ballast.give_up_if_full()) << "a start on a full disk";
  testing::internal::GetCapturedStderr();
}

}  // namespace
}  // namespace atalaya::app
