#include "net/lookup.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <unistd.h>

#include <array>

namespace atalaya::net {
namespace {

Result<std::vector<SocketAddress>> look_up(const std::string& host) {
  EventLoop loop;
  Result<std::vector<SocketAddress>> out;
  const AddressLookup lookup(loop, host, [&](Result<std::vector<SocketAddress>> found) {
    out = std::move(found);
    loop.stop();
  });
  loop.run();
  return out;
}

TEST(AddressLookup, AnAddressIsItself) {
  const auto v4 = look_up("127.0.0.1");
  ASSERT_TRUE(v4);
  ASSERT_EQ(v4->size(), 1u);
  EXPECT_EQ(v4->front().family(), AF_INET);
  EXPECT_EQ(reinterpret_cast<const sockaddr_in*>(v4->front().get())->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
  const auto v6 = look_up("::1");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->front().family(), AF_INET6);
  EXPECT_EQ(v6->front().size, sizeof(sockaddr_in6));
}

TEST(AddressLookup, ANameThatIsNoNameIsSaid) {
  const auto none = look_up("no name at all");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(none.error().message.find("no name at all"), std::string::npos);
}

TEST(AddressLookup, DestroyedItSaysNothing) {
  EventLoop loop;
  bool called = false;
  {
    const AddressLookup lookup(loop, "127.0.0.1", [&](const auto&) { called = true; });
  }
  const AddressLookup second(loop, "127.0.0.1", [&](const auto&) { loop.stop(); });
  loop.run();
  EXPECT_FALSE(called);
}

TEST(ReadWatch, SaysWhenThereIsSomethingAndLeavesTheDescriptorOpen) {
  EventLoop loop;
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), 0);
  std::string got;
  {
    const ReadWatch watch(loop, ends[0], [&] {
      char c = 0;
      while (::read(ends[0], &c, 1) == 1) got += c;
      if (got.size() == 2) return loop.stop();
      EXPECT_EQ(::write(ends[1], "b", 1), 1);
    });
    EXPECT_EQ(::write(ends[1], "a", 1), 1);
    loop.run();
  }
  EXPECT_EQ(got, "ab");
  EXPECT_EQ(::close(ends[0]), 0);
  EXPECT_EQ(::close(ends[1]), 0);
}

TEST(ReadWatch, MayBeDestroyedByItsOwnCall) {
  EventLoop loop;
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_NONBLOCK | O_CLOEXEC), 0);
  int calls = 0;
  std::unique_ptr<ReadWatch> watch;
  watch = std::make_unique<ReadWatch>(loop, ends[0], [&] {
    ++calls;
    watch.reset();
    loop.stop();
  });
  EXPECT_EQ(::write(ends[1], "a", 1), 1);
  loop.run();
  EXPECT_EQ(calls, 1);
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace atalaya::net
