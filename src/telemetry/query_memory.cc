#include "telemetry/query_memory.h"

#include <fmt/format.h>

#include <algorithm>

namespace atalaya::telemetry {
namespace {

constexpr std::uint64_t kWorthGivingBack = 8 << 20;
constexpr const char* kRemedy = "ask for a shorter range, fewer series or a longer step, or give the server more";

}  // namespace

QueryMemory::QueryMemory(const MemoryBudget& memory, Registry& metrics, std::function<void()> give_back)
    : memory_(memory),
      give_back_(std::move(give_back)),
      refused_(metrics.counter("atalaya_refused_queries_total", "Queries that were refused or ended, by reason.",
                               {{"reason", "memory"}})),
      held_bytes_(metrics.gauge("atalaya_query_memory_bytes",
                                "What queries under way hold: samples, results, answers in the making.")) {}

Status QueryMemory::admit() { return take(0); }

Status QueryMemory::take(std::uint64_t bytes) {
  const auto all = held_.fetch_add(bytes) + bytes;
  held_bytes_.set(static_cast<double>(all));
  const bool is_reserved = all <= memory_.limit() / 10 && !memory_.is_far_beyond();
  if (is_reserved || (all <= memory_.limit() / 2 && has_room(bytes))) return {};
  held_ -= bytes;
  held_bytes_.set(static_cast<double>(held_.load()));
  refused_.add();
  return fail(ErrorCode::kUnavailable,
              fmt::format("no memory for another query, or for more of this one: queries hold {} bytes, the process "
                          "takes {}; --memory is {}",
                          all - bytes, memory_.taken(), memory_.limit()),
              kRemedy);
}

/// Measures now and then: not at each of many small steps.
bool QueryMemory::has_room(std::uint64_t bytes) {
  const auto wanted = static_cast<std::int64_t>(bytes);
  if (bytes > 0 && unmeasured_.fetch_sub(wanted) >= wanted) return true;
  const auto room = [&] {
    const auto taken = memory_.taken();
    return static_cast<std::int64_t>(memory_.limit() - std::min(memory_.limit(), taken));
  };
  auto left = room();
  if (left <= wanted && freed_.exchange(false)) {
    give_back_();
    left = room();
  }
  // An eighth, as others measure and take beside this.
  unmeasured_ = std::max<std::int64_t>(0, (left - wanted) / 8);
  return left > wanted;
}

QueryMemory::Share::~Share() {
  give_back(held_);
  if (most_ >= kWorthGivingBack) all_.freed_ = true;
}

Status QueryMemory::Share::take(std::uint64_t bytes) {
  const auto mine = held_ + bytes;
  if (mine > all_.most_of_one()) {
    all_.refused_.add();
    return fail(ErrorCode::kUnprocessable,
                fmt::format("the query would take more than {} bytes of memory, a quarter of --memory, which is {}",
                            all_.most_of_one(), all_.memory_.limit()),
                kRemedy);
  }
  AT_TRY(all_.take(bytes));
  const auto now = held_.fetch_add(bytes) + bytes;
  if (now > most_) most_ = now;
  return {};
}

void QueryMemory::Share::give_back(std::uint64_t bytes) {
  held_ -= bytes;
  const auto all = all_.held_.fetch_sub(bytes) - bytes;
  all_.held_bytes_.set(static_cast<double>(all));
}

}  // namespace atalaya::telemetry
