#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/result.h"
#include "base/time.h"

namespace atalaya {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return fail(ErrorCode::kInvalidArgument, "odd");
  return n / 2;
}

Result<int> quarter(int n) {
  AT_TRY(auto h, half(n));
  AT_TRY(half(h));
  return h / 2;
}

TEST(Result, TryCarriesTheFirstErrorOutwards) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).error().message, "odd");
}

TEST(Error, TextNamesPlaceMessageAndRemedy) {
  const Error error{ErrorCode::kInvalidArgument, "unknown key 'fro'", Place{"a.yaml", 3, 5}, "did you mean 'for'?"};
  EXPECT_EQ(to_string(error), "a.yaml:3:5: unknown key 'fro' (did you mean 'for'?)");
  EXPECT_EQ(http_status(ErrorCode::kTooLarge), 413);
}

TEST(Time, Rfc3339RoundTripsAndAcceptsOffsets) {
  const auto time = parse_time("2026-11-22T02:30:10.123Z").value();
  EXPECT_EQ(format_rfc3339(time), "2026-11-22T02:30:10.123Z");
  EXPECT_EQ(parse_time("2026-11-22T04:30:10.123+02:00").value(), time);
  EXPECT_EQ(parse_time("1.5").value(), from_ms(1500));
  for (const auto* bad :
       {"", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "yesterday", "1e400", "2026-01-01T00:00:00"}) {
    EXPECT_FALSE(parse_time(bad)) << bad;
  }
}

TEST(Time, TheEndsOfTimeCanBeWritten) {
  EXPECT_EQ(format_rfc3339(kMinTime), "0000-01-01T00:00:00.000Z");
  EXPECT_EQ(format_rfc3339(kMaxTime), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(format_rfc3339(from_ms(-1)), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(parse_time("9999-12-31T23:59:59.999Z").value(), parse_time(format_rfc3339(kMaxTime)).value());
}

TEST(Time, LeapDaysAreDays) {
  EXPECT_TRUE(parse_time("2024-02-29T00:00:00Z"));
  EXPECT_FALSE(parse_time("2100-02-29T00:00:00Z"));
  EXPECT_EQ(parse_time("1969-12-31T19:00:00-05:00").value(), from_ms(0));
}

TEST(Time, AManualClockMovesOnlyWhenTold) {
  ManualClock clock(from_ms(1000));
  const auto start = clock.steady();
  clock.advance(Duration{250});
  EXPECT_EQ(clock.now(), from_ms(1250));
  EXPECT_EQ(clock.steady() - start, Duration{250});
  clock.jump_to(from_ms(0));
  EXPECT_EQ(clock.now(), from_ms(0));
  EXPECT_EQ(clock.steady() - start, Duration{250});
}

TEST(Time, DurationsFollowPrometheusNotation) {
  EXPECT_EQ(parse_duration("1h30m").value(), Duration{5400000});
  EXPECT_EQ(parse_duration("250ms").value(), Duration{250});
  EXPECT_EQ(format_duration(Duration{5400000}), "1h30m");
  EXPECT_EQ(format_duration(Duration{14 * 86400000LL}), "2w");
  for (const auto* bad : {"", "5", "m", "30m1h", "1h1h", "-5m", "99999999999y", "1 h"}) {
    EXPECT_FALSE(parse_duration(bad)) << bad;
  }
}

TEST(Bytes, VarintsRoundTripAndTruncationIsNoticed) {
  std::string out;
  ByteWriter writer(out);
  writer.varint(UINT64_MAX);
  writer.svarint(INT64_MIN);
  writer.text("abc");
  writer.f64(1.5);
  ByteReader reader(out);
  EXPECT_EQ(reader.varint(), UINT64_MAX);
  EXPECT_EQ(reader.svarint(), INT64_MIN);
  EXPECT_EQ(reader.text(), "abc");
  EXPECT_EQ(reader.f64(), 1.5);
  EXPECT_TRUE(reader.ok() && reader.at_end());
  for (std::size_t cut = 0; cut < out.size(); ++cut) {
    ByteReader torn(std::string_view(out).substr(0, cut));
    torn.varint();
    torn.svarint();
    torn.text();
    torn.f64();
    EXPECT_FALSE(torn.ok()) << cut;
  }
}

TEST(Bytes, AVarintOfMoreThan64BitsIsRefused) {
  ByteReader longest(std::string_view("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
  EXPECT_EQ(longest.varint(), UINT64_MAX);
  for (const auto* bad : {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"}) {
    ByteReader reader{std::string_view(bad)};
    EXPECT_EQ(reader.varint(), 0u);
    EXPECT_FALSE(reader.ok());
  }
}

TEST(Bytes, AfterAFailureEveryReadIsEmpty) {
  ByteReader reader("ab");
  EXPECT_EQ(reader.u64(), 0u);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.raw(1), "");
  EXPECT_EQ(reader.u8(), 0);
}

TEST(Bytes, HexRoundTripsAndRefusesTheRest) {
  EXPECT_EQ(to_hex("\x01\xab"), "01ab");
  EXPECT_EQ(to_hex(std::uint64_t{0x1f}), "000000000000001f");
  EXPECT_EQ(from_hex("01AB").value(), "\x01\xab");
  EXPECT_FALSE(from_hex("0"));
  EXPECT_FALSE(from_hex("0g"));
}

TEST(Bytes, PaddedBase64NeedsItsPadding) {
  EXPECT_EQ(base64_decode("YWI=").value(), "ab");
  EXPECT_EQ(base64_decode("").value(), "");
  for (const auto* bad : {"YWI", "YW==I", "====", "A===", "YWJ="}) EXPECT_FALSE(base64_decode(bad)) << bad;
}

TEST(Bytes, Base64IsStrict) {
  EXPECT_EQ(base64_encode("ab"), "YWI=");
  EXPECT_EQ(base64url_encode("\xff\xfe"), "__4");
  EXPECT_EQ(base64url_decode("__4").value(), "\xff\xfe");
  EXPECT_FALSE(base64url_decode("__5"));   // spare bits set
  EXPECT_FALSE(base64url_decode("__4="));  // padding
  EXPECT_FALSE(base64url_decode("a"));
}

TEST(Bytes, Utf8RefusesOverlongAndSurrogates) {
  EXPECT_TRUE(is_utf8("año €"));
  EXPECT_FALSE(is_utf8("\xc0\x80"));
  EXPECT_FALSE(is_utf8("\xed\xa0\x80"));
  EXPECT_FALSE(is_utf8("\xe2\x82"));
}

TEST(Ids, TenantNamesAreBounded) {
  EXPECT_TRUE(is_valid(TenantId{"team-7"}));
  for (const auto& bad : {std::string{}, std::string("A"), std::string("../x"), std::string(65, 'a')}) {
    EXPECT_FALSE(is_valid(TenantId{bad})) << bad;
  }
}

TEST(Random, UuidsHaveTheirForm) {
  const auto uuid = random_uuid();
  EXPECT_EQ(uuid.size(), 36u);
  EXPECT_EQ(uuid[14], '4');
  EXPECT_NE(uuid, random_uuid());
}

}  // namespace
}  // namespace atalaya
