#include "io/memory_map.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <mutex>

#include "io/errno.h"

namespace atalaya::io {
namespace {

/// A mapping as the signal handler sees it. Slots are never freed, only used again: the handler may walk
/// them at any moment.
struct Slot {
  std::atomic<std::uintptr_t> begin{0};  ///< 0: free
  std::atomic<std::uintptr_t> end{0};
  std::atomic<bool> failed{false};
  Slot* next = nullptr;  ///< constant once the slot is in the list
};

std::atomic<Slot*> slots{nullptr};
std::mutex slots_mutex;  ///< for who adds or frees; the handler takes none
struct sigaction before{};
std::uintptr_t page_size = 0;

void on_bus_error(int signal, siginfo_t* info, void* context) {
  const int saved = errno;
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  for (auto* slot = slots.load(); slot != nullptr; slot = slot->next) {
    const auto begin = slot->begin.load();
    // Codes up to 0 are signals that a process sent: their address means nothing.
    if (info->si_code <= 0 || begin == 0 || address < begin || address >= slot->end.load()) continue;
    const auto page = address & ~(page_size - 1);
    if (::mmap(reinterpret_cast<void*>(page), page_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
        MAP_FAILED) {
      break;
    }
    slot->failed = true;
    errno = saved;
    return;
  }
  if ((before.sa_flags & SA_SIGINFO) != 0 && before.sa_sigaction != nullptr) {
    before.sa_sigaction(signal, info, context);
  } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN && before.sa_handler != nullptr) {
    before.sa_handler(signal);
  } else {
    // The access is repeated when we return, and then ends the process as it would have without us.
    ::signal(signal, SIG_DFL);
  }
  errno = saved;
}

void install_handler() {
  static std::once_flag once;
  std::call_once(once, [] {
    page_size = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    struct sigaction ours{};
    ours.sa_sigaction = &on_bus_error;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&ours.sa_mask);
    ::sigaction(SIGBUS, &ours, &before);
  });
}

Slot& take_slot(std::uintptr_t begin, std::uintptr_t end) {
  const std::lock_guard lock(slots_mutex);
  auto* slot = slots.load();
  while (slot != nullptr && slot->begin.load() != 0) slot = slot->next;
  if (slot == nullptr) {
    slot = new Slot;
    slot->next = slots.load();
    slots = slot;
  }
  slot->failed = false;
  slot->end = end;
  slot->begin = begin;
  return *slot;
}

class MappedFile final : public Mapping {
 public:
  MappedFile(void* start, std::uint64_t size)
      : start_(start),
        size_(size),
        slot_(take_slot(reinterpret_cast<std::uintptr_t>(start), reinterpret_cast<std::uintptr_t>(start) + size)) {}
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile() override {
    const std::lock_guard lock(slots_mutex);
    slot_.begin = 0;
    ::munmap(start_, size_);
  }

  std::string_view bytes() const override { return {static_cast<const char*>(start_), size_}; }
  void will_read(std::uint64_t offset, std::uint64_t size) const override {
    if (offset >= size_) return;
    const auto from = offset & ~std::uint64_t{page_size - 1};
    ::madvise(static_cast<char*>(start_) + from, std::min(size, size_ - offset) + (offset - from), MADV_WILLNEED);
  }
  bool failed() const override { return slot_.failed; }

 private:
  void* const start_;
  const std::uint64_t size_;
  Slot& slot_;
};

class NoBytes final : public Mapping {
 public:
  std::string_view bytes() const override { return {}; }
};

}  // namespace

Result<std::unique_ptr<Mapping>> map_file(int fd, std::uint64_t size, const std::string& path) {
  if (size == 0) return std::make_unique<NoBytes>();
  install_handler();
  void* const start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (start == MAP_FAILED) return fail_errno(errno, "map", path);
  // Advice: reading ahead of a page here and a page there would read what nobody asked for.
  ::madvise(start, size, MADV_RANDOM);
  return std::make_unique<MappedFile>(start, size);
}

}  // namespace atalaya::io
