#include "tsdb/head/stream.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace atalaya::tsdb {
namespace {

constexpr std::uint64_t kLow = 0xffffffff;
constexpr int kFirstWordOfChunk = 4;
constexpr int kFirstWordOfLine = 1;
constexpr std::array<int, 4> kClassBits = {6, 12, 20, 40};
constexpr std::array<int, 3> kTimeBits = {7, 12, 20};

std::uint32_t previous_chunk(const Line& first) { return static_cast<std::uint32_t>(first.words[0] & kLow); }
std::uint32_t next_line(const Line& line) { return static_cast<std::uint32_t>(line.words[0] >> 32); }
std::int64_t first_time(const Line& first) { return static_cast<std::int64_t>(first.words[2]); }

std::uint64_t zigzag(std::int64_t v) {
  return static_cast<std::uint64_t>(v) << 1 ^ static_cast<std::uint64_t>(v >> 63);
}
std::int64_t unzigzag(std::uint64_t v) { return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1); }

/// Whether the double is a whole number below 2^53 that comes back bit for bit (−0 does not).
bool whole(std::uint64_t bits, std::int64_t& out) {
  const double value = std::bit_cast<double>(bits);
  if (!(value > -0x1p53 && value < 0x1p53)) return false;
  out = static_cast<std::int64_t>(value);
  return std::bit_cast<std::uint64_t>(static_cast<double>(out)) == bits;
}

/// Puts bits at the end of a series' open chunk.
class Writer {
 public:
  Writer(SeriesState& state, Arena& arena) : state_(state), arena_(arena), line_(&arena.line(state.line)) {}

  /// The lowest `count` (1 to 64) bits of `value`, which has no others.
  void put(std::uint64_t value, int count) {
    const int free = state_.free;
    if (count <= free) {
      line_->words[state_.word] |= value << (free - count);
      state_.free = static_cast<std::uint8_t>(free - count);
      if (state_.free == 0) next_word();
      return;
    }
    const int rest = count - free;
    line_->words[state_.word] |= value >> rest;
    next_word();
    line_->words[state_.word] |= value << (64 - rest);
    state_.free = static_cast<std::uint8_t>(64 - rest);
  }

 private:
  void next_word() {
    state_.free = 64;
    if (++state_.word < 8) return;
    const auto next = arena_.allocate();
    line_->words[0] |= static_cast<std::uint64_t>(next) << 32;
    line_ = &arena_.line(next);
    state_.line = next;
    state_.word = kFirstWordOfLine;
  }

  SeriesState& state_;
  Arena& arena_;
  Line* line_;
};

void put_time(Writer& out, std::int64_t difference) {
  if (difference == 0) return out.put(0, 1);
  const auto packed = zigzag(difference);
  if (packed < 1 << 7) return out.put(0b10ULL << 7 | packed, 9);
  if (packed < 1 << 12) return out.put(0b110ULL << 12 | packed, 15);
  if (packed < 1 << 20) return out.put(0b1110ULL << 20 | packed, 24);
  out.put(0b1111, 4);
  out.put(packed, 64);
}

void put_xor(SeriesState& state, Writer& out, std::uint64_t bits) {
  const int leading = std::min(std::countl_zero(bits), 31);
  const int trailing = std::countr_zero(bits);
  if (state.length != 0 && leading >= state.leading && trailing >= 64 - state.leading - state.length) {
    out.put(0b110, 3);
    return out.put(bits >> (64 - state.leading - state.length), state.length);
  }
  state.leading = static_cast<std::uint8_t>(leading);
  state.length = static_cast<std::uint8_t>(64 - leading - trailing);
  out.put(0b111ULL << 11 | static_cast<std::uint64_t>(leading) << 6 | static_cast<std::uint64_t>(state.length - 1), 14);
  out.put(bits >> trailing, state.length);
}

void put_value(SeriesState& state, Writer& out, std::uint64_t bits) {
  if (bits == state.last_value) return out.put(0, 1);
  std::int64_t now = 0;
  std::int64_t before = 0;
  if (whole(bits, now) && whole(state.last_value, before)) {
    const auto packed = zigzag(now - before);
    for (std::uint64_t c = 0; c < kClassBits.size(); ++c) {
      if (packed >> kClassBits[c] == 0) return out.put((0b1000ULL | c) << kClassBits[c] | packed, kClassBits[c] + 4);
    }
  }
  put_xor(state, out, bits ^ state.last_value);
}

void begin_chunk(SeriesState& state, Arena& arena, std::int64_t time, std::uint64_t bits) {
  const auto handle = arena.allocate();
  auto& first = arena.line(handle);
  if (state.chunk != 0) arena.line(state.chunk).words[1] = state.count;
  first.words[0] = state.chunk;
  first.words[2] = static_cast<std::uint64_t>(time);
  first.words[3] = bits;
  state.chunk = handle;
  state.line = handle;
  state.word = kFirstWordOfChunk;
  state.free = 64;
  state.count = 1;
  state.delta = 0;
  state.length = 0;
}

/// Decodes one chunk whose lines come from `next`.
template <typename NextLine, typename Take>
void decode(const Line& first, std::uint64_t count, NextLine&& next, Take&& take) {
  const Line* line = &first;
  int word = kFirstWordOfChunk;
  int left = 64;
  const auto get = [&](int bits) -> std::uint64_t {
    const auto here = line->words[static_cast<std::size_t>(word)] << (64 - left);  // left ≥ 1
    std::uint64_t value = here >> (64 - bits);
    if (bits < left) {
      left -= bits;
      return value;
    }
    const int rest = bits - left;
    left = 64;
    if (++word == 8) {
      line = next(*line);
      word = kFirstWordOfLine;
    }
    if (rest > 0) {
      value |= line->words[static_cast<std::size_t>(word)] >> (64 - rest);
      left = 64 - rest;
    }
    return value;
  };
  auto time = first_time(first);
  auto bits = first.words[3];
  take(time, bits);
  std::int64_t delta = 0;
  int leading = 0;
  int length = 0;
  for (std::uint64_t i = 1; i < count; ++i) {
    if (get(1) == 1) {
      std::size_t c = 0;
      while (c < kTimeBits.size() && get(1) == 1) ++c;
      delta += unzigzag(get(c < kTimeBits.size() ? kTimeBits[c] : 64));
    }
    time += delta;
    if (get(1) == 1) {
      if (get(1) == 0) {
        const auto difference = unzigzag(get(kClassBits[get(2)]));
        bits = std::bit_cast<std::uint64_t>(
            static_cast<double>(static_cast<std::int64_t>(std::bit_cast<double>(bits)) + difference));
      } else {
        if (get(1) == 1) {
          leading = static_cast<int>(get(5));
          length = static_cast<int>(get(6)) + 1;
        }
        bits ^= get(length) << (64 - leading - length);
      }
    }
    take(time, bits);
  }
}

std::uint64_t samples_of(const Line& first, bool is_open, std::uint16_t open_count) {
  return is_open ? open_count : first.words[1];
}

}  // namespace

void append(SeriesState& state, Arena& arena, std::uint16_t chunk_samples, std::int64_t time, double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  // Differences of more than 24 days begin a chunk: `delta` is to stay small.
  const bool fits = state.chunk != 0 && state.count < chunk_samples &&
                    static_cast<std::uint64_t>(time) - static_cast<std::uint64_t>(state.last_time) < 1ULL << 31;
  if (!fits) {
    begin_chunk(state, arena, time, bits);
  } else {
    Writer out(state, arena);
    const auto delta = static_cast<std::uint32_t>(time - state.last_time);
    put_time(out, static_cast<std::int64_t>(delta) - static_cast<std::int64_t>(state.delta));
    put_value(state, out, bits);
    state.delta = delta;
    ++state.count;
  }
  state.last_time = time;
  state.last_value = bits;
}

StreamView StreamView::of(std::shared_ptr<const Arena> arena, std::uint32_t newest, std::uint16_t open_count,
                          storage::TimeRange range) {
  StreamView view;
  const auto from = to_ms(range.from);
  const auto to = to_ms(range.to);
  bool has_open = false;
  for (auto handle = newest; handle != 0;) {
    const auto& first = arena->line(handle);
    if (first_time(first) <= to) {
      view.chunks_.push_back(handle);
      if (handle == newest && open_count != 0) {
        has_open = true;
        for (const auto* line = &first;;) {
          view.open_.push_back(*line);
          const auto next = next_line(*line);
          if (next == 0) break;
          line = &arena->line(next);
        }
      }
    }
    if (first_time(first) <= from) break;
    handle = previous_chunk(first);
  }
  std::reverse(view.chunks_.begin(), view.chunks_.end());
  view.open_count_ = has_open ? open_count : std::uint16_t{0};
  view.arena_ = std::move(arena);
  return view;
}

Time StreamView::first() const {
  const bool is_open = chunks_.size() == 1 && open_count_ != 0;
  return from_ms(first_time(is_open ? open_[0] : arena_->line(chunks_[0])));
}

void StreamView::read(storage::TimeRange range, std::vector<Sample>& out) const {
  const auto from = to_ms(range.from);
  const auto to = to_ms(range.to);
  const auto take = [&](std::int64_t time, std::uint64_t bits) {
    if (time >= from && time <= to) out.push_back({from_ms(time), std::bit_cast<double>(bits)});
  };
  for (std::size_t i = 0; i < chunks_.size(); ++i) {
    if (i + 1 == chunks_.size() && open_count_ != 0) {
      std::size_t at = 0;
      decode(open_[0], open_count_, [&](const Line&) { return &open_[std::min(++at, open_.size() - 1)]; }, take);
    } else {
      const auto& first = arena_->line(chunks_[i]);
      decode(first, first.words[1], [&](const Line& line) { return &arena_->line(next_line(line)); }, take);
    }
  }
}

ChainExtent extent_of(const Arena& arena, std::uint32_t newest) {
  ChainExtent out;
  for (auto chunk = newest; chunk != 0; chunk = previous_chunk(arena.line(chunk))) {
    ++out.chunks;
    out.first = first_time(arena.line(chunk));
  }
  return out;
}

void read_chain(const Arena& arena, std::uint32_t newest, std::uint16_t open_count, std::vector<std::int64_t>& times,
                std::vector<double>& values) {
  std::array<std::uint32_t, 64> few;
  std::vector<std::uint32_t> many;
  std::size_t count = 0;
  for (auto handle = newest; handle != 0; handle = previous_chunk(arena.line(handle))) {
    if (count < few.size()) {
      few[count] = handle;
    } else {
      many.push_back(handle);
    }
    ++count;
  }
  for (std::size_t i = count; i-- > 0;) {
    const auto handle = i < few.size() ? few[i] : many[i - few.size()];
    const auto& first = arena.line(handle);
    decode(
        first, samples_of(first, handle == newest && open_count != 0, open_count),
        [&](const Line& line) {
          const auto next = next_line(line);
          return next == 0 ? &line : &arena.line(next);
        },
        [&](std::int64_t time, std::uint64_t bits) {
          times.push_back(time);
          values.push_back(std::bit_cast<double>(bits));
        });
  }
}

}  // namespace atalaya::tsdb
