#include "collect/scrape/pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "telemetry/log.h"

namespace atalaya::collect::scrape {
namespace {

constexpr std::uint64_t kMostBodyBytes = 256 << 20;
constexpr std::size_t kBatch = 50'000;

/// As far as a scrape that begins a little late still has the time at which it was due: regular times pack better.
Duration tolerance(Duration interval) { return std::min(Duration{2}, interval / 100); }

}  // namespace

ScrapeCounters scrape_counters(telemetry::Registry& metrics) {
  return {metrics.counter("atalaya_scrape_scrapes_total", "Scrapes that ended, in whatever way."),
          metrics.counter("atalaya_scrape_failures_total", "Scrapes after which their target counted as down."),
          metrics.counter("atalaya_scrape_samples_total", "Samples of scrapes, given to the store."),
          metrics.counter("atalaya_scrape_samples_lost_total", "Those that the store did not take.")};
}

void Turns::ask(std::function<void()> begin) {
  waiting_.push_back(std::move(begin));
  hand_out();
}

void Turns::end() {
  --running_;
  hand_out();
}

/// Who begins may end at once: the one call under way goes on, so that many of them need no deep stack.
void Turns::hand_out() {
  if (handing_out_) return;
  handing_out_ = true;
  while (running_ < most_ && !waiting_.empty()) {
    const auto next = std::move(waiting_.front());
    waiting_.pop_front();
    ++running_;
    next();
  }
  handing_out_ = false;
}

struct Pool::Target {
  TargetSpec spec;
  ScrapeState state;
  net::Timer timer;
  Time next{};  ///< when it is due
  Time at{};    ///< of the scrape under way
  Steady began{};
  bool busy = false;    ///< asked, or waiting to be
  bool asking = false;  ///< has a turn
  bool gone = false;
  std::uint64_t asked = 0;  ///< of an answer to an older question nobody wants to know
  std::string health = "unknown";
  std::string last_error;
  Time last_scrape{};
  Duration last_took{};
};

Pool::Pool(const PoolNeighbours& with, Turns& turns, TenantId tenant, ScrapeConfig config)
    : with_(with), turns_(turns), tenant_(std::move(tenant)), config_(std::move(config)) {}

Pool::~Pool() {
  for (auto& [key, target] : targets_) target->gone = true;
  for (auto& [key, target] : targets_) stop_asking(*target);
}

void Pool::start() {
  open();
  refresh();
}

/// Clients and lists of the job as it is now.
void Pool::open() {
  std::map<std::string, std::vector<TargetGroup>> listed;
  for (const auto& url : urls_) listed[url->url()] = url->groups();
  urls_.clear();
  files_.clear();
  for (auto& [key, target] : targets_) stop_asking(*target);
  fetcher_ = std::make_unique<Fetcher>(with_.loop, with_.files, with_.clock, config_.http);
  for (const auto& file : config_.files) {
    files_.emplace_back(with_.files, file);
    files_.back().look(with_.clock.steady());
  }
  for (const auto& url : config_.urls) {
    urls_.push_back(std::make_unique<HttpTargets>(with_.loop, with_.files, with_.clock, url, with_.options.user_agent,
                                                  [this] { refresh(); }));
    urls_.back()->start(std::move(listed[url.url]));
  }
}

void Pool::change(ScrapeConfig config) {
  config_ = std::move(config);
  for (auto& [key, target] : targets_) target->state.change();
  open();
  refresh();
}

void Pool::end() {
  const auto now = with_.clock.now();
  for (auto& [key, target] : targets_) {
    stop_asking(*target);
    target->gone = true;
    append(target->state.end(now));
  }
  targets_.clear();
}

void Pool::look_at_files() {
  bool changed = false;
  for (auto& file : files_) changed = file.look(with_.clock.steady()) || changed;
  if (changed) refresh();
}

void Pool::refresh() {
  auto groups = config_.groups;
  for (const auto& file : files_) {
    auto more = file.groups();
    groups.insert(groups.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }
  for (const auto& url : urls_) groups.insert(groups.end(), url->groups().begin(), url->groups().end());
  if (with_.options.tells_host) {
    for (auto& group : groups) group.labels[std::string(kHostLabel)] = with_.options.host;
  }
  auto made = make_targets(config_, groups, with_.options.host);
  dropped_ = std::move(made.dropped);
  if (made.errors != problems_) {
    for (const auto& problem : made.errors)
      telemetry::log_warn("scrape", "a target is left out", {{"reason", problem}});
    problems_ = std::move(made.errors);
  }
  refused_.clear();
  if (config_.target_limit > 0 && made.active.size() > config_.target_limit) {
    refused_ = fmt::format("target_limit exceeded (number of targets: {}, limit: {})", made.active.size(),
                           config_.target_limit);
  }
  std::map<std::uint64_t, TargetPtr> next;
  for (auto& spec : made.active) {
    const auto key = spec.key();
    const auto known = targets_.find(key);
    auto target = known == targets_.end() ? std::make_shared<Target>() : known->second;
    const bool reschedule = known == targets_.end() || target->spec.interval != spec.interval;
    target->spec = std::move(spec);
    if (reschedule) {
      target->next = Time{};
      schedule(target);
    }
    next.emplace(key, std::move(target));
  }
  const auto now = with_.clock.now();
  for (auto& [key, target] : targets_) {
    if (next.contains(key)) continue;
    stop_asking(*target);
    target->gone = true;
    target->timer.cancel();
    append(target->state.end(now));
  }
  targets_ = std::move(next);
}

/// The next of its times that has not passed.
void Pool::schedule(const TargetPtr& target) {
  const auto now = to_ms(with_.clock.now());
  const auto interval = target->spec.interval.count();
  auto next = now - now % interval + offset_of(target->spec.key(), target->spec.interval).count();
  while (next - interval > now) next -= interval;
  while (next <= now || next <= to_ms(target->next)) next += interval;
  // After the clock was set back the old times are no guide.
  if (next - now > 2 * interval) next = now + interval;
  target->next = from_ms(next);
  target->timer = with_.loop.after(Duration{next - now}, [this, weak = std::weak_ptr(target)] {
    if (const auto known = weak.lock(); known && !known->gone) due(known);
  });
}

void Pool::due(const TargetPtr& target) {
  const auto planned = target->next;
  schedule(target);
  if (target->busy) return;
  target->busy = true;
  const auto asked = ++target->asked;
  // The pool may be gone when its turn comes; then so is the target.
  turns_.ask([this, &turns = turns_, weak = std::weak_ptr(target), asked, planned] {
    const auto known = weak.lock();
    if (!known || known->gone || known->asked != asked) return turns.end();
    known->at = with_.clock.now();
    const auto late = known->at - planned;
    if (late >= Duration{0} && late <= tolerance(known->spec.interval)) known->at = planned;
    known->began = with_.clock.steady();
    ask(known);
  });
}

void Pool::ask(const TargetPtr& target) {
  if (!refused_.empty()) {
    return finish(target, fail(ErrorCode::kResourceExhausted, refused_));
  }
  FetchRequest request;
  request.url = target->spec.url;
  request.headers.set("Accept", config_.accept);
  request.headers.set("Accept-Encoding", config_.compression ? "gzip" : "identity");
  request.headers.set("User-Agent", with_.options.user_agent);
  request.headers.set("X-Prometheus-Scrape-Timeout-Seconds", fmt::format("{}", to_seconds(target->spec.timeout)));
  request.timeout = target->spec.timeout;
  request.most_bytes = config_.limits.body_bytes > 0 ? config_.limits.body_bytes : kMostBodyBytes;
  target->asking = true;
  fetcher_->get(std::move(request), [this, target, asked = target->asked](Result<Fetched> fetched) {
    if (!target->gone && target->asked == asked) finish(target, std::move(fetched));
  });
}

void Pool::finish(const TargetPtr& target, Result<Fetched> fetched) {
  target->asking = false;
  target->busy = false;
  with_.count.scrapes.add();
  Answer answer{{}, Format::kText, target->at, {}};
  answer.took = std::chrono::duration_cast<Duration>(with_.clock.steady() - target->began);
  if (fetched) {
    const auto format = format_of(fetched->content_type, config_.fallback);
    if (format) answer.format = *format;
    answer.body = format ? Result<std::string_view>(fetched->body) : std::unexpected(format.error());
  } else {
    answer.body = std::unexpected(fetched.error());
    if (fetched.error().code == ErrorCode::kTooLarge) answer.body.error().message = "body size limit exceeded";
  }
  auto scraped = target->state.take(config_, target->spec.labels, target->spec.timeout, answer,
                                    [this](const Labels& labels) { return with_.series.resolve(tenant_, labels); });
  target->health = scraped.error.empty() ? "up" : "down";
  if (!scraped.error.empty()) with_.count.failures.add();
  target->last_error = std::move(scraped.error);
  target->last_scrape = target->at;
  target->last_took = answer.took;
  append(std::move(scraped.samples));
  if (auto* const kept = with_.options.exemplars) {
    for (auto& [series, exemplar] : scraped.exemplars) kept->add(tenant_, series, std::move(exemplar));
  }
  turns_.end();
}

/// The answer under way is for nobody.
void Pool::stop_asking(Target& target) {
  ++target.asked;
  target.busy = false;
  if (std::exchange(target.asking, false)) turns_.end();
}

void Pool::append(std::vector<storage::SeriesSample> samples) {
  for (std::size_t from = 0; from < samples.size(); from += kBatch) {
    const auto size = std::min(kBatch, samples.size() - from);
    storage::SampleBatch batch;
    const auto begin = samples.begin() + static_cast<std::ptrdiff_t>(from);
    batch.samples.assign(begin, begin + static_cast<std::ptrdiff_t>(size));
    with_.count.samples.add(size);
    with_.series.append(tenant_, std::move(batch),
                        [&lost = with_.count.lost, size](const Result<storage::Appended>& done) {
                          if (done) return;
                          lost.add(size);
                          telemetry::log_warn("scrape", "samples are lost", {{"reason", to_string(done.error())}});
                        });
  }
}

void Pool::show(TargetsView& out) const {
  std::vector<TargetView> mine;
  for (const auto& [key, target] : targets_) {
    const auto& spec = target->spec;
    mine.push_back({config_.job, spec.discovered, spec.labels, spec.url, spec.global_url, spec.interval, spec.timeout,
                    target->health, target->last_error, target->last_scrape, target->last_took});
  }
  std::ranges::sort(mine, {}, &TargetView::labels);
  std::ranges::move(mine, std::back_inserter(out.active));
  out.dropped_counts[config_.job] += dropped_.size();
  auto shown = dropped_.size();
  if (config_.keep_dropped > 0) shown = std::min<std::size_t>(shown, config_.keep_dropped);
  for (std::size_t i = 0; i < shown; ++i) out.dropped.push_back({config_.job, dropped_[i]});
}

void Pool::show_metadata(std::string_view metric, std::vector<TargetMetadata>& out) const {
  for (const auto& [key, target] : targets_) {
    for (const auto& [name, metadata] : target->state.metadata()) {
      if (metric.empty() || metric == name) out.push_back({target->spec.labels, name, metadata});
    }
  }
}

}  // namespace atalaya::collect::scrape
