#include "sim/agent_side.h"

#include "base/check.h"

namespace atalaya::sim {
namespace {

constexpr std::string_view kMark = "log/lines";
constexpr std::size_t kLinesACycle = 200;

}  // namespace

AgentSide::AgentSide(std::string name, bool sync, const Clock& clock, Send send)
    : name_(std::move(name)), sync_(sync), clock_(clock), send_(std::move(send)), files_(disk_) {
  start();
}

void AgentSide::start() {
  files_.disarm();
  agent::SpoolOptions options;
  options.directory = "/spool";
  options.segment_bytes = 32 << 10;  // so that scopes end often
  options.sync = sync_;
  options.boot = boot_;
  auto spool = agent::Spool::open(files_, options);
  AT_CHECK(spool);
  spool_ = std::move(*spool);
  labels_ = std::make_unique<collect::LabelsTable>();
  series_.clear();
  file_ = labels_->add(Labels{{"file", "/sim.log"}, {"instance", name_}, {"job", "log"}});
  recorder_ = std::make_unique<agent::Recorder>(*spool_, *labels_);
  stream_ = std::make_unique<agent::Stream>(*spool_, ingest::HelloFrame{1, "1.0", name_, spool_->id(), {}}, clock_,
                                            agent::Stream::Callbacks{send_, {}});
  const auto mark = spool_->marks().find(kMark);
  next_line_ = mark == spool_->marks().end() ? 0 : std::stoull(mark->second);
}

void AgentSide::lose_memory() {
  // Destructors reach no disk any more.
  if (!files_.struck()) files_.arm(io::Fault::kPowerCut, 1);
  stream_.reset();
  recorder_.reset();
  spool_.reset();
  unacknowledged_.clear();
}

void AgentSide::kill() { lose_memory(); }

void AgentSide::power_cut(std::uint64_t seed) {
  lose_memory();
  disk_.power_cut_keeping_some(seed);
  ++boot_;
  if (!sync_) lines_may_repeat_ = true;
}

collect::LabelsId AgentSide::series(const std::string& metric) {
  const auto [at, is_new] = series_.try_emplace(metric);
  if (is_new) at->second = labels_->add(Labels{{"__name__", metric}, {"instance", name_}});
  return at->second;
}

void AgentSide::collect(const HostTruth& truth) {
  const auto now = clock_.now();
  collect::Batch samples;
  const auto counter = next_counter_++;
  samples.sample(series("sim_counter"), now, static_cast<double>(counter));
  if (!truth.level_silent) samples.sample(series("sim_level"), now, truth.level);
  if (!truth.up_silent) samples.sample(series("sim_up"), now, truth.up ? 1 : 0);
  if (const auto sequence = recorder_->record(now, samples)) unacknowledged_.emplace(*sequence, counter);

  collect::Batch lines;
  auto next = next_line_;
  for (; next < truth.lines.size() && next - next_line_ < kLinesACycle; ++next)
    lines.log(file_, now, truth.lines[next]);
  if (next > next_line_) {
    lines.mark(std::string{kMark}, std::to_string(next));
    if (recorder_->record(now, lines)) next_line_ = next;
  }
  stream_->pump();
}

void AgentSide::settle() {
  const auto until = unacknowledged_.upper_bound(spool_->acknowledged());
  for (auto at = unacknowledged_.begin(); at != until; ++at) acknowledged_.push_back(at->second);
  unacknowledged_.erase(unacknowledged_.begin(), until);
}

bool AgentSide::drained() const {
  return alive() && spool_->acknowledged() == spool_->last_sequence() && stream_->in_flight() == 0;
}

}  // namespace atalaya::sim
