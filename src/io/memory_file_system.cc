#include "io/memory_file_system.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <set>

namespace atalaya::io {
namespace {

struct MappedBytes {
  std::string bytes;
  std::atomic<bool> failed{false};
};

struct Node;
using NodePtr = std::shared_ptr<Node>;
using Names = std::map<std::string, NodePtr>;

/// A file or a directory, each with what is and what a power cut would leave.
struct Node {
  explicit Node(bool directory) : is_directory(directory) {}
  const bool is_directory;
  std::string bytes;
  std::string durable_bytes;
  Names names;
  Names durable_names;
  std::uint64_t stamp = 0;  ///< of the last write, unique among all
  bool is_linked = false;   ///< has, or had, more than one name
  std::vector<std::weak_ptr<MappedBytes>> mappings;
};

/// Unique in the process: also where two file systems are compared.
std::uint64_t next_stamp() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

std::vector<std::string> parts_of(const std::string& path) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (begin <= path.size()) {
    const auto end = std::min(path.find('/', begin), path.size());
    auto part = path.substr(begin, end - begin);
    if (!part.empty() && part != ".") parts.push_back(std::move(part));
    begin = end + 1;
  }
  return parts;
}

std::unexpected<Error> missing(const std::string& what, const std::string& path) {
  return fail(ErrorCode::kNotFound, what + " " + path + ": No such file or directory");
}

std::unexpected<Error> wrong_kind(const std::string& what, const std::string& path, bool is_directory) {
  return fail(ErrorCode::kInvalidArgument,
              what + " " + path + (is_directory ? ": Is a directory" : ": Not a directory"));
}

/// A directory entry by its parent, so that it can be put and taken.
struct Slot {
  NodePtr parent;  ///< null where the parent is absent or no directory
  std::string name;
  NodePtr node() const {
    if (!parent) return nullptr;
    const auto it = parent->names.find(name);
    return it == parent->names.end() ? nullptr : it->second;
  }
};

}  // namespace

struct MemoryFileSystem::State {
  std::mutex mutex;
  const NodePtr root = std::make_shared<Node>(true);
  std::uint64_t capacity = 0;
  std::uint64_t boot = 0;  ///< grows with every power cut: what was opened before is dead
  std::set<std::string> locks;

  NodePtr find(const std::vector<std::string>& parts) const {
    NodePtr node = root;
    for (const auto& part : parts) {
      if (!node->is_directory) return nullptr;
      const auto it = node->names.find(part);
      if (it == node->names.end()) return nullptr;
      node = it->second;
    }
    return node;
  }
  NodePtr find(const std::string& path) const { return find(parts_of(path)); }

  Slot slot(const std::string& path) const {
    auto parts = parts_of(path);
    if (parts.empty()) return {};
    auto name = std::move(parts.back());
    parts.pop_back();
    auto parent = find(parts);
    if (!parent || !parent->is_directory) return {};
    return {std::move(parent), std::move(name)};
  }

  /// `linked`: files of several names that were counted already.
  static std::uint64_t used(const Node& node, std::set<const Node*>& linked) {
    std::uint64_t sum = node.bytes.size();
    for (const auto& [name, child] : node.names) {
      if (child->is_linked && !linked.insert(child.get()).second) continue;
      sum += used(*child, linked);
    }
    return sum;
  }
  std::uint64_t free() const {
    std::set<const Node*> linked;
    const auto sum = used(*root, linked);
    return sum < capacity ? capacity - sum : 0;
  }

  /// Walks what is reachable after each directory has settled, so that a lost name loses its tree.
  void settle(Node& node, const std::function<void(Node&)>& choose) {
    choose(node);
    node.durable_bytes = node.bytes;
    node.durable_names = node.names;
    for (auto& [name, child] : node.names) settle(*child, choose);
  }
  void cut(const std::function<void(Node&)>& choose) {
    ++boot;
    locks.clear();
    settle(*root, choose);
  }
};

namespace {

class MemoryFile final : public File {
 public:
  MemoryFile(std::shared_ptr<void> keep, std::mutex& mutex, const std::uint64_t& boot,
             std::function<std::uint64_t()> free, NodePtr node, bool writable)
      : keep_(std::move(keep)),
        mutex_(mutex),
        boot_(boot),
        opened_at_(boot),
        free_(std::move(free)),
        node_(std::move(node)),
        writable_(writable) {}

  Status append(std::string_view bytes) override {
    const std::lock_guard lock(mutex_);
    AT_TRY(ready(true));
    const auto fits = bytes.substr(0, std::min<std::uint64_t>(bytes.size(), free_()));
    node_->bytes += fits;
    node_->stamp = next_stamp();
    if (fits.size() < bytes.size()) return fail(ErrorCode::kResourceExhausted, "write: No space left on device");
    return {};
  }
  Result<std::string> read(std::uint64_t offset, std::size_t size) const override {
    const std::lock_guard lock(mutex_);
    AT_TRY(ready(false));
    return offset < node_->bytes.size() ? node_->bytes.substr(offset, size) : std::string();
  }
  Status sync() override {
    const std::lock_guard lock(mutex_);
    AT_TRY(ready(false));
    node_->durable_bytes = node_->bytes;
    return {};
  }
  Status truncate(std::uint64_t size) override {
    const std::lock_guard lock(mutex_);
    AT_TRY(ready(true));
    node_->bytes.resize(size);
    node_->stamp = next_stamp();
    return {};
  }
  std::uint64_t size() const override {
    const std::lock_guard lock(mutex_);
    return node_->bytes.size();
  }

 private:
  Status ready(bool write) const {
    if (boot_ != opened_at_) return fail(ErrorCode::kUnavailable, "the file was opened before the power cut");
    if (write && !writable_) return fail(ErrorCode::kInvalidArgument, "the file is open for reading only");
    return {};
  }

  const std::shared_ptr<void> keep_;  ///< keeps the references below alive
  std::mutex& mutex_;
  const std::uint64_t& boot_;
  const std::uint64_t opened_at_;
  const std::function<std::uint64_t()> free_;
  const NodePtr node_;
  const bool writable_;
};

class MemoryMapping final : public Mapping {
 public:
  explicit MemoryMapping(std::shared_ptr<const MappedBytes> mapped) : mapped_(std::move(mapped)) {}
  std::string_view bytes() const override { return mapped_->bytes; }
  bool failed() const override { return mapped_->failed; }

 private:
  const std::shared_ptr<const MappedBytes> mapped_;
};

}  // namespace

MemoryFileSystem::MemoryFileSystem(std::uint64_t capacity_bytes) : state_(std::make_shared<State>()) {
  state_->capacity = capacity_bytes;
}
MemoryFileSystem::~MemoryFileSystem() = default;

Result<std::unique_ptr<File>> MemoryFileSystem::open_append(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  const auto slot = state_->slot(path);
  if (!slot.parent) return missing("open", path);
  auto& node = slot.parent->names[slot.name];
  if (!node) {
    node = std::make_shared<Node>(false);
    node->stamp = next_stamp();
  }
  if (node->is_directory) return wrong_kind("open", path, true);
  auto* state = state_.get();
  return std::make_unique<MemoryFile>(state_, state->mutex, state->boot, [state] { return state->free(); }, node, true);
}

Result<std::unique_ptr<File>> MemoryFileSystem::open_read(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  const auto node = state_->find(path);
  if (!node) return missing("open", path);
  if (node->is_directory) return wrong_kind("open", path, true);
  return std::make_unique<MemoryFile>(
      state_, state_->mutex, state_->boot, [] { return std::uint64_t{0}; }, node, false);
}

Result<std::unique_ptr<Mapping>> MemoryFileSystem::map(const std::string& path, MapSource) {
  const std::lock_guard lock(state_->mutex);
  const auto node = state_->find(path);
  if (!node) return missing("map", path);
  if (node->is_directory) return wrong_kind("map", path, true);
  auto mapped = std::make_shared<MappedBytes>();
  mapped->bytes = node->bytes;
  std::erase_if(node->mappings, [](const auto& other) { return other.expired(); });
  node->mappings.push_back(mapped);
  return std::make_unique<MemoryMapping>(std::move(mapped));
}

Result<std::vector<DirectoryEntry>> MemoryFileSystem::list(const std::string& directory) {
  const std::lock_guard lock(state_->mutex);
  const auto node = state_->find(directory);
  if (!node) return missing("list", directory);
  if (!node->is_directory) return wrong_kind("list", directory, false);
  std::vector<DirectoryEntry> entries;
  for (const auto& [name, child] : node->names) {
    entries.push_back({name, child->is_directory, child->bytes.size(), child->stamp});
  }
  return entries;
}

Status MemoryFileSystem::create_directories(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  auto node = state_->root;
  for (const auto& part : parts_of(path)) {
    auto& child = node->names[part];
    if (!child) {
      child = std::make_shared<Node>(true);
      node->durable_names[part] = child;
    }
    if (!child->is_directory) return wrong_kind("create directory", path, false);
    node = child;
  }
  return {};
}

Status MemoryFileSystem::remove(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  const auto slot = state_->slot(path);
  const auto node = slot.node();
  if (!node) return missing("remove", path);
  if (!node->names.empty()) return fail(ErrorCode::kAlreadyExists, "remove " + path + ": Directory not empty");
  slot.parent->names.erase(slot.name);
  return {};
}

Status MemoryFileSystem::remove_all(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  const auto slot = state_->slot(path);
  if (slot.parent) slot.parent->names.erase(slot.name);
  return {};
}

Status MemoryFileSystem::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(state_->mutex);
  const auto source = state_->slot(from);
  const auto target = state_->slot(to);
  const auto node = source.node();
  if (!node || !target.parent) return missing("rename " + from + " to", to);
  if (const auto old = target.node(); old && old != node) {
    if (old->is_directory != node->is_directory) return wrong_kind("rename to", to, old->is_directory);
    if (!old->names.empty()) return fail(ErrorCode::kAlreadyExists, "rename to " + to + ": Directory not empty");
  }
  source.parent->names.erase(source.name);
  target.parent->names[target.name] = node;
  return {};
}

Status MemoryFileSystem::link(const std::string& from, const std::string& to) {
  const std::lock_guard lock(state_->mutex);
  const auto node = state_->slot(from).node();
  const auto target = state_->slot(to);
  if (!node || !target.parent) return missing("link " + from + " to", to);
  if (node->is_directory) return wrong_kind("link", from, true);
  if (target.node()) return fail(ErrorCode::kAlreadyExists, "link " + from + " to " + to + ": File exists");
  node->is_linked = true;
  target.parent->names[target.name] = node;
  return {};
}

Status MemoryFileSystem::sync_directory(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  const auto node = state_->find(path);
  if (!node) return missing("sync", path);
  if (!node->is_directory) return wrong_kind("sync", path, false);
  node->durable_names = node->names;
  return {};
}

bool MemoryFileSystem::exists(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  return state_->find(path) != nullptr;
}

Result<std::uint64_t> MemoryFileSystem::free_bytes(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->find(path)) return missing("look at the file system of", path);
  return state_->free();
}

Result<std::unique_ptr<void, void (*)(void*)>> MemoryFileSystem::lock(const std::string& path) {
  AT_TRY(auto file, open_append(path));
  const std::lock_guard guard(state_->mutex);
  if (!state_->locks.insert(path).second) {
    return fail(ErrorCode::kConflict, "lock " + path + ": another process holds it",
                "stop the other process, or choose another directory");
  }
  struct Held {
    std::shared_ptr<State> state;
    std::string path;
    std::uint64_t boot;
  };
  return std::unique_ptr<void, void (*)(void*)>(new Held{state_, path, state_->boot}, [](void* p) {
    const std::unique_ptr<Held> held(static_cast<Held*>(p));
    const std::lock_guard inner(held->state->mutex);
    if (held->boot == held->state->boot) held->state->locks.erase(held->path);
  });
}

void MemoryFileSystem::power_cut() {
  const std::lock_guard lock(state_->mutex);
  state_->cut([](Node& node) {
    node.bytes = node.durable_bytes;
    node.names = node.durable_names;
  });
}

void MemoryFileSystem::power_cut_keeping_some(std::uint64_t seed) {
  const std::lock_guard lock(state_->mutex);
  std::mt19937_64 random(seed);
  state_->cut([&](Node& node) {
    if (random() % 2 == 0) node.names = node.durable_names;
    if (node.bytes.starts_with(node.durable_bytes)) {
      const auto extra = node.bytes.size() - node.durable_bytes.size();
      node.bytes.resize(node.durable_bytes.size() + random() % (extra + 1));
    } else if (random() % 2 == 0) {
      node.bytes = node.durable_bytes;
    }
  });
}

Status MemoryFileSystem::flip_bits(const std::string& path, std::uint64_t offset, unsigned char mask) {
  const std::lock_guard lock(state_->mutex);
  const auto node = state_->find(path);
  if (!node) return missing("spoil", path);
  if (offset >= node->bytes.size()) return fail(ErrorCode::kInvalidArgument, "spoil " + path + ": past the end");
  node->bytes[offset] = static_cast<char>(node->bytes[offset] ^ mask);
  if (offset < node->durable_bytes.size()) node->durable_bytes[offset] = node->bytes[offset];
  return {};
}

Status MemoryFileSystem::fail_mappings(const std::string& path, std::uint64_t offset) {
  const std::lock_guard lock(state_->mutex);
  const auto node = state_->find(path);
  if (!node) return missing("spoil", path);
  for (const auto& one : node->mappings) {
    const auto mapped = one.lock();
    if (!mapped || offset >= mapped->bytes.size()) continue;
    std::fill(mapped->bytes.begin() + static_cast<std::ptrdiff_t>(offset), mapped->bytes.end(), '\0');
    mapped->failed = true;
  }
  return {};
}

void MemoryFileSystem::set_capacity(std::uint64_t capacity_bytes) {
  const std::lock_guard lock(state_->mutex);
  state_->capacity = capacity_bytes;
}

}  // namespace atalaya::io
