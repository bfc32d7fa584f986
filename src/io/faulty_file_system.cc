#include "io/faulty_file_system.h"

#include <mutex>
#include <utility>

#include "base/check.h"

namespace atalaya::io {

/// Shared with the files opened here. Thread-safe.
struct FaultyFileSystem::State {
  std::mutex mutex;
  Fault fault = Fault::kIoError;
  std::uint64_t at_call = 0;  ///< 0: none
  bool lasting = false;
  std::uint64_t calls = 0;
  bool struck = false;
  std::string renamed;
  std::function<void()> work;  ///< before the rename to a path that holds this

  enum class Verdict { kPass, kTear, kFail };

  /// Counts a call and says what becomes of it. `needs_space`: it makes the disk fuller.
  Verdict count(bool needs_space) {
    const std::lock_guard lock(mutex);
    ++calls;
    if (at_call == 0 || calls < at_call) return Verdict::kPass;
    const bool first = calls == at_call;
    struck = true;
    if (first) return fault == Fault::kTear ? Verdict::kTear : Verdict::kFail;
    if (fault == Fault::kPowerCut) return Verdict::kFail;
    if (!lasting || (fault == Fault::kNoSpace && !needs_space)) return Verdict::kPass;
    return fault == Fault::kTear ? Verdict::kTear : Verdict::kFail;
  }

  void work_before(const std::string& path) {
    const auto due = [&]() -> std::function<void()> {
      const std::lock_guard lock(mutex);
      return work && path.find(renamed) != std::string::npos ? std::exchange(work, nullptr) : nullptr;
    }();
    if (due) due();
  }

  std::unexpected<Error> error() const {
    switch (fault) {
      case Fault::kNoSpace: return fail(ErrorCode::kResourceExhausted, "No space left on device");
      case Fault::kPowerCut: return fail(ErrorCode::kUnavailable, "the power is cut");
      case Fault::kIoError:
      case Fault::kTear: break;
    }
    return fail(ErrorCode::kUnavailable, "Input/output error");
  }

  Status pass(bool needs_space = false) {
    if (count(needs_space) == Verdict::kPass) return {};
    return error();
  }
};

namespace {

class FaultyFile final : public File {
 public:
  FaultyFile(std::shared_ptr<FaultyFileSystem::State> state, std::unique_ptr<File> below)
      : state_(std::move(state)), below_(std::move(below)) {}

  Status append(std::string_view bytes) override {
    using Verdict = FaultyFileSystem::State::Verdict;
    switch (state_->count(true)) {
      case Verdict::kPass: return below_->append(bytes);
      case Verdict::kTear: AT_TRY(below_->append(bytes.substr(0, bytes.size() / 2))); break;
      case Verdict::kFail: break;
    }
    return state_->error();
  }
  Result<std::string> read(std::uint64_t offset, std::size_t size) const override {
    AT_TRY(state_->pass());
    return below_->read(offset, size);
  }
  Status sync() override {
    AT_TRY(state_->pass());
    return below_->sync();
  }
  Status truncate(std::uint64_t size) override {
    AT_TRY(state_->pass());
    return below_->truncate(size);
  }
  std::uint64_t size() const override { return below_->size(); }

 private:
  const std::shared_ptr<FaultyFileSystem::State> state_;
  const std::unique_ptr<File> below_;
};

}  // namespace

FaultyFileSystem::FaultyFileSystem(FileSystem& below) : below_(below), state_(std::make_shared<State>()) {}
FaultyFileSystem::~FaultyFileSystem() = default;

void FaultyFileSystem::arm(Fault fault, std::uint64_t at_call, bool lasting) {
  const std::lock_guard lock(state_->mutex);
  state_->fault = fault;
  state_->at_call = at_call;
  state_->lasting = lasting;
  state_->calls = 0;
  state_->struck = false;
}

void FaultyFileSystem::before_rename(std::string part, std::function<void()> work) {
  const std::lock_guard lock(state_->mutex);
  state_->renamed = std::move(part);
  state_->work = std::move(work);
}

void FaultyFileSystem::disarm() { arm(Fault::kIoError, 0); }

std::uint64_t FaultyFileSystem::calls() const {
  const std::lock_guard lock(state_->mutex);
  return state_->calls;
}

bool FaultyFileSystem::struck() const {
  const std::lock_guard lock(state_->mutex);
  return state_->struck;
}

Result<std::unique_ptr<File>> FaultyFileSystem::open_append(const std::string& path) {
  AT_TRY(state_->pass(true));
  AT_TRY(auto file, below_.open_append(path));
  return std::make_unique<FaultyFile>(state_, std::move(file));
}

Result<std::unique_ptr<File>> FaultyFileSystem::open_read(const std::string& path) {
  AT_TRY(state_->pass());
  AT_TRY(auto file, below_.open_read(path));
  return std::make_unique<FaultyFile>(state_, std::move(file));
}

Result<std::unique_ptr<Mapping>> FaultyFileSystem::map(const std::string& path, MapSource source) {
  AT_TRY(state_->pass());
  return below_.map(path, source);
}

Result<std::vector<DirectoryEntry>> FaultyFileSystem::list(const std::string& directory) {
  AT_TRY(state_->pass());
  return below_.list(directory);
}

Status FaultyFileSystem::create_directories(const std::string& path) {
  AT_TRY(state_->pass(true));
  return below_.create_directories(path);
}

Status FaultyFileSystem::remove(const std::string& path) {
  AT_TRY(state_->pass());
  return below_.remove(path);
}

Status FaultyFileSystem::remove_all(const std::string& path) {
  AT_TRY(state_->pass());
  return below_.remove_all(path);
}

Status FaultyFileSystem::rename(const std::string& from, const std::string& to) {
  state_->work_before(to);
  AT_TRY(state_->pass());
  return below_.rename(from, to);
}

Status FaultyFileSystem::link(const std::string& from, const std::string& to) {
  AT_TRY(state_->pass(true));
  return below_.link(from, to);
}

Status FaultyFileSystem::sync_directory(const std::string& path) {
  AT_TRY(state_->pass());
  return below_.sync_directory(path);
}

bool FaultyFileSystem::exists(const std::string& path) { return below_.exists(path); }
Result<std::uint64_t> FaultyFileSystem::free_bytes(const std::string& path) { return below_.free_bytes(path); }

Result<std::unique_ptr<void, void (*)(void*)>> FaultyFileSystem::lock(const std::string& path) {
  AT_TRY(state_->pass());
  return below_.lock(path);
}

std::uint64_t for_every_call(const std::function<bool(std::uint64_t n)>& run, std::uint64_t limit) {
  for (std::uint64_t n = 1;; ++n) {
    AT_CHECK(n <= limit);
    if (!run(n)) return n - 1;
  }
}

}  // namespace atalaya::io
