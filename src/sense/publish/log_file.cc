// `Log`: lines of a file below the tenant's folder.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "io/descriptor.h"
#include "io/errno.h"
#include "sense/publish/families.h"
#include "sense/publish/render.h"

namespace atalaya::sense::publish {
namespace {

/// Names between slashes; empty when one of them is none.
std::vector<std::string> parts_of(const std::string& filename) {
  std::vector<std::string> out;
  std::size_t from = 0;
  while (from <= filename.size()) {
    const auto slash = std::min(filename.find('/', from), filename.size());
    auto part = filename.substr(from, slash - from);
    if (part.empty() || part[0] == '.' || part.size() > 128) return {};
    out.push_back(std::move(part));
    from = slash + 1;
  }
  return out;
}

/// Follows no symbolic link below the folder. Lines are written at once, on the loop: they are few and short.
class LogFile final : public Publisher {
 public:
  LogFile(const PublisherContext& context, std::vector<std::string> parts)
      : context_(context), parts_(std::move(parts)) {}

  void publish(std::string_view stream, const Record& record) override {
    const auto written = write(log_line(stream, record));
    status_.failing = !written;
    if (written) {
      ++status_.delivered;
      return;
    }
    ++status_.dropped;
    ++status_.failures;
    status_.last_error = to_string(written.error());
    status_.failed_at = context_.clock.now();
    file_.reset();
  }
  PublisherStatus status() const override { return status_; }

 private:
  std::string shown() const { return fmt::format("{}", fmt::join(parts_, "/")); }

  Status write(const std::string& line) {
    if (!file_) {
      AT_TRY(open());
    }
    if (size_ + line.size() > context_.limits.max_file_bytes) {
      AT_TRY(rotate());
    }
    const auto done = ::write(file_.get(), line.data(), line.size());
    if (done < 0) return io::fail_errno(errno, "write", shown());
    size_ += static_cast<std::uint64_t>(done);
    if (static_cast<std::size_t>(done) != line.size())
      return fail(ErrorCode::kResourceExhausted, fmt::format("write {}: no room for the line", shown()));
    return {};
  }

  Status open() {
    std::error_code error;
    std::filesystem::create_directories(context_.log_folder, error);
    folder_ = io::Descriptor(::open(context_.log_folder.c_str(), O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!folder_) return io::fail_errno(errno, "open", context_.log_folder.string());
    for (std::size_t i = 0; i + 1 < parts_.size(); ++i) {
      const auto* name = parts_[i].c_str();
      if (::mkdirat(folder_.get(), name, 0750) != 0 && errno != EEXIST) return io::fail_errno(errno, "make", shown());
      io::Descriptor next(::openat(folder_.get(), name, O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
      if (!next) return io::fail_errno(errno, "open", shown());
      folder_ = std::move(next);
    }
    // O_NONBLOCK: a pipe that somebody put there must not hold up the loop.
    constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    file_ = io::Descriptor(::openat(folder_.get(), parts_.back().c_str(), kFlags, 0640));
    if (!file_) return io::fail_errno(errno, "open", shown());
    struct stat facts{};
    if (::fstat(file_.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
      file_.reset();
      return fail(ErrorCode::kInvalidArgument, fmt::format("open {}: it is no file", shown()));
    }
    size_ = static_cast<std::uint64_t>(facts.st_size);
    return {};
  }

  Status rotate() {
    const auto former = parts_.back() + ".1";
    if (::renameat(folder_.get(), parts_.back().c_str(), folder_.get(), former.c_str()) != 0)
      return io::fail_errno(errno, "rename", shown());
    file_.reset();
    return open();
  }

  const PublisherContext context_;
  const std::vector<std::string> parts_;
  io::Descriptor folder_;  ///< that the file is in
  io::Descriptor file_;
  std::uint64_t size_ = 0;
  PublisherStatus status_;
};

}  // namespace

MadePublisher make_log_file(const PartSettings& settings, const PublisherContext& context) {
  if (settings.name() != "Log") return nullptr;
  if (context.log_folder.empty()) return fail(ErrorCode::kUnprocessable, "Log cannot publish from here");
  const auto filename = settings.text("filename");
  auto parts = parts_of(filename);
  if (parts.empty())
    return settings.wrong("filename", fmt::format("\"{}\" is no path below the tenant's folder", filename),
                          "names between slashes, such as my/log/file; none begins with a dot");
  return std::make_unique<LogFile>(context, std::move(parts));
}

}  // namespace atalaya::sense::publish
