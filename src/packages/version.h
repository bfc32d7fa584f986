// Versions of packages and ranges of them, in semver's notation.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atalaya::packages {

/// `1.4.2`, `1.4`, `2-rc1`: what is left out is 0; a pre-release (after `-`) comes before its release; what
/// follows `+` does not count. https://semver.org, with parts that may be left out.
struct Version {
  std::array<std::uint32_t, 3> numbers{};
  std::string pre;  ///< compared part by part: numbers by value, before words

  static Result<Version> parse(std::string_view text);
};
std::strong_ordering operator<=>(const Version& a, const Version& b);
inline bool operator==(const Version& a, const Version& b) { return (a <=> b) == std::strong_ordering::equal; }

/// `>=1.0 <2`, `^1.2` (up to the next first number that is not 0), `~1.2` (up to the next minor), `1.2` (that one),
/// `*`. Comparisons side by side must all hold.
class VersionRange {
 public:
  static Result<VersionRange> parse(std::string_view text);
  bool holds(const Version& version) const;

 private:
  struct Bound {
    enum class Op : std::uint8_t { kLess, kLessEqual, kEqual, kGreaterEqual, kGreater };
    Op op = Op::kEqual;
    Version version;
  };
  std::vector<Bound> bounds_;
};

}  // namespace atalaya::packages
