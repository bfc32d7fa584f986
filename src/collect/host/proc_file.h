// Files of /proc and /sys, read again and again without opening them again.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace atalaya::collect::host {

/// One file, kept open; a read is one pread into a buffer that stays. A file that is absent yields
/// empty text and is looked for again at every read. Strand-bound.
class ProcFile {
 public:
  explicit ProcFile(std::string path) : path_(std::move(path)) {}
  ~ProcFile();
  ProcFile(const ProcFile&) = delete;
  ProcFile& operator=(const ProcFile&) = delete;

  /// The whole content. The view lives until the next read of any ProcFile (the buffer is shared).
  std::string_view read();
  const std::string& path() const { return path_; }
  /// Whether the kernel says that the content changed since it was asked last (mount tables only).
  bool changed();

 private:
  bool open();

  const std::string path_;
  int fd_ = -1;
};

/// Content of a small file without keeping it open, white space at the end removed; "" when absent.
/// `ok` tells an empty file from one that cannot be read.
std::string_view read_once(const std::string& path, bool& ok);

/// Walks through lines and words. Views into the text given.
class Lines {
 public:
  explicit Lines(std::string_view text) : left_(text) {}
  bool next(std::string_view& line) {
    if (left_.empty()) return false;
    const auto end = left_.find('\n');
    line = left_.substr(0, end);
    left_.remove_prefix(end == std::string_view::npos ? left_.size() : end + 1);
    return true;
  }

 private:
  std::string_view left_;
};

/// Next word separated by blanks, or "" at the end.
inline std::string_view word(std::string_view& line) {
  std::size_t start = 0;
  while (start < line.size() && (line[start] == ' ' || line[start] == '\t')) ++start;
  std::size_t end = start;
  while (end < line.size() && line[end] != ' ' && line[end] != '\t') ++end;
  const auto out = line.substr(start, end - start);
  line.remove_prefix(end);
  return out;
}

/// Decimal, optionally with a sign or fraction. False when `text` is not a number as a whole.
inline bool number(std::string_view text, double& out) {
  std::uint64_t integer = 0;
  const auto* end = text.data() + text.size();
  if (const auto r = std::from_chars(text.data(), end, integer); r.ec == std::errc{} && r.ptr == end) {
    out = static_cast<double>(integer);
    return true;
  }
  const auto r = std::from_chars(text.data(), end, out);
  return r.ec == std::errc{} && r.ptr == end && !text.empty();
}

}  // namespace atalaya::collect::host
