// The thread of everything that must be looked at now and then.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/time.h"

namespace atalaya::app {

/// Runs each chore about once in its period, one after another. Add before `start`; `stop` waits for
/// the chore under way. Thread-safe.
class Keeper {
 public:
  explicit Keeper(const Clock& clock) : clock_(clock) {}
  ~Keeper() { stop(); }
  void add(Duration period, std::function<void()> chore) { chores_.push_back({period, std::move(chore), {}}); }
  void start();
  void stop();

 private:
  struct Chore {
    Duration period;
    std::function<void()> run;
    Steady last;
  };
  void run();

  const Clock& clock_;
  std::vector<Chore> chores_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace atalaya::app
