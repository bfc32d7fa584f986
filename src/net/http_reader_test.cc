#include "net/http_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace atalaya::net {
namespace {

/// A reader that has read the head of a request, and what stands behind it in `text`.
HttpReader after_head(std::string_view text) {
  auto reader = HttpReader::request(1024);
  for (bool more = true; more && !text.empty();) {
    const auto taken = reader.put(text);
    text.remove_prefix(taken.value_or(0));
    more = taken.value_or(0) > 0;
  }
  EXPECT_TRUE(reader.head_done());
  return reader;
}

std::string head_of(std::size_t length) {
  return "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

/// Gives the reader's room `bytes`, at most `at_once` at a time.
void fill(HttpReader& reader, std::string_view bytes, std::size_t at_once) {
  while (!bytes.empty()) {
    const auto room = reader.room();
    const auto size = std::min({room.size(), at_once, bytes.size()});
    ASSERT_GT(size, 0U);
    std::copy_n(bytes.begin(), size, room.begin());
    reader.filled(size);
    bytes.remove_prefix(size);
  }
}

TEST(HttpReader, ABodyOfKnownLengthIsReadIntoItsPlace) {
  std::string body(300'000, 'a');
  for (std::size_t i = 0; i < body.size(); i += 7) body[i] = static_cast<char>('b' + i % 20);
  for (const std::size_t first : {std::size_t{0}, std::size_t{1}, std::size_t{70'000}, body.size() - 1}) {
    for (const std::size_t at_once : {std::size_t{999}, std::size_t{1} << 20}) {
      auto reader = after_head(head_of(body.size()) + body.substr(0, first));
      fill(reader, std::string_view(body).substr(first), at_once);
      EXPECT_TRUE(reader.done());
      EXPECT_EQ(reader.body(), body) << first << " bytes came with the head";
      EXPECT_TRUE(reader.room().empty()) << "no byte of the next request goes into this body";
    }
  }
}

TEST(HttpReader, APromisedLengthTakesNoMemoryBeforeBytesCome) {
  auto reader = after_head(head_of(1'000'000'000));
  EXPECT_LE(reader.room().size(), 64U << 10);
  reader.filled(reader.room().size());
  EXPECT_LE(reader.room().size(), 64U << 10);
  EXPECT_FALSE(reader.done());
}

TEST(HttpReader, ThereIsRoomForNoOtherBody) {
  EXPECT_TRUE(HttpReader::request(1024).room().empty()) << "before the head";
  EXPECT_TRUE(after_head("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").room().empty());
  EXPECT_TRUE(after_head(head_of(0)).room().empty());
  EXPECT_TRUE(
      after_head("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n").room().empty());
}

}  // namespace
}  // namespace atalaya::net
