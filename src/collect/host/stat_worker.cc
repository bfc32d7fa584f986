#include "collect/host/stat_worker.h"

#include <cerrno>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

namespace atalaya::collect::host {
namespace {

constexpr Duration kEvery{5'000};
constexpr Duration kTimeout{5'000};
/// Whoever was not asked about for so long is not mounted any more.
constexpr Duration kForget{60'000};

}  // namespace

struct StatWorker::Shared {
  struct Entry {
    std::optional<Answer> answer;
    Time asked = kMinTime;
    Time wanted = kMinTime;
    bool waiting = false;
  };

  std::mutex mutex;
  std::condition_variable wake;
  bool stopping = false;
  bool started = false;
  std::map<std::string, Entry> entries;
  std::deque<std::string> queue;  ///< at most one place an entry

  void run() {
    std::unique_lock lock(mutex);
    for (;;) {
      wake.wait(lock, [&] { return stopping || !queue.empty(); });
      if (stopping) return;
      const auto path = std::move(queue.front());
      queue.pop_front();
      lock.unlock();
      Answer answer;
      if (::statfs(path.c_str(), &answer.state) != 0) answer.error = errno;
      lock.lock();
      const auto found = entries.find(path);
      if (found == entries.end()) continue;
      found->second.answer = answer;
      found->second.waiting = false;
    }
  }
};

StatWorker::StatWorker() : shared_(std::make_shared<Shared>()) {}

StatWorker::~StatWorker() {
  const std::lock_guard lock(shared_->mutex);
  shared_->stopping = true;
  shared_->wake.notify_all();
}

std::optional<StatWorker::Answer> StatWorker::ask(const std::string& path, Time now) {
  auto& shared = *shared_;
  const std::lock_guard lock(shared.mutex);
  if (!shared.started) {
    shared.started = true;
    std::thread([kept = shared_] { kept->run(); }).detach();
  }
  auto& entry = shared.entries[path];
  entry.wanted = now;
  if (!entry.waiting && (entry.asked == kMinTime || now - entry.asked >= kEvery)) {
    entry.asked = now;
    entry.waiting = true;
    shared.queue.push_back(path);
    shared.wake.notify_one();
    std::erase_if(shared.entries,
                  [&](const auto& other) { return !other.second.waiting && now - other.second.wanted >= kForget; });
  }
  if (entry.waiting && now - entry.asked >= kTimeout) return Answer{.state = {}, .error = ETIMEDOUT};
  return entry.answer;
}

}  // namespace atalaya::collect::host
