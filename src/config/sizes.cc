#include "config/sizes.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace atalaya::config {
namespace {

struct Unit {
  std::string_view suffix;
  std::uint64_t size;
};
// Suffixes that end in another come before it.
constexpr std::array kUnits{Unit{"TiB", 1ULL << 40},
                            Unit{"GiB", 1ULL << 30},
                            Unit{"MiB", 1ULL << 20},
                            Unit{"KiB", 1ULL << 10},
                            Unit{"TB", 1'000'000'000'000},
                            Unit{"GB", 1'000'000'000},
                            Unit{"MB", 1'000'000},
                            Unit{"kB", 1000},
                            Unit{"B", 1}};

}  // namespace

Result<std::uint64_t> parse_bytes(std::string_view text) {
  auto digits = text;
  std::uint64_t unit = 1;
  for (const auto& known : kUnits) {
    if (!digits.ends_with(known.suffix)) continue;
    digits.remove_suffix(known.suffix.size());
    unit = known.size;
    break;
  }
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), count);
  if (error != std::errc{} || end != digits.data() + digits.size() || __builtin_mul_overflow(count, unit, &count)) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is not a number of bytes", text.substr(0, 64)),
                "write such as 512, 64KiB, 8MB, 1GiB");
  }
  return count;
}

std::string format_bytes(std::uint64_t bytes) {
  for (const auto& unit : kUnits) {
    if (unit.suffix.size() == 3 && bytes >= unit.size && bytes % unit.size == 0) {
      return fmt::format("{}{}", bytes / unit.size, unit.suffix);
    }
  }
  return std::to_string(bytes);
}

}  // namespace atalaya::config
