// Compression with bounds: no input, however small, may become more than its reader asked for.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace atalaya::io {

/// zstd frames with content size and checksum. Keeps its working memory from call to call: one
/// object a writer. Thread-compatible.
class ZstdCompressor {
 public:
  /// `window_log` bounds the memory of both sides to about 2^window_log bytes; 0 leaves it to the level.
  explicit ZstdCompressor(int level = 1, int window_log = 0);
  /// Appends one frame to `out`.
  void compress(std::string_view bytes, std::string& out);
  std::string compress(std::string_view bytes) {
    std::string out;
    compress(bytes, out);
    return out;
  }

 private:
  std::unique_ptr<ZSTD_CCtx_s, void (*)(ZSTD_CCtx_s*)> context_;
};

/// Reads bytes that may be hostile. Thread-compatible; one object a reader.
class ZstdDecompressor {
 public:
  ZstdDecompressor();
  /// All frames of `bytes`, one after the other. corruption when they are damaged, cut or followed
  /// by something else; too_large when they would be more than `limit_bytes`, which also bounds the
  /// working memory.
  Result<std::string> decompress(std::string_view bytes, std::size_t limit_bytes);

 private:
  std::unique_ptr<ZSTD_DCtx_s, void (*)(ZSTD_DCtx_s*)> context_;
};

/// Snappy's block format (not the framing one): Prometheus remote write, Loki push.
std::string snappy_compress(std::string_view bytes);
/// corruption or too_large, as above.
Result<std::string> snappy_decompress(std::string_view bytes, std::size_t limit_bytes);
/// The same into `buffer`, which only grows, so that many calls allocate and clear little: the answer is a view of
/// its first bytes, until it is next changed.
Result<std::string_view> snappy_decompress(std::string_view bytes, std::size_t limit_bytes, std::string& buffer);

}  // namespace atalaya::io
