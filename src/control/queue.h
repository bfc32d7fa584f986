// The bounded input of the control loop: fair between tenants, in order within one.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "control/machine.h"

namespace atalaya::control {

/// An event with its place in the order of arrival.
struct Queued {
  Event event;
  std::uint64_t number = 0;  ///< 1, 2, … in order of arrival
};

/// Round-robin over tenants, first in first out within a tenant but for urgent events, which come before the others and
/// leave every second turn to them. Full for one tenant long before it is full for all, so nobody takes another's
/// place. Knows how far each cursor may move. Thread-safe.
class Queue {
 public:
  struct Limits {
    std::size_t per_tenant = 16'384;
    std::size_t total = 65'536;
  };
  explicit Queue(Limits limits) : limits_(limits) {}

  /// resource_exhausted when the tenant's or the whole bound is reached; `event` is then untouched.
  Status post(Event&& event);
  struct Portion {
    std::size_t count = SIZE_MAX;
    std::size_t per_tenant = SIZE_MAX;  ///< before the next one's turn
    std::size_t weight = SIZE_MAX;      ///< none is added once they have this; the first may be heavier
  };
  /// Urgent ones, alone, or the usual ones.
  std::vector<Queued> take(const Portion& portion);
  /// Puts back, to the front and in order, what was taken last and could not be stored.
  void put_back(std::vector<Queued> events);
  /// The positions that may be stored once `taken` (the events in hand) are: for each cursor, the
  /// highest such that nothing posted before it remains. Empty entries are left out.
  std::map<std::string, std::uint64_t> cursors_after(const std::vector<Queued>& taken) const;
  /// `events` are stored or refused for good.
  void settled(const std::vector<Queued>& events);

  bool empty() const { return size() == 0; }
  std::size_t size() const;
  /// Number of the last event accepted.
  std::uint64_t posted() const;
  /// Every event numbered up to this has left the queue.
  std::uint64_t passed() const;

 private:
  struct Outstanding {
    std::uint64_t number;
    std::uint64_t position;
    bool settled = false;
  };

  class Lane {
   public:
    bool empty() const { return turn_.empty(); }
    std::size_t size_of(const TenantId& tenant) const;
    void push(Queued queued);
    void push_front(Queued queued);
    void take(const Portion& portion, std::vector<Queued>& out);
    /// The lowest number that waits, or `none`.
    std::uint64_t lowest(std::uint64_t none) const;

   private:
    std::unordered_map<TenantId, std::deque<Queued>> tenants_;
    std::deque<TenantId> turn_;  ///< tenants with events, next one first
  };

  Limits limits_;
  mutable std::mutex mutex_;
  std::uint64_t posted_ = 0;
  std::size_t size_ = 0;
  Lane usual_;
  Lane urgent_;
  bool was_urgent_ = false;                                 ///< what was taken last
  std::map<std::string, std::deque<Outstanding>> cursors_;  ///< in order of arrival
};

}  // namespace atalaya::control
