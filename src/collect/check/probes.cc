#include <dirent.h>
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <utility>

#include "collect/check/check.h"
#include "collect/host/proc_file.h"
#include "net/url.h"

namespace atalaya::collect::check {
namespace {

constexpr std::uint64_t kMaxBodyBytes = 1 << 20;

class TcpCheck final : public Probe {
 public:
  TcpCheck(net::HostPort address, std::string text, Duration timeout, net::EventLoop& loop)
      : address_(std::move(address)), text_(std::move(text)), timeout_(timeout), loop_(loop) {}

  void look(Done done) override {
    probe_ = std::make_unique<net::TcpProbe>(
        loop_, address_.host, address_.port, timeout_, [this, done = std::move(done)](const Status& status) {
          done(status ? Verdict{true, text_ + " accepts connections"}
                      : Verdict{false, fmt::format("{}: {}", text_, status.error().message)});
        });
  }

 private:
  const net::HostPort address_;
  const std::string text_;
  const Duration timeout_;
  net::EventLoop& loop_;
  std::unique_ptr<net::TcpProbe> probe_;
};

class HttpCheck final : public Probe {
 public:
  HttpCheck(HttpSpec spec, Duration timeout, net::EventLoop& loop)
      : spec_(std::move(spec)), timeout_(timeout), http_(loop, options(spec_, timeout)) {}

  void look(Done done) override {
    net::ClientRequest request;
    request.method = spec_.method;
    request.url = spec_.url;
    for (const auto& [name, value] : spec_.headers) request.headers.set(name, value);
    request.body = spec_.body;
    request.timeout = timeout_;
    request.max_response_bytes = kMaxBodyBytes;
    http_.send(std::move(request),
               [this, done = std::move(done)](const Result<net::ClientResponse>& answer) { done(judge(answer)); });
  }

 private:
  static net::ConnectOptions options(const HttpSpec& spec, Duration timeout) {
    net::ConnectOptions out;
    out.tls.ca_file = spec.ca_file;
    out.tls.insecure_skip_verify = spec.insecure_skip_verify;
    out.connect_timeout = timeout;
    return out;
  }

  Verdict judge(const Result<net::ClientResponse>& answer) const {
    if (!answer) return {false, answer.error().message};
    const auto status = answer->status;
    const bool good = spec_.expect_status ? status == *spec_.expect_status : status >= 200 && status < 400;
    if (!good)
      return {false, spec_.expect_status ? fmt::format("status {}, expected {}", status, *spec_.expect_status)
                                         : fmt::format("status {}", status)};
    if (!spec_.expect_text.empty() && answer->body.find(spec_.expect_text) == std::string::npos)
      return {false, fmt::format("status {}, but the text \"{}\" is not there", status, spec_.expect_text)};
    return {true, fmt::format("status {}", status)};
  }

  const HttpSpec spec_;
  const Duration timeout_;
  net::HttpClient http_;
};

bool is_number(const char* text) {
  return *text != '\0' && std::string_view(text).find_first_not_of("0123456789") == std::string_view::npos;
}

class ProcessCheck final : public Probe {
 public:
  ProcessCheck(ProcessSpec spec, std::string root, std::unique_ptr<RE2> regex)
      : spec_(std::move(spec)), proc_(std::move(root) + "proc/"), regex_(std::move(regex)) {}

  void look(Done done) override {
    const auto count = count_running();
    const auto what = spec_.name.empty() ? spec_.regex : spec_.name;
    if (count < spec_.at_least)
      return done({false, spec_.at_least == 1
                              ? fmt::format("no process {} runs", what)
                              : fmt::format("{} of at least {} processes {} run", count, spec_.at_least, what)});
    if (spec_.at_most && count > *spec_.at_most)
      return done({false, fmt::format("{} processes {} run, at most {} may", count, what, *spec_.at_most)});
    // Without the number: a pool of workers that breathes is no news.
    done({true, fmt::format("{} runs", what)});
  }

 private:
  std::int64_t count_running() {
    DIR* directory = ::opendir(proc_.c_str());
    if (!directory) return 0;
    std::int64_t count = 0;
    while (const auto* entry = ::readdir(directory))
      if (is_number(entry->d_name) && matches(entry->d_name)) ++count;
    ::closedir(directory);
    return count;
  }

  bool matches(const char* pid) {
    path_.assign(proc_).append(pid);
    const auto base = path_.size();
    bool ok = false;
    path_.append("/stat");
    // `pid (name) state …`: the name may itself hold brackets.
    const auto stat = host::read_once(path_, ok);
    const auto open = stat.find('(');
    const auto close = stat.rfind(") ");
    if (!ok || open == std::string_view::npos || close == std::string_view::npos || close < open) return false;
    // A dead process that nobody waited for runs no more.
    if (close + 2 < stat.size() && stat[close + 2] == 'Z') return false;
    const std::string comm{stat.substr(open + 1, close - open - 1)};
    path_.resize(base);
    path_.append("/cmdline");
    if (regex_) {
      std::string command{host::read_once(path_, ok)};
      std::ranges::replace(command, '\0', ' ');
      return RE2::PartialMatch(command, *regex_);
    }
    if (comm == spec_.name) return true;
    // The kernel keeps fifteen bytes of a name: the rest is in the command line.
    constexpr std::size_t kCommBytes = 15;
    if (comm.size() != kCommBytes || !spec_.name.starts_with(comm)) return false;
    auto program = host::read_once(path_, ok);
    program = program.substr(0, program.find('\0'));
    return program.substr(program.rfind('/') + 1) == spec_.name;
  }

  const ProcessSpec spec_;
  const std::string proc_;
  const std::unique_ptr<RE2> regex_;
  std::string path_;
};

}  // namespace

Result<std::unique_ptr<Probe>> make_tcp_probe(const TcpSpec& spec, Duration timeout, net::EventLoop& loop) {
  AT_TRY(auto address, net::parse_host_port(spec.address));
  if (address.host.empty() || address.port == 0)
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} is not host:port", spec.address));
  return std::make_unique<TcpCheck>(std::move(address), spec.address, timeout, loop);
}

Result<std::unique_ptr<Probe>> make_http_probe(const HttpSpec& spec, Duration timeout, net::EventLoop& loop) {
  AT_TRY(const auto url, net::parse_url(spec.url));
  if (url.scheme != "http" && url.scheme != "https")
    return fail(ErrorCode::kInvalidArgument, "the address begins with http:// or https://");
  return std::make_unique<HttpCheck>(spec, timeout, loop);
}

Result<std::unique_ptr<Probe>> make_process_probe(const ProcessSpec& spec, const std::string& root) {
  std::unique_ptr<RE2> regex;
  if (spec.name.empty()) {
    RE2::Options options;
    options.set_log_errors(false);
    regex = std::make_unique<RE2>(spec.regex, options);
    if (!regex->ok()) return fail(ErrorCode::kInvalidArgument, fmt::format("regex {}: {}", spec.regex, regex->error()));
  }
  return std::make_unique<ProcessCheck>(spec, root, std::move(regex));
}

}  // namespace atalaya::collect::check
