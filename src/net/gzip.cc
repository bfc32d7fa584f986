#include "net/gzip.h"

#include <zlib.h>

#include <algorithm>

#include "base/check.h"

namespace atalaya::net {
namespace {

constexpr int kGzipWindow = 15 + 16;  // zlib's way to say: with the gzip wrapper

struct Inflater {
  z_stream stream{};
  Inflater() { AT_CHECK(inflateInit2(&stream, kGzipWindow) == Z_OK); }
  ~Inflater() { inflateEnd(&stream); }
};

}  // namespace

std::string gzip(std::string_view bytes, int level) {
  z_stream stream{};
  AT_CHECK(deflateInit2(&stream, level, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  AT_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

Result<std::string> gunzip(std::string_view bytes, std::size_t limit_bytes) {
  Inflater inflater;
  auto& stream = inflater.stream;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  while (true) {
    const auto before = out.size();
    // One byte above the limit tells "exactly full" from "too large".
    out.resize(std::min(limit_bytes + 1, std::max<std::size_t>(before * 2, 16 << 10)));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = static_cast<uInt>(out.size() - before);
    const int code = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
    if (out.size() > limit_bytes)
      return fail(ErrorCode::kTooLarge, "the gzip body unpacks to more than " + std::to_string(limit_bytes) + " bytes");
    if (code == Z_STREAM_END) {
      if (stream.avail_in == 0) return out;
      if (inflateReset(&stream) != Z_OK) break;  // the next member
    } else if (code != Z_OK || (stream.avail_in == 0 && out.size() == before)) {
      break;
    }
  }
  return fail(ErrorCode::kInvalidArgument, "the gzip body is damaged or cut off");
}

}  // namespace atalaya::net
