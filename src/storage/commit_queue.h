// What stands between writers and the one thread that commits for all of them.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/time.h"

namespace atalaya::storage {

/// Operation: `push` adds an item with a weight; the thread takes everything that waits and hands it
/// to `commit` as one group. `idle` is called when nothing has come for a `period`; work that is
/// due while items come all the time is the committer's own business.
///
/// Gathering: while writers come at once, a group waits for as many items as were under way together last time, at most
/// `gather`: a sync costs the same for one as for many. A lone writer never waits, and nobody longer than the committer
/// says that it is worth.
///
/// Without a thread (`run_inline`), `push` commits before it returns; what `commit` itself pushes
/// joins the next group of the same call.
///
/// Limits: items and weight that wait; beyond them `push` says kFull and leaves the item alone.
/// Thread-safe; with `run_inline` thread-compatible.
template <typename Item>
class CommitQueue {
 public:
  enum class Pushed { kYes, kFull, kStopped };
  struct Limits {
    std::size_t items = 0;
    std::size_t weight = 0;
    Duration gather{0};  ///< 0: a group waits for nobody
  };

  CommitQueue(Limits limits, Duration period, bool run_inline, std::function<void(std::vector<Item>)> commit,
              std::function<void()> idle)
      : limits_(limits), period_(period), run_inline_(run_inline), commit_(std::move(commit)), idle_(std::move(idle)) {}
  ~CommitQueue() { stop(); }

  void start() {
    if (!run_inline_ && !thread_.joinable()) thread_ = std::thread([this] { run(); });
  }

  /// Commits what waits, then ends the thread. Idempotent.
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  Pushed push(Item&& item, std::size_t weight) {
    bool enough = false;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return Pushed::kStopped;
      if (items_.size() >= limits_.items || (!items_.empty() && weight_ + weight > limits_.weight))
        return Pushed::kFull;
      items_.push_back(std::move(item));
      weight_ += weight;
      enough = items_.size() == wanted_ || weight_ >= limits_.weight / 2;
    }
    if (run_inline_) {
      drain_inline();
    } else if (enough) {
      wake_.notify_one();
    }
    return Pushed::kYes;
  }

  /// Called by `commit`: the next group waits no longer than this either, such as what the sync of this one took.
  void gather_at_most(std::chrono::nanoseconds most) { worth_ = most; }

  std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return items_.size();
  }

 private:
  std::vector<Item> take() {
    weight_ = 0;
    return std::exchange(items_, {});
  }

  void drain_inline() {
    if (committing_) return;
    committing_ = true;
    while (!items_.empty()) commit_(take());
    committing_ = false;
  }

  /// Until those are here too that were under way beside the last group.
  void gather(std::unique_lock<std::mutex>& lock) {
    wanted_ = std::min(together_, limits_.items);
    wake_.wait_for(lock, std::min<std::chrono::nanoseconds>(limits_.gather, worth_),
                   [this] { return stopping_ || items_.size() >= wanted_ || weight_ >= limits_.weight / 2; });
    wanted_ = 1;
  }

  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      const bool work = wake_.wait_for(lock, period_, [this] { return stopping_ || !items_.empty(); });
      if (work && items_.empty()) return;  // stopping, and nothing left
      if (!work) {
        lock.unlock();
        idle_();
        lock.lock();
        continue;
      }
      if (limits_.gather > Duration{0} && items_.size() < together_) gather(lock);
      auto group = take();
      const auto taken = group.size();
      lock.unlock();
      commit_(std::move(group));
      lock.lock();
      together_ = taken + items_.size();
    }
  }

  const Limits limits_;
  const Duration period_;
  const bool run_inline_;
  const std::function<void(std::vector<Item>)> commit_;
  const std::function<void()> idle_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Item> items_;   ///< guarded by mutex_
  std::size_t weight_ = 0;    ///< guarded by mutex_
  std::size_t wanted_ = 1;    ///< guarded by mutex_: so many items wake the thread
  std::size_t together_ = 1;  ///< guarded by mutex_: of the last group, and what came meanwhile
  bool stopping_ = false;     ///< guarded by mutex_
  bool committing_ = false;   ///< inline only
  std::chrono::nanoseconds worth_ = std::chrono::nanoseconds::max();  ///< of the one who commits
  std::thread thread_;
};

}  // namespace atalaya::storage
