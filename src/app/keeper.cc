#include "app/keeper.h"

namespace atalaya::app {

void Keeper::start() {
  thread_ = std::thread([this] { run(); });
}

void Keeper::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Keeper::run() {
  constexpr Duration kStep{250};
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    wake_.wait_for(lock, kStep, [&] { return stopping_; });
    if (stopping_) return;
    lock.unlock();
    for (auto& chore : chores_) {
      if (clock_.steady() - chore.last < chore.period) continue;
      chore.last = clock_.steady();
      chore.run();
    }
    lock.lock();
  }
}

}  // namespace atalaya::app
