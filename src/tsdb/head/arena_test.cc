#include "tsdb/head/arena.h"

#include <gtest/gtest.h>

#include <latch>
#include <thread>
#include <utility>
#include <vector>

namespace atalaya::tsdb {
namespace {

TEST(Arena, LinesStayWhereTheyAreAndAreApart) {
  Arena arena;
  EXPECT_TRUE(arena.empty());
  std::vector<Line*> lines;
  for (std::uint32_t i = 1; i <= 5000; ++i) {
    ASSERT_EQ(arena.allocate(), i);
    lines.push_back(&arena.line(i));
    EXPECT_EQ(lines.back()->words[0], 0U);
    lines.back()->words[0] = i;
  }
  for (std::uint32_t i = 1; i <= 5000; ++i) {
    EXPECT_EQ(&arena.line(i), lines[i - 1]);
    EXPECT_EQ(arena.line(i).words[0], i);
  }
  EXPECT_GE(arena.bytes(), 5000 * sizeof(Line));
}

/// The sanitizers see whether what leads to a line is moved away under its reader.
TEST(Arena, LinesAreReadWhileOthersAreAllocated) {
  Arena arena;
  for (int i = 0; i < 300; ++i) arena.line(arena.allocate()).words[1] = 7;
  std::latch both(2);
  std::jthread writer([&] {
    both.arrive_and_wait();
    for (int i = 0; i < 100'000; ++i) arena.allocate();
  });
  both.arrive_and_wait();
  std::uint64_t sum = 0;
  for (int round = 0; round < 300; ++round) {
    for (std::uint32_t handle = 1; handle <= 300; ++handle) sum += std::as_const(arena).line(handle).words[1];
  }
  EXPECT_EQ(sum, 300U * 300U * 7U);
}

}  // namespace
}  // namespace atalaya::tsdb
