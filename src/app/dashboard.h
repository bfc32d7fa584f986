// What `atalaya dashboard` shows: the last values of each sender, as bars in a terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace atalaya::app {

/// The number of `Data: 12.5`; nothing when the datagram is no such text.
std::optional<double> datagram_value(std::string_view datagram);

/// One line, without a line break: `2026-11-22T02:30:10.123Z 127.0.0.1:4512 Data: 12.5`. Control characters become
/// spaces, so that no datagram moves the cursor.
std::string datagram_line(std::string_view sender, std::string_view datagram, Time now);

/// Eighths of a block for each value, from the smallest to the greatest; the middle where all are equal.
std::string sparkline(const std::vector<double>& values);

/// Thread-compatible. Remembers at most 32 senders, each with its last 256 values; the one that was silent longest
/// makes room for another.
class Dashboard {
 public:
  void put(const std::string& sender, std::string_view datagram, Time now);
  std::uint64_t datagrams() const { return datagrams_; }
  /// Lines of at most `width` columns, the first says how much came.
  std::vector<std::string> draw(std::size_t width) const;

 private:
  struct Sender {
    std::deque<double> values;
    std::string last;  ///< the datagram, where it holds no number
    std::uint64_t datagrams = 0;
    Time seen{};
  };
  std::map<std::string, Sender> senders_;
  std::uint64_t datagrams_ = 0;
};

}  // namespace atalaya::app
