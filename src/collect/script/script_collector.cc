#include "collect/script/script_collector.h"

#include <fmt/format.h>
#include <sys/eventfd.h>

#include <algorithm>

#include "collect/utf8.h"
#include "io/descriptor.h"

namespace atalaya::collect::script {
namespace {

constexpr std::uint32_t kProcesses = 64;
constexpr std::size_t kReasonBytes = 300;
constexpr std::string_view kUp = "script_up";
constexpr std::string_view kTook = "script_duration_seconds";

/// Of what a script complained about, the last line: interpreters put the reason there.
std::string last_line(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  text = text.substr(text.rfind('\n') + 1).substr(0, kReasonBytes);
  return to_utf8(text);
}

/// The labels that the agent gives are its own; a script's of that name keep their values under another, as
/// Prometheus does it.
Labels made_fit(const Labels& labels) {
  LabelsBuilder out(labels);
  for (const std::string_view name : {"instance", "job"}) {
    if (!labels.has(name)) continue;
    out.set(std::string("exported_").append(name), labels.get(name));
    out.erase(name);
  }
  return out.build();
}

}  // namespace

struct ScriptCollector::Shared {
  /// The loop's thread alone; null when the collector is gone.
  ScriptCollector* owner = nullptr;
  io::Descriptor cancel{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
};

ScriptCollector::ScriptCollector(const CollectorSpec& spec, ScriptContext context)
    : spec_(spec),
      context_(std::move(context)),
      stream_(Labels{{"instance", context_.instance}, {"job", spec_.name()}, {"script", spec_.name()}}),
      set_(context_.labels, Labels{{"instance", context_.instance}, {"job", spec_.name()}}),
      up_(set_.add(kUp, Labels{{"script", spec_.name()}})),
      duration_(set_.add(kTook, Labels{{"script", spec_.name()}})),
      shared_(std::make_shared<Shared>()) {
  shared_->owner = this;
}

ScriptCollector::~ScriptCollector() {
  shared_->owner = nullptr;
  if (shared_->cancel) ::eventfd_write(shared_->cancel.get(), 1);
  if (stream_up_ != kNoLabels) context_.labels.release(stream_up_);
  if (stream_down_ != kNoLabels) context_.labels.release(stream_down_);
}

io::SandboxRequest ScriptCollector::request() const {
  const auto& script = std::get<ScriptSpec>(spec_.what);
  io::SandboxRequest out;
  out.program = script.program;
  out.arguments = script.arguments;
  out.environment = script.environment;
  out.time = spec_.timeout;
  out.memory_bytes = script.memory_bytes;
  out.processes = kProcesses;
  out.network = true;
  out.cancel = shared_->cancel.get();
  return out;
}

ScriptCollector::Outcome ScriptCollector::judge(Result<io::SandboxResult> result, Duration timeout) {
  Outcome out;
  if (!result) {
    out.problem = to_string(result.error());
  } else if (result->timed_out) {
    out.problem = fmt::format("did not end within {}", format_duration(timeout));
  } else if (result->status != 0) {
    out.problem = fmt::format("exit code {}", result->status);
    if (const auto why = last_line(result->errors); !why.empty()) out.problem += ": " + why;
  } else if (auto samples = parse_exposition(result->output)) {
    const auto ours =
        std::ranges::find_if(*samples, [](const auto& s) { return s.metric == kUp || s.metric == kTook; });
    if (ours == samples->end())
      out.samples = std::move(*samples);
    else
      out.problem = fmt::format("output: {} is the agent's own", ours->metric);
  } else {
    out.problem = "output: " + to_string(samples.error());
  }
  return out;
}

void ScriptCollector::start() {
  running_ = true;
  auto work = [shared = shared_, request = request(), run = context_.run, &loop = context_.loop,
               &clock = context_.clock] {
    const auto began = clock.steady();
    auto outcome = judge(run(request), request.time);
    outcome.took = clock.steady() - began;
    loop.post([shared, outcome = std::move(outcome)]() mutable {
      auto* owner = shared->owner;
      if (!owner) return;
      owner->running_ = false;
      owner->fresh_ = true;
      owner->outcome_ = std::move(outcome);
      if (owner->context_.wake) owner->context_.wake();
    });
  };
  if (net::WorkerPool::Work posted = std::move(work); context_.workers.try_post(std::move(posted))) return;
  running_ = false;
  fresh_ = true;
  outcome_ = {};
  outcome_.problem = "too many scripts wait for their turn on this agent";
}

Status ScriptCollector::collect(Time now, Batch& out) {
  const auto steady = context_.clock.steady();
  if (!running_ && steady >= next_run_) {
    // The period counts from begin to begin; the agent's timer may be a little early.
    next_run_ = steady + spec_.period - std::min<Duration>(spec_.period / 10, Duration{20});
    start();
  }
  if (fresh_) report(now, out);
  return {};
}

void ScriptCollector::put(const ExpositionSample& sample) {
  const auto labels = made_fit(sample.labels);
  const auto [at, is_new] = printed_.try_emplace(labels.with(kMetricName, sample.metric));
  if (is_new) {
    at->second.slot = set_.add(sample.metric, labels);
  } else if (at->second.run == runs_) {
    return;  // exported_job beside job: one instant holds one sample
  }
  at->second.run = runs_;
  set_.put(at->second.slot, sample.value);
}

void ScriptCollector::report(Time now, Batch& out) {
  fresh_ = false;
  ++runs_;
  set_.begin(now, out);
  set_.put(up_, outcome_.problem.empty() ? 1 : 0);
  set_.put(duration_, std::chrono::duration<double>(outcome_.took).count());
  for (const auto& sample : outcome_.samples) put(sample);
  std::erase_if(printed_, [this](const auto& entry) {
    if (entry.second.run == runs_) return false;
    set_.remove(entry.second.slot);
    return true;
  });
  set_.finish();
  outcome_.samples = {};
  tell(now, out);
}

void ScriptCollector::tell(Time now, Batch& out) {
  if (told_ && last_told_ == outcome_.problem) return;
  told_ = true;
  last_told_ = outcome_.problem;
  const bool well = outcome_.problem.empty();
  auto& stream = well ? stream_up_ : stream_down_;
  if (stream == kNoLabels) stream = context_.labels.add(stream_.with("level", well ? "info" : "error"));
  out.log(stream, now, well ? "runs" : to_utf8(outcome_.problem));
}

void ScriptCollector::finish(Time now, Batch& out) {
  set_.end_all(now, out);
  printed_.clear();
}

}  // namespace atalaya::collect::script
