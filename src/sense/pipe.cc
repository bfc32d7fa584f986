#include "sense/pipe.h"

#include <algorithm>
#include <map>

#include "base/check.h"
#include "model/sample.h"
#include "sense/aggregator.h"
#include "sense/wiring.h"

namespace atalaya::sense {

Result<std::unique_ptr<Aggregator>> make_aggregator(const PartSettings& settings, const AggregatorContext& context) {
  for (const auto make : {make_per_value, make_window, make_selection, make_anonymization, make_join}) {
    auto made = make(settings, context);
    if (!made || *made) return made;
  }
  return fail(ErrorCode::kInternal, "there is no code for " + settings.name());
}

struct Pipe::Impl {
  struct Node {
    std::unique_ptr<Aggregator> aggregator;
    std::uint32_t output = 0;
    std::vector<Record> made;  ///< of one call; empty between calls
  };
  /// One place where a stream is read.
  struct Reader {
    std::size_t node = 0;
    std::size_t input = 0;
  };

  /// Hands the record to all that read the stream. Streams make no circle, so this ends.
  void flow(std::uint32_t stream, const Record& record, Time now, std::vector<Published>& out) {
    for (const auto publisher : wiring.publisher_of[stream]) {
      ++counters.published;
      out.push_back({publisher, wiring.streams[stream], record});
    }
    for (const auto& reader : readers[stream]) {
      nodes[reader.node].aggregator->push(reader.input, record, now, nodes[reader.node].made);
      pass_on(nodes[reader.node], now, out);
    }
  }
  void pass_on(Node& node, Time now, std::vector<Published>& out) {
    if (node.made.empty()) return;
    auto made = std::exchange(node.made, {});
    for (const auto& record : made) flow(node.output, record, now, out);
    made.clear();
    node.made = std::move(made);  // the memory, for the next time
  }

  PipeSpec spec;
  PipeLimits limits;
  Wiring wiring;
  std::map<std::string, std::uint32_t, std::less<>> numbers;  ///< of streams that collectors feed
  std::vector<Node> nodes;                                    ///< what makes a stream comes before what reads it
  std::vector<std::vector<Reader>> readers;                   ///< by stream
  PipeCounters counters;
};

Result<Checked> check(const PipeSpec& spec) {
  AT_TRY(auto wiring, wire(spec));
  PipeCounters counters;
  for (const auto& node : wiring.nodes) {
    AggregatorContext context{spec.period, {}, &counters, {}};
    for (const auto input : node.input) context.inputs.push_back(wiring.streams[input]);
    AT_TRY(make_aggregator(wiring.aggregators[node.part], context));
  }
  return std::move(wiring.told);
}

Result<Pipe> Pipe::make(PipeSpec spec, PipeLimits limits) {
  auto impl = std::make_unique<Impl>();
  AT_TRY(impl->wiring, wire(spec));
  impl->limits = limits;
  auto& wiring = impl->wiring;
  impl->readers.resize(wiring.streams.size());
  std::vector<bool> made(wiring.streams.size(), false);
  for (const auto& node : wiring.nodes) {
    AggregatorContext context{spec.period, limits, &impl->counters, {}};
    for (std::size_t i = 0; i < node.input.size(); ++i) {
      context.inputs.push_back(wiring.streams[node.input[i]]);
      impl->readers[node.input[i]].push_back({impl->nodes.size(), i});
    }
    AT_TRY(auto aggregator, make_aggregator(wiring.aggregators[node.part], context));
    impl->nodes.push_back({std::move(aggregator), node.output, {}});
    made[node.output] = true;
  }
  for (std::uint32_t i = 0; i < wiring.streams.size(); ++i)
    if (!made[i]) impl->numbers.emplace(wiring.streams[i], i);
  impl->spec = std::move(spec);
  return Pipe(std::move(impl));
}

Pipe::Pipe(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Pipe::~Pipe() = default;
Pipe::Pipe(Pipe&&) noexcept = default;
Pipe& Pipe::operator=(Pipe&&) noexcept = default;

void Pipe::push(std::string_view stream, const Record& record, Time now, std::vector<Published>& out) {
  auto& counters = impl_->counters;
  ++counters.records;
  const auto at = impl_->numbers.find(stream);
  if (at == impl_->numbers.end() ||
      (impl_->readers[at->second].empty() && impl_->wiring.publisher_of[at->second].empty())) {
    ++counters.unread;
  } else if (record.time > now + impl_->limits.max_ahead) {
    ++counters.ahead;
  } else if (record.time < from_ms(0)) {
    ++counters.late;  // before 1970: nothing reckons with such times
  } else {
    impl_->flow(at->second, record, now, out);
  }
}

void Pipe::tick(Time now, std::vector<Published>& out) {
  for (auto& node : impl_->nodes) {
    if (node.aggregator->due() > now) continue;
    node.aggregator->tick(now, node.made);
    impl_->pass_on(node, now, out);
  }
}

Time Pipe::due() const {
  Time due = kMaxTime;
  for (const auto& node : impl_->nodes) due = std::min(due, node.aggregator->due());
  return due;
}

const PipeSpec& Pipe::spec() const { return impl_->spec; }
const PipeCounters& Pipe::counters() const { return impl_->counters; }
std::size_t Pipe::remembered() const {
  std::size_t all = 0;
  for (const auto& node : impl_->nodes) all += node.aggregator->remembered();
  return all;
}

}  // namespace atalaya::sense
