#include "collect/ping/packet.h"

#include <gtest/gtest.h>

namespace atalaya::collect::ping {
namespace {

constexpr Echo kEcho{0x1234, 0x0102030405060708};

/// What the other side makes of a request: another type, and for IPv4 its checksum.
std::string reply_to(Family family, std::string packet) {
  packet[0] = static_cast<char>(family == Family::kV4 ? 0 : 129);
  packet[2] = packet[3] = 0;
  if (family == Family::kV4) {
    const auto sum = checksum(packet);
    packet[2] = static_cast<char>(sum >> 8);
    packet[3] = static_cast<char>(sum);
  }
  return packet;
}

std::string ip_header(std::size_t words) {
  std::string header(words * 4, '\0');
  header[0] = static_cast<char>(0x40 | words);
  return header;
}

TEST(PingPacket, ARequestIsLaidOutAsRfc792SaysAndItsChecksumHolds) {
  const auto packet = encode_request(Family::kV4, kEcho);
  ASSERT_EQ(packet.size(), kPacketBytes);
  EXPECT_EQ(packet.substr(0, 2), std::string("\x08\x00", 2));
  EXPECT_EQ(packet.substr(4, 12), std::string("\x07\x08\x12\x34\x01\x02\x03\x04\x05\x06\x07\x08", 12));
  EXPECT_EQ(checksum(packet), 0);
  EXPECT_EQ(encode_request(Family::kV6, kEcho)[0], static_cast<char>(128));
}

TEST(PingPacket, TheChecksumIsThatOfRfc1071) {
  // The example of section 3: the sum is ddf2, its complement goes into the packet.
  EXPECT_EQ(checksum(std::string("\x00\x01\xf2\x03\xf4\xf5\xf6\xf7", 8)), 0x220d);
  EXPECT_EQ(checksum(""), 0xffff);
  EXPECT_EQ(checksum(std::string("\x01", 1)), 0xfeff);
}

TEST(PingPacket, AReplyGivesBackWhatWasSent) {
  for (const auto family : {Family::kV4, Family::kV6}) {
    const auto packet = reply_to(family, encode_request(family, kEcho));
    EXPECT_EQ(decode_reply(family, packet, false), kEcho);
  }
}

TEST(PingPacket, TheHeaderThatRawSocketsShowIsPassedOverWithItsOptions) {
  const auto packet = reply_to(Family::kV4, encode_request(Family::kV4, kEcho));
  EXPECT_EQ(decode_reply(Family::kV4, ip_header(5) + packet, true), kEcho);
  EXPECT_EQ(decode_reply(Family::kV4, ip_header(15) + packet, true), kEcho);
  EXPECT_EQ(decode_reply(Family::kV4, ip_header(4) + packet, true), std::nullopt);
  EXPECT_EQ(decode_reply(Family::kV4, packet, true), std::nullopt);
}

TEST(PingPacket, WhatIsNoReplyIsNone) {
  const auto good = reply_to(Family::kV4, encode_request(Family::kV4, kEcho));
  EXPECT_EQ(decode_reply(Family::kV4, encode_request(Family::kV4, kEcho), false), std::nullopt);
  EXPECT_EQ(decode_reply(Family::kV6, good, false), std::nullopt);
  auto damaged = good;
  damaged[20] = static_cast<char>(damaged[20] ^ 1);
  EXPECT_EQ(decode_reply(Family::kV4, damaged, false), std::nullopt);
  auto coded = good;
  coded[1] = 1;
  EXPECT_EQ(decode_reply(Family::kV4, coded, false), std::nullopt);
}

TEST(PingPacket, EveryCutOfAPacketIsRefusedOrWhole) {
  const auto whole = ip_header(6) + reply_to(Family::kV4, encode_request(Family::kV4, kEcho));
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(decode_reply(Family::kV4, std::string_view(whole).substr(0, size), true), std::nullopt) << size;
  // IPv6 has no checksum of ours: a cut behind the cookie is still an answer to it.
  const auto v6 = reply_to(Family::kV6, encode_request(Family::kV6, kEcho));
  for (std::size_t size = 0; size < v6.size(); ++size)
    EXPECT_EQ(decode_reply(Family::kV6, std::string_view(v6).substr(0, size), false).has_value(), size >= 16) << size;
}

}  // namespace
}  // namespace atalaya::collect::ping
