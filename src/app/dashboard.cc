#include "app/dashboard.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/bytes.h"

namespace atalaya::app {
namespace {

constexpr std::size_t kSenders = 32;
constexpr std::size_t kValues = 256;
constexpr std::size_t kShownBytes = 1024;  ///< of a datagram

std::string clean(std::string_view text) {
  std::string out(text.substr(0, kShownBytes));
  if (!is_utf8(out)) std::replace_if(out.begin(), out.end(), [](unsigned char c) { return c >= 128; }, '?');
  std::replace_if(out.begin(), out.end(), [](unsigned char c) { return c < 32 || c == 127; }, ' ');
  return out;
}

/// Cut after so many characters.
std::string narrow(std::string text, std::size_t columns) {
  std::size_t shown = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) == 0x80) continue;
    if (shown++ == columns) {
      text.resize(i);
      break;
    }
  }
  return text;
}

}  // namespace

std::optional<double> datagram_value(std::string_view datagram) {
  constexpr std::string_view kHead = "Data:";
  if (!datagram.starts_with(kHead)) return std::nullopt;
  datagram.remove_prefix(kHead.size());
  while (datagram.starts_with(' ')) datagram.remove_prefix(1);
  while (datagram.ends_with('\n') || datagram.ends_with('\r') || datagram.ends_with(' ')) datagram.remove_suffix(1);
  if (datagram.starts_with('+')) datagram.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(datagram.data(), datagram.data() + datagram.size(), value);
  if (datagram.empty() || error != std::errc{} || end != datagram.data() + datagram.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

std::string datagram_line(std::string_view sender, std::string_view datagram, Time now) {
  return fmt::format("{} {} {}", format_rfc3339(now), sender, clean(datagram));
}

std::string sparkline(const std::vector<double>& values) {
  constexpr std::string_view kBlocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  if (values.empty()) return "";
  const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
  std::string out;
  for (const auto value : values) {
    // Halves, since the span of two huge numbers may be beyond what a double holds.
    const double span = *greatest / 2 - *least / 2;
    const double place = span > 0 ? (value / 2 - *least / 2) / span : 0.5;
    out += kBlocks[std::min<std::size_t>(static_cast<std::size_t>(place * 8), 7)];
  }
  return out;
}

void Dashboard::put(const std::string& sender, std::string_view datagram, Time now) {
  ++datagrams_;
  if (!senders_.contains(sender) && senders_.size() >= kSenders) {
    senders_.erase(std::min_element(senders_.begin(), senders_.end(),
                                    [](const auto& a, const auto& b) { return a.second.seen < b.second.seen; }));
  }
  auto& one = senders_[sender];
  ++one.datagrams;
  one.seen = now;
  const auto value = datagram_value(datagram);
  one.last = value ? "" : clean(datagram);
  if (!value) return;
  one.values.push_back(*value);
  if (one.values.size() > kValues) one.values.pop_front();
}

std::vector<std::string> Dashboard::draw(std::size_t width) const {
  std::vector<std::string> out{narrow(fmt::format("{} datagrams of {} senders", datagrams_, senders_.size()), width)};
  for (const auto& [sender, one] : senders_) {
    if (one.values.empty()) {
      out.push_back(narrow(fmt::format("{:<21} {}", sender, one.last), width));
      continue;
    }
    const std::vector<double> all(one.values.begin(), one.values.end());
    const auto [least, greatest] = std::minmax_element(all.begin(), all.end());
    auto line = fmt::format("{:<21} {:>10.6g}  {:.6g} … {:.6g}  ", sender, all.back(), *least, *greatest);
    const auto used = static_cast<std::size_t>(
        std::count_if(line.begin(), line.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
    const auto room = width > used ? width - used : 0;
    const auto shown = std::min(room, all.size());
    line += sparkline({all.end() - static_cast<std::ptrdiff_t>(shown), all.end()});
    out.push_back(narrow(std::move(line), width));
  }
  return out;
}

}  // namespace atalaya::app
