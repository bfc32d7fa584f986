#include "sense/publish/destinations.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>

#include <algorithm>

namespace atalaya::sense::publish {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

net::SocketAddress address(const std::string& text) {
  net::SocketAddress out;
  if (text.find(':') == std::string::npos) {
    auto* four = reinterpret_cast<sockaddr_in*>(&out.storage);
    four->sin_family = AF_INET;
    if (inet_pton(AF_INET, text.c_str(), &four->sin_addr) != 1) throw std::runtime_error(text);
    out.size = sizeof *four;
  } else {
    auto* six = reinterpret_cast<sockaddr_in6*>(&out.storage);
    six->sin6_family = AF_INET6;
    if (inet_pton(AF_INET6, text.c_str(), &six->sin6_addr) != 1) throw std::runtime_error(text);
    out.size = sizeof *six;
  }
  return out;
}

/// "" when it may be reached, else the error.
std::string refusal(const DestinationOptions& options, const std::string& target) {
  const auto status = Destinations::make(options)->check(address(target));
  return status ? "" : to_string(status.error());
}

TEST(Destinations, AServerOnLoopbackReachesLoopbackAlone) {
  const DestinationOptions options{.loopback_only = true, .allow = {}};
  EXPECT_EQ(refusal(options, "127.0.0.1"), "");
  EXPECT_EQ(refusal(options, "127.8.9.10"), "");
  EXPECT_EQ(refusal(options, "::1"), "");
  EXPECT_EQ(refusal(options, "::ffff:127.0.0.1"), "");
  EXPECT_THAT(refusal(options, "192.0.2.1"), HasSubstr("192.0.2.1 is not allowed: this server reaches loopback alone"));
  EXPECT_THAT(refusal(options, "2001:db8::1"), HasSubstr("--publish-allow"));
}

TEST(Destinations, ListedNetworksAreReached) {
  const DestinationOptions options{.loopback_only = true, .allow = {"192.0.2.0/24", "2001:db8::/32"}};
  EXPECT_EQ(refusal(options, "192.0.2.255"), "");
  EXPECT_EQ(refusal(options, "::ffff:192.0.2.7"), "");
  EXPECT_EQ(refusal(options, "2001:db8:1::1"), "");
  EXPECT_NE(refusal(options, "192.0.3.0"), "");
  EXPECT_NE(refusal(options, "2001:db9::1"), "");
}

TEST(Destinations, AServerForAllReachesNothingThatIsNotListed) {
  const DestinationOptions options{.loopback_only = false, .allow = {"0.0.0.0/0"}};
  EXPECT_EQ(refusal(options, "192.0.2.1"), "");
  EXPECT_NE(refusal(options, "2001:db8::1"), "");
  EXPECT_NE(refusal({.loopback_only = false, .allow = {}}, "192.0.2.1"), "");
  EXPECT_NE(refusal({.loopback_only = false, .allow = {}}, "127.0.0.1"), "");
}

TEST(Destinations, OwnNetworksWantToBeNamed) {
  DestinationOptions options{.loopback_only = false, .allow = {"0.0.0.0/0"}, .own = {"10.1.2.0/24"}};
  EXPECT_THAT(refusal(options, "10.1.2.3"), HasSubstr("network of this server's own"));
  EXPECT_EQ(refusal(options, "10.1.3.3"), "");
  options.allow.push_back("10.1.0.0/16");
  EXPECT_NE(refusal(options, "10.1.2.3"), "");
  options.allow.push_back("10.1.2.0/25");
  EXPECT_EQ(refusal(options, "10.1.2.3"), "");
  EXPECT_NE(refusal(options, "10.1.2.200"), "");
}

TEST(Destinations, SpecialAddressesAreGuardedByAWideList) {
  DestinationOptions options{.loopback_only = false, .allow = {"0.0.0.0/0", "::/0"}};
  for (const auto* target : {"127.0.0.1", "::1", "169.254.169.254", "fe80::1", "224.0.0.1", "ff02::1",
                             "255.255.255.255", "0.0.0.0", "::", "::ffff:169.254.169.254"}) {
    EXPECT_NE(refusal(options, target), "") << target;
  }
  options.allow.push_back("224.0.0.0/4");
  EXPECT_EQ(refusal(options, "224.0.0.1"), "");
  options.allow.push_back("0.0.0.0");
  EXPECT_NE(refusal(options, "0.0.0.0"), "") << "it would be the machine itself";
}

TEST(Destinations, RefusesWhatIsNoNetwork) {
  for (const auto* text : {"", "/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.1/8",
                           "2001:db8::/129", "2001:db8::1/32", "example.org", "10.0.0.0/8/8"}) {
    const auto made = Destinations::make({.allow = {text}});
    ASSERT_FALSE(made) << text;
    EXPECT_EQ(made.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(Destinations, OwnNetworksHoldLoopback) {
  const auto own = own_networks();
  EXPECT_THAT(own, Contains("127.0.0.0/8"));
  EXPECT_TRUE(Destinations::make({.own = own}));
}

}  // namespace
}  // namespace atalaya::sense::publish
