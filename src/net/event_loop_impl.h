// The io_context behind an EventLoop: for net's own sources.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <mutex>
#include <thread>

#include "net/event_loop.h"

namespace atalaya::net {

struct EventLoop::Impl {
  boost::asio::io_context context{1};
  std::atomic<std::thread::id> runner{};
  std::mutex thread_mutex;
  std::thread thread;
};

}  // namespace atalaya::net
