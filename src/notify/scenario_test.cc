// Runs test/scripts/alerts/*.test: the story of an alert as a person tells it, on a simulated clock.
//   channels: hook mail                       the tenant's channels, first line
//   at 5m: judge warning disk value=0.1 for=1m sustained late age=40m
//   at 5m: ack disk ana | channel hook up|down|refuse | retire <reason> | crash | tick
//   at 5m: post backup [for=5m] | over backup               somebody's alert; its end
//   at 5m: silence s1 backup for=1h [in=10m] | expire s1    by alertname, rules' and posted ones
//   at 5m: shelve backup 1h | close backup                  posted ones
//   expect alert disk firing critical         the alert as it stands; `posted` for a posted one
//   expect page hook firing disk [late]       a page that arrived and was not expected before
//   expect nothing                            no other page arrived
//   expect delivery hook retrying             state of the newest delivery of a channel
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "alerts/silence.h"
#include "notify/scenario_world.h"

namespace atalaya::notify::scenario {
namespace {

constexpr Time kStart = from_ms(1'700'000'000'000);

/// Reads one script and plays it. `crash_at` kills the process at that crash point, counted from 0.
class Script {
 public:
  explicit Script(const std::filesystem::path& path, int crash_at = -1) : path_(path), crash_at_(crash_at) {}

  void play() {
    std::ifstream file(path_);
    std::string line;
    while (std::getline(file, line) && !testing::Test::HasFatalFailure()) {
      ++number_;
      if (line.empty() || line.starts_with('#')) continue;
      SCOPED_TRACE(path_.filename().string() + ":" + std::to_string(number_) + ": " + line);
      std::istringstream words(line);
      std::string first;
      words >> first;
      if (first == "channels:") {
        begin(words);
      } else if (first == "at") {
        at(words);
      } else if (first == "expect") {
        expect(words);
      } else {
        FAIL() << "unknown line";
      }
    }
  }

  World& world() { return *world_; }
  int points() const { return points_; }

 private:
  static std::vector<std::string> rest(std::istringstream& words) {
    return {std::istream_iterator<std::string>(words), {}};
  }

  void begin(std::istringstream& words) {
    world_ = std::make_unique<World>(rest(words), kStart);
    world_->crash = [this](std::string_view) {
      if (points_++ == crash_at_) throw Dies{};
    };
  }

  void at(std::istringstream& words) {
    std::string time, verb;
    words >> time >> verb;
    ASSERT_TRUE(time.ends_with(':'));
    const auto offset = parse_duration(std::string_view(time).substr(0, time.size() - 1));
    ASSERT_TRUE(offset) << to_string(offset.error());
    world_->advance_to(kStart + *offset);
    const auto arguments = rest(words);
    if (verb == "judge") {
      world_->judge({judgement(arguments)});
    } else if (verb == "ack") {
      // The answer is lost if the process dies; a person asks again.
      const auto id = id_of(arguments.at(0));
      auto status = world_->command(alerts::Acknowledge{id, arguments.at(1), ""});
      if (!status) status = world_->command(alerts::Acknowledge{id, arguments.at(1), ""});
      EXPECT_TRUE(status);
    } else if (verb == "post" || verb == "over") {
      person(alerts::Posted{"test", {posted(arguments, verb == "over")}});
    } else if (verb == "silence") {
      person(alerts::SetSilence{silence(arguments), arguments.at(0), nullptr});
    } else if (verb == "expire") {
      person(alerts::ExpireSilence{arguments.at(0)});
    } else if (verb == "shelve") {
      person(alerts::Shelve{posted_id(arguments.at(0)), "ana", "", world_->now() + *parse_duration(arguments.at(1))});
    } else if (verb == "close") {
      person(alerts::Close{posted_id(arguments.at(0)), "ana", ""});
    } else if (verb == "channel") {
      const auto& mode = arguments.at(1);
      world_->peers[arguments.at(0)] = mode == "up" ? Peer::kUp : mode == "down" ? Peer::kDown : Peer::kRefuses;
    } else if (verb == "retire") {
      auto status = world_->command(alerts::Retire{std::set<std::string>{}, "", "gone"});
      if (!status) status = world_->command(alerts::Retire{std::set<std::string>{}, "", "gone"});
      EXPECT_TRUE(status);
    } else if (verb == "crash") {
      world_->restart();
    } else {
      ASSERT_EQ(verb, "tick");
    }
  }

  /// The answer is lost if the process dies; a person asks again, and what is done already is no fault.
  template <typename Body>
  void person(const Body& body) {
    auto status = world_->command(body);
    if (status) return;
    status = world_->command(body);
    EXPECT_TRUE(status || status.error().code == ErrorCode::kConflict) << to_string(status.error());
  }

  /// The value of `key=…` among the words.
  static std::optional<Duration> option(const std::vector<std::string>& words, const std::string& key) {
    for (const auto& word : words) {
      if (word.starts_with(key + "=")) return *parse_duration(std::string_view(word).substr(key.size() + 1));
    }
    return std::nullopt;
  }

  alerts::PostedAlert posted(const std::vector<std::string>& words, bool over) const {
    alerts::PostedAlert out;
    out.labels = labels(words.at(0));
    out.starts = out.received = world_->now();
    out.ends = over ? world_->now() : world_->now() + option(words, "for").value_or(std::chrono::minutes{5});
    return out;
  }
  static AlertId posted_id(const std::string& name) { return alerts::identity(default_tenant(), "", labels(name)); }
  alerts::Silence silence(const std::vector<std::string>& words) const {
    alerts::Silence out;
    out.matchers = {Matcher::equal("alertname", words.at(1))};
    out.starts = world_->now() + option(words, "in").value_or(Duration::zero());
    out.ends = out.starts + option(words, "for").value();
    return out;
  }

  static AlertId id_of(const std::string& name) {
    return alerts::identity(default_tenant(), "test/rules/" + name, labels(name));
  }
  static Labels labels(const std::string& name) { return Labels{{"alertname", name}, {"instance", "web1"}}; }

  alerts::Judgement judgement(const std::vector<std::string>& words) {
    alerts::Judgement j;
    for (const auto level : {alerts::Level::kOk, alerts::Level::kWarning, alerts::Level::kCritical,
                             alerts::Level::kNoData, alerts::Level::kError}) {
      if (words.at(0) == alerts::name(level)) j.level = level;
    }
    j.rule = "test/rules/" + words.at(1);
    j.labels = labels(words.at(1));
    j.at = world_->now();
    for (std::size_t i = 2; i < words.size(); ++i) {
      const auto& word = words[i];
      const auto value = word.substr(std::min(word.size(), word.find('=') + 1));
      if (word == "sustained") j.sustained = true;
      if (word == "late") j.late = true;
      if (word.starts_with("for=")) j.hold = *parse_duration(value);
      if (word.starts_with("age=")) j.at -= *parse_duration(value);
      if (word.starts_with("value=")) j.value = std::stod(value);
    }
    return j;
  }

  void expect(std::istringstream& words) {
    const auto w = rest(words);
    if (w.at(0) == "alert" || w.at(0) == "posted") {
      const auto id = w.at(0) == "alert" ? id_of(w.at(1)) : posted_id(w.at(1));
      const auto details = alerts::Queries(world_->database()).get(default_tenant(), id);
      ASSERT_TRUE(details);
      EXPECT_EQ(alerts::name(details->alert.state), w.at(2));
      EXPECT_EQ(alerts::name(details->alert.severity), w.at(3));
    } else if (w.at(0) == "page") {
      const bool late = w.size() > 4;
      const auto it = std::ranges::find_if(world_->pages, [&](const Page& p) {
        return p.channel == w.at(1) && p.change == w.at(2) && p.alert == w.at(3) && p.late == late;
      });
      ASSERT_NE(it, world_->pages.end()) << "no such page arrived";
      world_->pages.erase(it);
    } else if (w.at(0) == "nothing") {
      for (const auto& p : world_->pages) ADD_FAILURE() << "a page: " << p.channel << " " << p.change << " " << p.alert;
    } else {
      ASSERT_EQ(w.at(0), "delivery");
      const auto all = Queries(world_->database()).list(default_tenant(), 1000);
      ASSERT_TRUE(all);
      const auto it = std::ranges::find_if(*all, [&](const auto& d) { return d.delivery.channel == w.at(1); });
      ASSERT_NE(it, all->end());
      EXPECT_EQ(name(it->delivery.state), w.at(2));
    }
  }

  std::filesystem::path path_;
  int crash_at_;
  int points_ = 0;
  int number_ = 0;
  std::unique_ptr<World> world_;
};

std::vector<std::filesystem::path> scripts() {
  std::vector<std::filesystem::path> found;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(AT_SOURCE_DIR) / "test/scripts/alerts")) {
    if (entry.path().extension() == ".test") found.push_back(entry.path());
  }
  std::ranges::sort(found);
  return found;
}

class Scripts : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(Scripts, TellTheTruth) { Script(GetParam()).play(); }

/// The process dies once, at each crash point in turn: the same expectations hold, so nothing is lost
/// and nobody is paged twice; a page comes again, under its key, only if the process died between
/// sending it and storing that.
TEST_P(Scripts, HoldWhereverTheProcessDies) {
  Script whole(GetParam());
  whole.play();
  // Every point of a short story; a long one (a day of retries) is sampled evenly.
  const int stride = whole.points() <= 600 ? 1 : whole.points() / 60;
  int died = 0;
  for (int point = 0;; point += stride) {
    Script script(GetParam(), point);
    SCOPED_TRACE("dies at crash point " + std::to_string(point));
    script.play();
    if (script.points() <= point) break;
    EXPECT_EQ(script.world().crashes, 1);
    // At most the attempts under way: one for each of two channels.
    EXPECT_LE(script.world().repeated.size(), 2u);
    ++died;
    if (HasFailure()) break;
  }
  EXPECT_GT(died, 10);
}

INSTANTIATE_TEST_SUITE_P(Alerts, Scripts, testing::ValuesIn(scripts()), [](const auto& tested) {
  auto name = tested.param.stem().string();
  return name;
});

}  // namespace
}  // namespace atalaya::notify::scenario

namespace atalaya::notify::scenario {
namespace {

struct Told {
  std::string state;
  std::string severity;
  bool operator==(const Told&) const = default;
};

/// Does what flaps open again before its end was told?
bool comes_back(const std::vector<alerts::HistoryLine>& history, std::size_t end) {
  for (auto i = end + 1; i < history.size() && history[i].at <= history[end].at + alerts::kCalm; ++i) {
    if (history[i].to == "steady") return false;
    if (history[i].episode != history[end].episode) return true;
  }
  return false;
}

/// What people must have been told, from the history: the states that count, since the alert opened.
std::vector<Told> expected(const alerts::Details& details) {
  std::vector<Told> out;
  bool told = false;
  bool flaps = false;
  for (std::size_t i = 0; i < details.history.size(); ++i) {
    const auto& line = details.history[i];
    if (line.to == "flapping" || line.to == "steady") flaps = line.to == "flapping";
    if (line.to == "resolved" && told && flaps && comes_back(details.history, i)) continue;
    const bool opens = line.to == "firing" || line.to == "no_data";
    const Told news{line.to, std::string(alerts::name(line.severity))};
    if ((opens || (line.to == "resolved" && told)) && (!told || out.back() != news)) out.push_back(news);
    told = opens || (told && line.to != "resolved");
  }
  return out;
}

class Random : public testing::TestWithParam<std::uint64_t> {};

/// Verdicts, outages and deaths in any order: in the end each channel was told exactly what the
/// history says, once, in order; never the same twice running; and the last word is the state.
TEST_P(Random, NothingIsLostAndNothingToldTwice) {
  std::mt19937_64 random(GetParam());
  const auto roll = [&](std::uint64_t n) { return random() % n; };
  World world({"hook", "mail"}, kStart);
  world.crash = [&](std::string_view) {
    if (roll(60) == 0) throw Dies{};
  };
  const std::vector<std::string> names{"a", "b", "c"};
  const auto labels = [](const std::string& name) { return Labels{{"alertname", name}}; };
  for (int i = 0; i < 150; ++i) {
    world.advance_to(world.now() + Duration{static_cast<std::int64_t>(roll(120'000))});
    if (roll(10) == 0) world.peers[roll(2) == 0 ? "hook" : "mail"] = roll(2) == 0 ? Peer::kDown : Peer::kUp;
    std::vector<alerts::Judgement> batch;
    for (std::uint64_t n = 0; n <= roll(3); ++n) {
      alerts::Judgement j;
      const auto& name = names[roll(names.size())];
      j.rule = "test/rules/" + name;
      j.labels = labels(name);
      j.level = static_cast<alerts::Level>(roll(4));
      j.at = world.now();
      j.hold = Duration{roll(2) == 0 ? 0 : 60'000};
      j.sustained = roll(3) == 0;
      batch.push_back(j);
    }
    world.judge(std::move(batch));
  }
  world.peers.clear();
  world.crash = {};
  world.advance_to(world.now() + std::chrono::hours{1});
  for (const auto& name : names) {
    const auto details =
        alerts::Queries(world.database())
            .get(default_tenant(), alerts::identity(default_tenant(), "test/rules/" + name, labels(name)));
    ASSERT_TRUE(details);
    const auto wanted = expected(*details);
    for (const auto* channel : {"hook", "mail"}) {
      std::vector<Told> told;
      for (const auto& page : world.pages) {
        if (page.channel == channel && page.alert == name) told.push_back({page.change, page.severity});
      }
      EXPECT_EQ(told.size(), wanted.size()) << channel << " " << name;
      EXPECT_TRUE(told == wanted) << channel << " " << name;
      EXPECT_EQ(std::ranges::adjacent_find(told), told.end()) << channel << " " << name;
    }
  }
  EXPECT_TRUE(Queries(world.database()).unfinished()->empty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, Random, testing::Range<std::uint64_t>(1, 21));

}  // namespace
}  // namespace atalaya::notify::scenario
