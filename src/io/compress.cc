#include "io/compress.h"

#include <fmt/format.h>
#include <snappy.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace atalaya::io {
namespace {

void free_compressor(ZSTD_CCtx* context) { ZSTD_freeCCtx(context); }
void free_decompressor(ZSTD_DCtx* context) { ZSTD_freeDCtx(context); }

std::unexpected<Error> corrupt(std::string_view format, std::size_t size, std::string_view reason) {
  return fail(ErrorCode::kCorruption, fmt::format("{} bytes of {}: {}", size, format, reason));
}

std::unexpected<Error> too_large(std::string_view format, std::size_t size, std::size_t limit) {
  return fail(ErrorCode::kTooLarge, fmt::format("{} bytes of {} would become more than {} bytes", size, format, limit));
}

}  // namespace

ZstdCompressor::ZstdCompressor(int level, int window_log) : context_(ZSTD_createCCtx(), &free_compressor) {
  AT_CHECK(context_ != nullptr);
  const auto set = [&](ZSTD_cParameter parameter, int value) {
    AT_CHECK(!ZSTD_isError(ZSTD_CCtx_setParameter(context_.get(), parameter, value)));
  };
  set(ZSTD_c_compressionLevel, level);
  set(ZSTD_c_checksumFlag, 1);
  if (window_log != 0) set(ZSTD_c_windowLog, window_log);
}

void ZstdCompressor::compress(std::string_view bytes, std::string& out) {
  const auto before = out.size();
  out.resize(before + ZSTD_compressBound(bytes.size()));
  const auto size =
      ZSTD_compress2(context_.get(), out.data() + before, out.size() - before, bytes.data(), bytes.size());
  AT_CHECK(!ZSTD_isError(size));
  out.resize(before + size);
}

ZstdDecompressor::ZstdDecompressor() : context_(ZSTD_createDCtx(), &free_decompressor) {
  AT_CHECK(context_ != nullptr);
}

Result<std::string> ZstdDecompressor::decompress(std::string_view bytes, std::size_t limit_bytes) {
  if (bytes.empty()) return corrupt("zstd", 0, "no frame");
  ZSTD_DCtx_reset(context_.get(), ZSTD_reset_session_only);
  // A frame may ask for a window larger than what it holds: refuse more than twice our bound.
  const int window = std::clamp(static_cast<int>(std::bit_width(limit_bytes)), 20, 27);
  ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, window);
  std::string out;
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  std::size_t due = 1;
  std::size_t filled = 0;
  while (true) {
    if (filled == out.size()) {
      if (filled > limit_bytes) return too_large("zstd", bytes.size(), limit_bytes);
      // One byte more than allowed tells "just fits" from "too large".
      out.resize(std::min(limit_bytes + 1, std::max(out.size() * 2, std::min<std::size_t>(bytes.size() * 4, 1 << 20))));
    }
    ZSTD_outBuffer to{out.data(), out.size(), filled};
    due = ZSTD_decompressStream(context_.get(), &to, &in);
    if (ZSTD_isError(due)) {
      if (ZSTD_getErrorCode(due) == ZSTD_error_frameParameter_windowTooLarge) {
        return too_large("zstd", bytes.size(), limit_bytes);
      }
      return corrupt("zstd", bytes.size(), ZSTD_getErrorName(due));
    }
    const bool stuck = to.pos == filled && to.pos < to.size;
    filled = to.pos;
    if (filled > limit_bytes) return too_large("zstd", bytes.size(), limit_bytes);
    if (in.pos == in.size && due == 0) break;
    if (stuck && in.pos == in.size) return corrupt("zstd", bytes.size(), "the last frame is cut");
  }
  out.resize(filled);
  return out;
}

std::string snappy_compress(std::string_view bytes) {
  std::string out;
  snappy::Compress(bytes.data(), bytes.size(), &out);
  return out;
}

Result<std::string> snappy_decompress(std::string_view bytes, std::size_t limit_bytes) {
  std::string out;
  AT_TRY(const auto view, snappy_decompress(bytes, limit_bytes, out));
  out.resize(view.size());
  return out;
}

Result<std::string_view> snappy_decompress(std::string_view bytes, std::size_t limit_bytes, std::string& buffer) {
  std::size_t size = 0;
  if (!snappy::GetUncompressedLength(bytes.data(), bytes.size(), &size)) {
    return corrupt("snappy", bytes.size(), "no length");
  }
  if (size > limit_bytes) return too_large("snappy", bytes.size(), limit_bytes);
  // The densest element copies 64 bytes for 3: more than that is a lie that would cost memory.
  if (size > (bytes.size() + 1) * 32) return corrupt("snappy", bytes.size(), "the stated length is impossible");
  if (buffer.size() < size) buffer.resize(size);
  if (!snappy::RawUncompress(bytes.data(), bytes.size(), buffer.data())) {
    return corrupt("snappy", bytes.size(), "damaged or cut");
  }
  return std::string_view(buffer).substr(0, size);
}

}  // namespace atalaya::io
