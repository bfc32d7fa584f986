#include "collect/check/check.h"

#include <algorithm>
#include <cmath>

#include "collect/ping/ping.h"
#include "collect/utf8.h"

namespace atalaya::collect::check {
namespace {

template <typename... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};

using Made = Result<std::unique_ptr<Probe>>;

}  // namespace

Result<std::unique_ptr<Check>> Check::make(const CollectorSpec& spec, CheckContext context) {
  std::string type;
  std::string target;
  const auto visitor =
      Overloaded{[&](const TcpSpec& tcp) -> Made {
                   type = "tcp";
                   target = tcp.address;
                   return make_tcp_probe(tcp, spec.timeout, context.loop);
                 },
                 [&](const HttpSpec& http) -> Made {
                   type = "http";
                   target = http.url;
                   return make_http_probe(http, spec.timeout, context.loop);
                 },
                 [&](const ProcessSpec& process) -> Made {
                   type = "process";
                   target = process.name.empty() ? process.regex : process.name;
                   return make_process_probe(process, context.root);
                 },
                 [&](const PingSpec& ping) -> Made {
                   type = "ping";
                   target = ping.host;
                   return ping::make_ping_probe(ping, spec.timeout, context.loop, context.clock);
                 },
                 [&](const auto&) -> Made { return fail(ErrorCode::kInvalidArgument, "this is no check"); }};
  auto probe = std::visit(visitor, spec.what);
  if (!probe) return fail_within("collector " + spec.id, std::move(probe).error());
  return std::unique_ptr<Check>(
      new Check(spec, std::move(context), std::move(*probe), std::move(type), std::move(target)));
}

Check::Check(CollectorSpec spec, CheckContext context, std::unique_ptr<Probe> probe, std::string type,
             std::string target)
    : spec_(std::move(spec)),
      context_(std::move(context)),
      stream_(Labels{{"check", spec_.name()}, {"instance", context_.instance}, {"job", "check"}, {"type", type}}),
      set_(context_.labels, stream_.with("target", to_utf8(target))),
      up_(set_.add("check_up", {})),
      duration_(set_.add("check_duration_seconds", {})),
      probe_(std::move(probe)) {
  for (const auto& metric : probe_->metrics()) measured_.push_back(set_.add(metric, {}));
}

Check::~Check() {
  if (stream_up_ != kNoLabels) context_.labels.release(stream_up_);
  if (stream_down_ != kNoLabels) context_.labels.release(stream_down_);
}

Status Check::collect(Time now, Batch& out) {
  const auto steady = context_.clock.steady();
  if (!looking_ && steady >= next_look_) {
    looking_ = in_look_ = true;
    began_ = steady;
    // The period counts from begin to begin; the agent's timer may be a little early.
    next_look_ = steady + spec_.period - std::min<Duration>(spec_.period / 10, Duration{20});
    probe_->look([this](Verdict verdict) {
      looking_ = false;
      fresh_ = true;
      verdict.text = to_utf8(verdict.text);
      verdict_ = std::move(verdict);
      took_ = context_.clock.steady() - began_;
      if (!in_look_ && context_.wake) context_.wake();
    });
    in_look_ = false;
  }
  if (fresh_) report(now, out);
  return {};
}

void Check::report(Time now, Batch& out) {
  fresh_ = false;
  set_.begin(now, out);
  set_.put(up_, verdict_.up ? 1 : 0);
  set_.put(duration_, std::chrono::duration<double>(took_).count());
  for (std::size_t i = 0; i < std::min(measured_.size(), verdict_.values.size()); ++i)
    if (!std::isnan(verdict_.values[i])) set_.put(measured_[i], verdict_.values[i]);
  set_.finish();
  if (told_ && last_told_.up == verdict_.up && last_told_.text == verdict_.text) return;
  told_ = true;
  last_told_ = verdict_;
  auto& stream = verdict_.up ? stream_up_ : stream_down_;
  if (stream == kNoLabels) stream = context_.labels.add(stream_.with("level", verdict_.up ? "info" : "error"));
  out.log(stream, now, verdict_.text);
}

void Check::finish(Time now, Batch& out) { set_.end_all(now, out); }

}  // namespace atalaya::collect::check
