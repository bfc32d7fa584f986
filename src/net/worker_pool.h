// Threads that run what may block, so that the threads of the sockets never do.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace atalaya::net {

/// A fixed number of threads and a bounded queue before them. Thread-safe. What is still queued
/// when it stops is destroyed without running.
class WorkerPool {
 public:
  using Work = std::move_only_function<void()>;

  WorkerPool(std::size_t threads, std::size_t queue_bound);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// False, and `work` is untouched, when the queue is full or the pool has stopped.
  bool try_post(Work&& work);
  /// Returns after the running ones returned. Idempotent; not from a worker.
  void stop();

 private:
  void run();

  const std::size_t queue_bound_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Work> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace atalaya::net
