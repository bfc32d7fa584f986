#include "sim/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "alerts/queries.h"
#include "base/check.h"
#include "notify/queries.h"

namespace atalaya::sim {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

/// Within the retention of the store, with room for the samples that come late.
constexpr Duration kLookBack{hours{20}};

}  // namespace

World::World(std::uint64_t seed, const Story& story, bool faults)
    : random_(seed * 7919 + 1), truth_(seed, story), faulty_(faults), links_(story.hosts) {
  for (std::size_t i = 0; i < links_.size(); ++i) {
    auto& link = links_[i];
    link.agent = std::make_unique<AgentSide>("host" + std::to_string(i + 1), below(2) == 0, clock_,
                                             [this, &link](std::string frame) {
                                               if (!link.session || strikes(100)) return false;
                                               link.to_server.push_back(std::move(frame));
                                               return true;
                                             });
  }
  server_ = std::make_unique<ServerSide>(clock_, peers_, ledger_);
  server_->crash_point = [this] {
    if (strikes(3000)) throw Dies{};
  };
  server_->start();
}

void World::run() {
  for (const auto& stretch : truth_.stretches()) {
    storm_ = faulty_ && stretch.storm;
    if (stretch.calm_end) repair();
    for (int i = 0; i < stretch.steps; ++i) step(stretch);
  }
}

void World::step(const Stretch& stretch) {
  ++steps_;
  clock_.advance(stretch.step);
  truth_.advance(stretch);
  if (storm_) faults();
  const auto now = clock_.now();
  if (!server_->alive() && now >= server_until_) {
    try {
      server_->start();
    } catch (const Dies&) {
      end_server();
    }
  }
  for (std::size_t i = 0; i < links_.size(); ++i) {
    auto& link = links_[i];
    if (!link.agent->alive() && now >= link.agent_until) link.agent->start();
    if (!link.agent->alive()) continue;
    link.agent->collect(truth_.host(i));
    if (link.agent->files().struck()) {
      end_agent(link);
      continue;
    }
    connect(link);
    deliver(link);
  }
  if (!server_->alive()) return;
  try {
    server_->run();
  } catch (const Dies&) {
    end_server();
  }
}

/// Chooses what breaks in this second.
void World::faults() {
  const auto now = clock_.now();
  for (auto& link : links_) {
    if (below(40) == 0) cut(link);
    if (below(120) == 0) link.down_until = now + up_to(below(10) == 0 ? Duration{hours{4}} : Duration{minutes{2}});
    if (link.down_until > now) cut(link);
    if (!link.agent->alive()) continue;
    if (below(120) == 0) {
      end_agent(link);
      continue;
    }
    if (below(100) == 0) {
      ++disk_faults_;
      if (below(3) == 0) {
        link.agent->files().arm(io::Fault::kPowerCut, 1 + below(4));  // dies in the midst of it
      } else {
        link.agent->files().arm(below(2) == 0 ? io::Fault::kNoSpace : io::Fault::kTear, 1 + below(4), below(2) == 0);
      }
    } else if (below(10) == 0 && !link.agent->files().struck()) {
      link.agent->files().disarm();
    }
  }
  for (const auto* channel : {"steady", "flaky"})
    if (below(30) == 0) peers_.states[channel] = below(2) == 0 ? Peer::kUp : Peer::kDown;
  if (below(100) == 0) peers_.states["flaky"] = Peer::kRefuses;
  if (!server_->alive()) return;
  if (below(150) == 0) return end_server();
  if (below(100) == 0) {
    ++disk_faults_;
    if (below(2) == 0) {
      server_->files().arm(io::Fault::kPowerCut, 1 + below(12));
    } else {
      server_->files().arm(below(2) == 0 ? io::Fault::kNoSpace : io::Fault::kTear, 1 + below(12), below(2) == 0);
    }
  } else if (below(10) == 0) {
    server_->files().disarm();
  }
}

/// From now on everything goes well.
void World::repair() {
  for (auto& [channel, state] : peers_.states) state = Peer::kUp;
  for (auto& link : links_) {
    if (link.agent->alive() && link.agent->files().struck()) end_agent(link);
    link.down_until = link.agent_until = kMinTime;
    if (link.agent->alive()) link.agent->files().disarm();
  }
  if (server_->alive() && server_->struck()) end_server();
  server_until_ = kMinTime;
  if (server_->alive()) server_->files().disarm();
}

void World::connect(Link& link) {
  if (link.session || !server_->alive() || clock_.now() < link.down_until) return;
  const auto mine = ++link.connection;
  link.close_wanted = false;
  link.session = server_->hub().open(
      {default_tenant(), AgentId{link.agent->name()}, link.agent->name()},
      [&link, mine](std::string frame) {
        if (mine == link.connection) link.to_agent.push_back(std::move(frame));
      },
      [this, &link, mine](std::uint16_t code, const std::string& reason) {
        if (mine != link.connection) return;
        link.close_wanted = true;
        if (code != ingest::kCloseTryLater)
          ledger_.complaints.push_back(fmt::format("{} was closed with {}: {}", link.agent->name(), code, reason));
      });
  link.agent->stream().opened();
  // The hello did not fit: the uplink would come again.
  if (link.to_server.empty()) cut(link);
}

void World::cut(Link& link) {
  if (!link.session) return;
  ++cuts_;
  const auto session = std::exchange(link.session, nullptr);
  ++link.connection;
  if (server_->alive()) server_->hub().closed(session);
  if (link.agent->alive()) link.agent->stream().closed();
  link.to_server.clear();
  link.to_agent.clear();
}

/// Frames go to and fro until nobody has anything to say.
void World::deliver(Link& link) {
  while (link.session && (!link.to_server.empty() || !link.to_agent.empty())) {
    if (strikes(200)) return cut(link);
    if (strikes(400)) return end_agent(link);
    const bool up = link.to_agent.empty() || (!link.to_server.empty() && below(2) == 0);
    auto& queue = up ? link.to_server : link.to_agent;
    const auto frame = std::move(queue.front());
    queue.pop_front();
    if (up) {
      link.session->on_frame(frame);
      if (server_->struck() && storm_ && below(2) == 0) return end_server();
      if (link.close_wanted) return cut(link);
    } else if (const auto taken = link.agent->stream().on_frame(frame); !taken) {
      ledger_.complaints.push_back("the agent refuses a frame: " + to_string(taken.error()));
      return cut(link);
    }
    link.agent->settle();
  }
  if (link.session) link.agent->stream().pump();
}

void World::end_server() {
  ++server_ends_;
  for (auto& link : links_) cut(link);
  if (below(2) == 0) {
    server_->kill();
  } else {
    server_->power_cut(random_());
  }
  server_until_ = clock_.now() + up_to(below(4) == 0 ? Duration{minutes{15}} : Duration{seconds{10}});
}

void World::end_agent(Link& link) {
  ++agent_ends_;
  cut(link);
  if (below(2) == 0) {
    link.agent->kill();
  } else {
    link.agent->power_cut(random_());
  }
  link.agent_until = clock_.now() + up_to(below(4) == 0 ? Duration{minutes{30}} : Duration{seconds{10}});
}

Outcome World::outcome() {
  Outcome out;
  alerts::Filter filter;
  filter.limit = 1000;
  const auto page = alerts::Queries(server_->database()).list(default_tenant(), filter);
  AT_CHECK(page);
  for (const auto& alert : page->alerts) {
    auto& state = out[alert.rule + to_string(alert.labels)];
    state = alerts::name(alert.state);
    // What it was before its data stopped depends on what arrived of it.
    if (alert.state != alerts::State::kNoData) state += fmt::format(" {}", alerts::name(alert.severity));
  }
  return out;
}

std::vector<std::string> World::complaints() {
  auto out = ledger_.complaints;
  for (const auto& sentence : server_->damaged()) out.push_back("set aside after a cut: " + sentence);
  for (auto& link : links_)
    if (!link.agent->drained()) out.push_back(link.agent->name() + " still has records that nobody acknowledged");
  check_store(out);
  check_lines(out);
  check_pages(out);
  return out;
}

void World::check_store(std::vector<std::string>& out) {
  for (auto& link : links_) {
    const auto& name = link.agent->name();
    const auto& stored = ledger_.counters[name];
    for (std::size_t i = 1; i < stored.size(); ++i)
      if (stored[i].value <= stored[i - 1].value)
        out.push_back(fmt::format("{}: batch {} is stored after batch {}", name, stored[i].value, stored[i - 1].value));
    std::set<std::uint64_t> known;
    for (const auto& counter : stored) known.insert(counter.value);
    for (const auto counter : link.agent->acknowledged())
      if (!known.contains(counter))
        out.push_back(fmt::format("{}: batch {} was acknowledged and is not stored", name, counter));

    // What a query finds is what was told.
    const auto from = clock_.now() - kLookBack;
    std::vector<std::uint64_t> expected, found;
    for (const auto& counter : stored)
      if (counter.time >= from) expected.push_back(counter.value);
    const auto selected = server_->series().select(
        default_tenant(), {Matcher::equal("__name__", "sim_counter"), Matcher::equal("instance", name)},
        {from, clock_.now()});
    AT_CHECK(selected);
    Sample sample;
    for (const auto& one : *selected)
      while (one.samples->next(sample)) found.push_back(static_cast<std::uint64_t>(sample.value));
    if (found != expected)
      out.push_back(fmt::format("{}: a query finds {} batches, {} were stored", name, found.size(), expected.size()));
  }
}

void World::check_lines(std::vector<std::string>& out) {
  for (std::size_t i = 0; i < links_.size(); ++i) {
    const auto& agent = *links_[i].agent;
    const auto& written = truth_.host(i).lines;
    auto stored = ledger_.lines[agent.name()];
    if (agent.lines_recorded() != written.size())
      out.push_back(
          fmt::format("{}: {} lines were written, {} were read", agent.name(), written.size(), agent.lines_recorded()));
    if (agent.lines_may_repeat()) {
      const auto number = [](const std::string& line) { return std::stoull(line); };
      std::ranges::sort(stored, {}, number);
      stored.erase(std::ranges::unique(stored).begin(), stored.end());
    }
    if (stored != written)
      out.push_back(fmt::format("{}: {} lines are stored, {} were written; they differ", agent.name(), stored.size(),
                                written.size()));
  }
}

void World::check_pages(std::vector<std::string>& out) {
  for (const auto& key : peers_.repeated) out.push_back("notification " + key + " came twice");
  auto& database = server_->database();
  const auto unfinished = notify::Queries(database).unfinished();
  AT_CHECK(unfinished);
  for (const auto& delivery : *unfinished) out.push_back("notification " + delivery.key + " was never delivered");
  // One channel never refused anything: what it was told last about an alert is how the alert stands.
  std::map<std::string, Page> last;
  for (const auto& page : peers_.pages)
    if (page.channel == "steady") last[page.alert] = page;
  alerts::Filter filter;
  filter.limit = 1000;
  filter.state = alerts::StateFilter::kAll;
  const auto all = alerts::Queries(database).list(default_tenant(), filter);
  AT_CHECK(all);
  for (const auto& alert : all->alerts) {
    if (!alert.told) continue;
    const auto told = last.find(alert.id.value());
    const auto state = std::string(alerts::name(alert.state));
    if (alert.state == alerts::State::kPending) continue;
    if (told == last.end() || told->second.change != state)
      out.push_back(fmt::format("{} is {}, people were told {}", to_string(alert.labels), state,
                                told == last.end() ? "nothing" : told->second.change));
  }
}

std::string World::statistics() const {
  std::size_t batches = 0;
  for (const auto& [host, counters] : ledger_.counters) batches += counters.size();
  return fmt::format(
      "{} steps, {} batches, {} cuts, {} ends of agents, {} of the server, {} disk faults, {} alerts opened, {} pages",
      steps_, batches, cuts_, agent_ends_, server_ends_, disk_faults_, ledger_.opened, peers_.pages.size());
}

}  // namespace atalaya::sim
