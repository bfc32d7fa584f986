#include "io/compress.h"

#include <gtest/gtest.h>

#include "io/checksum.h"
#include "io/xxh64.h"

namespace atalaya::io {
namespace {

std::string sample() {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "node_cpu_seconds_total{cpu=\"" + std::to_string(i % 7) + "\"}\n";
  return text;
}

TEST(Zstd, RoundTripsAndIsReusable) {
  ZstdCompressor compressor(3, 17);
  ZstdDecompressor decompressor;
  for (const auto& text : {std::string(), std::string("a"), sample()}) {
    EXPECT_EQ(decompressor.decompress(compressor.compress(text), text.size()).value(), text);
  }
}

TEST(Zstd, SeveralFramesAreOneText) {
  ZstdCompressor compressor;
  std::string both;
  compressor.compress("one ", both);
  compressor.compress("two", both);
  EXPECT_EQ(ZstdDecompressor().decompress(both, 100).value(), "one two");
}

TEST(Zstd, ABombIsTooLarge) {
  const auto bomb = ZstdCompressor().compress(std::string(50 << 20, '\0'));
  EXPECT_LT(bomb.size(), 10000u);
  EXPECT_EQ(ZstdDecompressor().decompress(bomb, 1 << 20).error().code, ErrorCode::kTooLarge);
  const auto text = sample();
  EXPECT_EQ(ZstdDecompressor().decompress(ZstdCompressor().compress(text), text.size() - 1).error().code,
            ErrorCode::kTooLarge);
}

TEST(Zstd, EveryCutAndEveryFlippedByteIsNoticed) {
  const auto text = sample();
  const auto good = ZstdCompressor().compress(text);
  ZstdDecompressor decompressor;
  for (std::size_t i = 0; i < good.size(); ++i) {
    EXPECT_FALSE(decompressor.decompress(good.substr(0, i), 1 << 20)) << i;
    auto bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x55);
    const auto read = decompressor.decompress(bad, 1 << 20);
    // A bit of the header that changes nothing of the text may pass; a changed text may not.
    EXPECT_TRUE(!read || *read == text) << i;
  }
  EXPECT_EQ(decompressor.decompress(good + "tail", 1 << 20).error().code, ErrorCode::kCorruption);
  EXPECT_EQ(decompressor.decompress(good, 1 << 20).value(), text);
}

TEST(Snappy, RoundTripsWithinItsLimit) {
  const auto text = sample();
  const auto packed = snappy_compress(text);
  EXPECT_EQ(snappy_decompress(packed, text.size()).value(), text);
  EXPECT_EQ(snappy_decompress(packed, text.size() - 1).error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(snappy_decompress(snappy_compress(""), 0).value(), "");
}

TEST(Snappy, UnpacksIntoABufferThatIsKept) {
  std::string buffer;
  const std::string longer(1000, 'x');
  EXPECT_EQ(snappy_decompress(snappy_compress(longer), 1000, buffer).value(), longer);
  const auto* const place = buffer.data();
  const auto view = snappy_decompress(snappy_compress("short"), 1000, buffer).value();
  EXPECT_EQ(view, "short");
  EXPECT_EQ(view.data(), place);
  EXPECT_EQ(snappy_decompress(snappy_compress(longer), 999, buffer).error().code, ErrorCode::kTooLarge);
}

TEST(Snappy, AStatedLengthThatCannotBeIsRefusedBeforeMemoryIsTaken) {
  const std::string lie("\xff\xff\xff\x7f\x00x", 6);
  EXPECT_EQ(snappy_decompress(lie, std::size_t{1} << 40).error().code, ErrorCode::kCorruption);
  EXPECT_EQ(snappy_decompress("", 10).error().code, ErrorCode::kCorruption);
  const auto packed = snappy_compress(sample());
  EXPECT_EQ(snappy_decompress(packed.substr(0, packed.size() / 2), 1 << 20).error().code, ErrorCode::kCorruption);
}

TEST(Checksum, Crc32cMatchesThePublishedVectors) {
  // RFC 3720, B.4.
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(""), 0u);
}

TEST(Checksum, Crc32cIsTheSameWithAndWithoutTheInstructionAndInPieces) {
  const auto text = sample().substr(0, 1000);
  for (std::size_t cut = 0; cut <= text.size(); cut += 13) {
    const auto head = std::string_view(text).substr(0, cut);
    const auto tail = std::string_view(text).substr(cut);
    EXPECT_EQ(crc32c(head), crc32c_portable(head));
    EXPECT_EQ(crc32c(tail, crc32c(head)), crc32c_portable(text));
  }
}

TEST(Checksum, Xxh3MatchesItsReference) { EXPECT_EQ(xxh3(""), 0x2d06800538d394c2u); }

TEST(Checksum, Xxh64MatchesItsReference) {
  EXPECT_EQ(xxh64(""), 0xef46db3751d8e999u);
  EXPECT_EQ(xxh64("abc"), 0x44bc2cf5ad770999u);
}

TEST(KeyedHash, EqualBytesMeetAndOthersDoNot) {
  const std::string text = sample();
  EXPECT_EQ(keyed_hash(text), keyed_hash(std::string(text)));
  EXPECT_NE(keyed_hash(text).low, xxh3(text)) << "not the hash that everybody can compute";
  std::string other = text;
  for (const std::size_t size : {std::size_t{1}, std::size_t{16}, std::size_t{200}, text.size()}) {
    other[size - 1] ^= 1;
    EXPECT_NE(keyed_hash(std::string_view(text).substr(0, size)), keyed_hash(std::string_view(other).substr(0, size)));
    other[size - 1] ^= 1;
  }
}

}  // namespace
}  // namespace atalaya::io
