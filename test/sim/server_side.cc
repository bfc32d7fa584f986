#include "sim/server_side.h"

#include <gtest/gtest.h>

#include "app/to_judgement.h"
#include "base/check.h"
#include "notify/queries.h"

namespace atalaya::sim {
namespace {

constexpr const char* kSamplesCursor = "samples";
constexpr const char* kLogsCursor = "logs";

rules::RuleSpec rule(std::string name,
                     std::variant<rules::GaugeSpec, rules::BinarySpec, rules::TailableSpec> threshold) {
  rules::RuleSpec out;
  out.tenant = default_tenant();
  out.id = "sim/host/" + name;
  out.name = std::move(name);
  out.threshold = std::move(threshold);
  return out;
}

}  // namespace

std::vector<rules::RuleSpec> rules_of_story() {
  std::vector<rules::RuleSpec> out;
  out.push_back(rule("level", rules::GaugeSpec{"sim_level", true, 70, 90, 5}));
  out.back().for_duration = std::chrono::seconds{30};
  out.push_back(rule("up", rules::BinarySpec{"sim_up", 2}));
  out.push_back(rule("highest", rules::GaugeSpec{"max(sim_level)", true, 70, 90}));
  rules::TailableSpec lines;
  lines.match = R"({file="/sim.log"})";
  lines.pattern = "ERROR";
  out.push_back(rule("errors", lines));
  return out;
}

ServerSide::ServerSide(const Clock& clock, Peers& peers, Ledger& ledger)
    : clock_(clock), peers_(peers), ledger_(ledger), files_(disk_), book_(peers.book({"steady", "flaky"})) {
  database_ = std::move(*db::open_sqlite(":memory:"));
  auto migrations = control::Loop::migrations();
  for (const auto& more : {alerts::Machine::migrations(), notify::Outbox::migrations()})
    migrations.insert(migrations.end(), more.begin(), more.end());
  AT_CHECK(database_->migrate(migrations));
}

ServerSide::~ServerSide() { lose_memory(); }

void ServerSide::open_stores() {
  tsdb::Options series;
  series.directory = "/data/series";
  series.segment_bytes = 256 << 10;
  series.commit_inline = true;
  auto opened_series = tsdb::Store::open(files_, clock_, *registry_, series);
  AT_CHECK(opened_series);
  series_ = std::move(*opened_series);
  logdb::Options logs;
  logs.directory = "/data/logs";
  logs.segment_bytes = 256 << 10;
  logs.commit_inline = true;
  auto opened_logs = logdb::Store::open(files_, clock_, *registry_, logs);
  AT_CHECK(opened_logs);
  logs_ = std::move(*opened_logs);
  for (const auto& sentence : series_->report().damaged) damaged_.push_back(sentence);
  for (const auto& sentence : logs_->report().damaged) damaged_.push_back(sentence);

  const auto labels_of = [this](SeriesId id) { return series_->labels_of(default_tenant(), id); };
  // Durable when it died, but nobody had heard of it yet.
  AT_CHECK(series_->replay(ledger_.samples_position, [&](const auto& batch) { ledger_.committed(batch, labels_of); }));
  AT_CHECK(logs_->replay(ledger_.logs_position, [&](const auto& batch) { ledger_.committed(batch); }));
  series_->listen([this, labels_of](const storage::CommittedSamples& batch) {
    ledger_.committed(batch, labels_of);
    queue_.emplace_back(Samples{batch.position, {batch.samples.begin(), batch.samples.end()}});
  });
  logs_->listen([this](const storage::CommittedLogs& batch) {
    ledger_.committed(batch);
    queue_.emplace_back(Lines{batch.position, {batch.records.begin(), batch.records.end()}});
  });
}

void ServerSide::open_control() {
  outbox_ = std::make_unique<notify::Outbox>(*book_, notify::OutboxOptions{.external_url = "http://atalaya"});
  machine_ = std::make_unique<alerts::Machine>(outbox_.get());
  loop_ = std::make_unique<control::Loop>(*database_, std::vector<control::Machine*>{machine_.get(), outbox_.get()},
                                          control::LoopOptions{}, [this](std::string_view) {
                                            if (crash_point) crash_point();
                                          });
  loop_->listen<notify::DeliveryQueued>(
      [this](const TenantId&, const notify::DeliveryQueued& queued) { deliveries_->add(queued.delivery); });
  loop_->listen<alerts::AlertChanged>([this](const TenantId&, const alerts::AlertChanged& changed) {
    if (changed.transition) ledger_.changed(changed.alert);
  });
  AT_CHECK(loop_->restore());
  deliveries_ = std::make_unique<notify::Deliveries>();
  auto unfinished = notify::Queries(*database_).unfinished();
  AT_CHECK(unfinished);
  for (auto& delivery : *unfinished) deliveries_->add(std::move(delivery));
}

void ServerSide::catch_up() {
  engine_ = std::make_unique<rules::Engine>(*series_, *this);
  AT_CHECK(engine_->set_rules(rules_of_story(), clock_.now()));
  hand_over({});
  auto open = alerts::Queries(*database_).open();
  AT_CHECK(open);
  std::vector<rules::OpenAlert> known;
  for (const auto& alert : *open) known.push_back(app::to_open(alert));
  const storage::LogPosition samples{loop_->cursor(kSamplesCursor)};
  const storage::LogPosition lines{loop_->cursor(kLogsCursor)};
  engine_->restore(known, clock_.now());
  hand_over({});
  AT_CHECK(series_->replay(samples, [this](const storage::CommittedSamples& batch) {
    queue_.emplace_back(Samples{batch.position, {batch.samples.begin(), batch.samples.end()}});
  }));
  AT_CHECK(logs_->replay(lines, [this](const storage::CommittedLogs& batch) {
    queue_.emplace_back(Lines{batch.position, {batch.records.begin(), batch.records.end()}});
  }));
}

void ServerSide::start() {
  files_.disarm();
  registry_ = std::make_unique<telemetry::Registry>();
  open_stores();
  open_control();
  catch_up();
  hub_ = std::make_unique<ingest::AgentHub>(*series_, *logs_, *registry_, clock_,
                                            static_cast<ingest::AgentDirectory&>(*this));
}

void ServerSide::lose_memory() {
  // Destructors reach no disk any more.
  if (!files_.struck()) files_.arm(io::Fault::kPowerCut, 1);
  hub_.reset();
  engine_.reset();
  loop_.reset();
  machine_.reset();
  outbox_.reset();
  deliveries_.reset();
  series_.reset();
  logs_.reset();
  registry_.reset();
  queue_.clear();
  gathered_.clear();
  ledger_.judge_ended();
}

void ServerSide::kill() { lose_memory(); }

void ServerSide::power_cut(std::uint64_t seed) {
  lose_memory();
  disk_.power_cut_keeping_some(seed);
}

void ServerSide::judge(const Samples& work) {
  const storage::CommittedSamples batch{default_tenant(), work.position, work.samples};
  ledger_.judging(batch, [this](SeriesId id) { return series_->labels_of(default_tenant(), id); });
  engine_->on_samples(batch, clock_.now());
  hand_over(control::Cursor{kSamplesCursor, work.position.value});
}

void ServerSide::judge(const Lines& work) {
  engine_->on_logs({default_tenant(), work.position, work.records}, clock_.now());
  hand_over(control::Cursor{kLogsCursor, work.position.value});
}

void ServerSide::hand_over(std::optional<control::Cursor> cursor) {
  control::Event event{default_tenant(), {}, {}, std::move(cursor)};
  if (!gathered_.empty()) {
    alerts::Judged judged;
    for (auto& verdict : std::exchange(gathered_, {}))
      judged.judgements.push_back(app::to_judgement(std::move(verdict)));
    event.body = std::move(judged);
  } else if (!event.cursor) {
    return;
  }
  AT_CHECK(loop_->post(std::move(event)));
  settle();
}

void ServerSide::run() {
  while (!queue_.empty()) {
    const auto work = std::move(queue_.front());
    queue_.pop_front();
    std::visit([this](const auto& one) { judge(one); }, work);
  }
  engine_->on_tick(clock_.now());
  hand_over({});
  settle();
}

void ServerSide::settle() {
  const auto now = clock_.now();
  for (bool busy = true; busy;) {
    busy = false;
    while (!loop_->idle() || (loop_->next_due() && *loop_->next_due() <= now)) {
      AT_CHECK(loop_->step(now));
      busy = true;
    }
    while (const auto delivery = deliveries_->take(now)) {
      attempt(*delivery);
      busy = true;
    }
  }
}

void ServerSide::attempt(const notify::Delivery& delivery) {
  const auto now = clock_.now();
  notify::Message message;
  message.key = delivery.key;
  message.data = boost::json::parse(delivery.payload).as_object();
  const auto result = book_->find(delivery.tenant, delivery.channel)->send(message, now);
  try {
    if (crash_point) crash_point();
    const auto decision = deliveries_->finish(delivery.tenant, delivery.key, result, now);
    notify::AttemptFinished finished{delivery.key,
                                     {.number = decision.attempt, .at = now, .ok = result.ok, .answer = result.answer},
                                     decision.state,
                                     decision.next_attempt};
    AT_CHECK(loop_->post({delivery.tenant, std::move(finished), {}, {}}));
    // Kept before anything else happens, so that a death beyond here leaves no doubt.
    while (!loop_->idle()) AT_CHECK(loop_->step(now));
  } catch (const Dies&) {
    if (result.ok) peers_.in_doubt(delivery.key);
    throw;
  }
}

}  // namespace atalaya::sim
