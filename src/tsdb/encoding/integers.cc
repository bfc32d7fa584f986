#include "tsdb/encoding/integers.h"

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "tsdb/encoding/bit_codes.h"

namespace atalaya::tsdb {
namespace {

/// How a difference becomes a number without sign.
enum class Base : std::uint8_t { kZero, kAround, kAbove };
constexpr unsigned kShifted = 0x80;

/// What the residuals are: of the numbers themselves, of their differences, of the differences of these.
struct Model {
  unsigned order = 0;
  Base base = Base::kAround;
  std::int64_t value = 0;  ///< of the base
};

std::uint64_t residual(std::int64_t v, Base base, std::int64_t value) {
  const auto rest = minus(v, value);
  return base == Base::kAbove ? static_cast<std::uint64_t>(rest) : zigzag(rest);
}

/// About the middle one: the median of at most 15 of them.
std::int64_t middle(std::span<const std::int64_t> v) {
  std::array<std::int64_t, 15> some;
  const auto n = std::min(v.size(), some.size());
  for (std::size_t i = 0; i < n; ++i) some[i] = v[i * v.size() / n];
  const auto at = some.begin() + static_cast<std::ptrdiff_t>(n / 2);
  std::nth_element(some.begin(), at, some.begin() + static_cast<std::ptrdiff_t>(n));
  return *at;
}

/// Bits of a number, at least one, offset by a constant. On the way of floating point: finding the
/// highest bit costs several times as much on processors that do it in microcode.
std::uint64_t about_width(std::uint64_t number) {
  return std::bit_cast<std::uint64_t>(static_cast<double>(static_cast<std::int64_t>(number | 1))) >> 52 & 0x7ff;
}

/// The model whose residuals have the fewest bits; `steps` are the differences of neighbours.
Model choose_model(std::span<const std::int64_t> in, std::span<const std::int64_t> steps) {
  if (in.size() == 1) return {0, Base::kAround, in[0]};
  if (in.size() == 2) return {1, Base::kAround, steps[0]};
  const auto low = *std::ranges::min_element(in);
  const auto mid = middle(in);
  const auto low_step = *std::ranges::min_element(steps);
  const auto mid_step = middle(steps);
  const std::array models{Model{0, Base::kAbove, low},       Model{0, Base::kAround, mid},
                          Model{1, Base::kZero, 0},          Model{1, Base::kAbove, low_step},
                          Model{1, Base::kAround, mid_step}, Model{2, Base::kZero, 0}};
  std::array<std::uint64_t, 6> bits{};
  // Half of a long column decides as well: pairs of neighbours, so that what alternates is seen.
  const std::size_t gap = steps.size() < 64 ? 1 : 3;
  for (std::size_t i = 1; i < steps.size(); i += i % 2 == 1 ? 1 : gap) {
    bits[0] += about_width(residual(in[i], Base::kAbove, low));
    bits[1] += about_width(residual(in[i], Base::kAround, mid));
    bits[2] += about_width(residual(steps[i], Base::kZero, 0));
    bits[3] += about_width(residual(steps[i], Base::kAbove, low_step));
    bits[4] += about_width(residual(steps[i], Base::kAround, mid_step));
    bits[5] += about_width(residual(minus(steps[i], steps[i - 1]), Base::kZero, 0));
  }
  bits[3] += 8;
  bits[4] += 8;
  return models[static_cast<std::size_t>(std::ranges::min_element(bits) - bits.begin())];
}

}  // namespace

void encode_integers(std::span<const std::int64_t> in, std::string& out) {
  AT_CHECK(!in.empty());
  // Kept between calls: a chunk allocates nothing.
  thread_local std::vector<std::int64_t> steps;
  thread_local std::vector<std::uint64_t> residuals;
  steps.resize(in.size() - 1);
  std::uint64_t all = 0;
  for (std::size_t i = 1; i < in.size(); ++i) {
    steps[i - 1] = minus(in[i], in[i - 1]);
    all |= static_cast<std::uint64_t>(steps[i - 1]);
  }
  const auto shift = all == 0 ? 0U : static_cast<unsigned>(std::countr_zero(all));
  const auto model = choose_model(in, steps);
  residuals.resize(in.size() - model.order);
  const auto shifted = [shift](std::int64_t v) { return v >> shift; };
  if (model.order == 0) {
    for (std::size_t i = 0; i < in.size(); ++i) {
      const auto rest = minus(in[i], model.value);
      residuals[i] = model.base == Base::kAbove ? static_cast<std::uint64_t>(rest) >> shift : zigzag(shifted(rest));
    }
  } else if (model.order == 1) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const auto rest = minus(steps[i], model.value);
      residuals[i] = model.base == Base::kAbove ? static_cast<std::uint64_t>(rest) >> shift : zigzag(shifted(rest));
    }
  } else {
    for (std::size_t i = 1; i < steps.size(); ++i) residuals[i - 1] = zigzag(shifted(minus(steps[i], steps[i - 1])));
  }
  const auto choice = choose_code(residuals);
  ByteWriter writer(out);
  writer.u8(static_cast<std::uint8_t>(model.order | static_cast<unsigned>(model.base) << 2 |
                                      static_cast<unsigned>(choice.code) << 4 | (shift > 0 ? kShifted : 0)));
  if (shift > 0) writer.u8(static_cast<std::uint8_t>(shift));
  if (choice.code != BitCode::kZeros) writer.u8(static_cast<std::uint8_t>(choice.k));
  writer.svarint(model.order == 0 ? model.value : in[0]);
  if (model.order == 1 && model.base != Base::kZero) writer.svarint(model.value >> shift);
  if (model.order == 2) writer.svarint(steps[0] >> shift);
  put_numbers(residuals, choice, out);
}

bool decode_integers(std::string_view& bytes, std::size_t count, std::int64_t* out) {
  ByteReader reader(bytes);
  const unsigned head = reader.u8();
  const unsigned order = head & 3;
  const auto base = static_cast<Base>(head >> 2 & 3);
  const unsigned code = head >> 4 & 7;
  if (order > 2 || base > Base::kAbove || code >= kBitCodes || count < std::max(order, 1U)) return false;
  const unsigned shift = (head & kShifted) != 0 ? reader.u8() : 0;
  CodeChoice choice{static_cast<BitCode>(code), 0};
  if (choice.code != BitCode::kZeros) choice.k = reader.u8();
  const auto anchor = reader.svarint();
  const auto second = order == 2 || (order == 1 && base != Base::kZero) ? reader.svarint() : 0;
  if (!reader.ok() || shift > 63) return false;
  bytes.remove_prefix(bytes.size() - reader.remaining());
  const auto residuals = std::span(reinterpret_cast<std::uint64_t*>(out) + order, count - order);
  if (!take_numbers(bytes, choice, residuals)) return false;
  if (base != Base::kAbove) {
    for (auto& v : residuals) v = static_cast<std::uint64_t>(unzigzag(v));
  }
  const auto scaled = [shift](std::uint64_t v) { return static_cast<std::int64_t>(v << shift); };
  auto value = anchor;
  if (order == 0) {
    for (std::size_t i = 0; i < count; ++i) out[i] = plus(anchor, scaled(static_cast<std::uint64_t>(out[i])));
    return true;
  }
  out[0] = anchor;
  auto step = static_cast<std::uint64_t>(second);
  if (order == 1) {
    for (std::size_t i = 1; i < count; ++i) {
      value = plus(value, scaled(static_cast<std::uint64_t>(out[i]) + step));
      out[i] = value;
    }
    return true;
  }
  value = out[1] = plus(value, scaled(step));
  for (std::size_t i = 2; i < count; ++i) {
    step += static_cast<std::uint64_t>(out[i]);
    value = plus(value, scaled(step));
    out[i] = value;
  }
  return true;
}

}  // namespace atalaya::tsdb
