#include "collect/ping/ping.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "base/random.h"
#include "collect/ping/round.h"

namespace atalaya::collect::ping {
namespace {

constexpr Duration kApart{100};

std::uint64_t random_cookie() {
  const auto bytes = random_bytes(sizeof(std::uint64_t));
  std::uint64_t cookie = 0;
  std::memcpy(&cookie, bytes.data(), sizeof cookie);
  return cookie;
}

class PingProbe final : public check::Probe {
 public:
  PingProbe(PingSpec spec, Duration timeout, net::EventLoop& loop, const Clock& clock, OpenEcho open)
      : spec_(std::move(spec)),
        timeout_(timeout),
        apart_(std::clamp(timeout / (2 * std::max<std::int64_t>(spec_.count, 1)), Duration{1}, kApart)),
        cookie_(random_cookie()),
        loop_(loop),
        clock_(clock),
        open_(std::move(open)) {}

  std::vector<std::string> metrics() const override { return {"ping_rtt_seconds", "ping_loss_ratio"}; }

  void look(Done done) override {
    done_ = std::move(done);
    trouble_.clear();
    left_ = false;
    round_ = Round(round_.next(), static_cast<std::size_t>(spec_.count));
    deadline_ = loop_.after(timeout_, [this] { finish(); });
    lookup_ = std::make_unique<net::AddressLookup>(loop_, spec_.host,
                                                   [this](const Result<std::vector<net::SocketAddress>>& found) {
                                                     if (!found) return give_up(found.error().message);
                                                     open(*found);
                                                   });
  }

 private:
  /// The first address that there is a way to.
  void open(const std::vector<net::SocketAddress>& addresses) {
    for (const auto& address : addresses) {
      auto socket = open_(address, spec_.interface, [this] { receive(); });
      if (socket) {
        socket_ = std::move(*socket);
        return send();
      }
      const auto& error = socket.error();
      trouble_ = error.remedy.empty() ? error.message : fmt::format("{}: {}", error.message, error.remedy);
    }
    give_up(std::move(trouble_));
  }

  void send() {
    const Echo echo{round_.next(), cookie_};
    round_.sent(clock_.steady());
    if (const auto sent = socket_->send(echo); sent)
      left_ = true;
    else
      trouble_ = sent.error().message;
    if (round_.all_sent()) {
      if (!left_) finish();
      return;
    }
    next_ = loop_.after(apart_, [this] { send(); });
  }

  void receive() {
    // Bounded: the errors of one round cannot be more than its echoes, other people's packets could.
    for (int i = 0; i < 1000 && socket_; ++i) {
      const auto echo = socket_->receive();
      if (!echo) {
        trouble_ = echo.error().message;
        continue;
      }
      if (!*echo) return;
      if ((*echo)->cookie == cookie_) round_.received((*echo)->sequence, clock_.steady());
      if (round_.complete()) return finish();
    }
  }

  void give_up(std::string why) {
    trouble_ = std::move(why);
    finish();
  }

  void finish() {
    const auto done = std::exchange(done_, nullptr);
    deadline_.cancel();
    next_.cancel();
    lookup_.reset();
    socket_.reset();
    if (!done) return;
    check::Verdict verdict;
    verdict.up = round_.answers() > 0;
    // Without the numbers: a word is news only when it is another word.
    if (verdict.up)
      verdict.text = fmt::format("{} answers", spec_.host);
    else if (trouble_.empty())
      verdict.text = fmt::format("{}: no answer within {}", spec_.host, format_duration(timeout_));
    else
      verdict.text = fmt::format("{}: no answer: {}", spec_.host, trouble_);
    verdict.values = {round_.average().value_or(std::numeric_limits<double>::quiet_NaN()), round_.loss()};
    done(std::move(verdict));
  }

  const PingSpec spec_;
  const Duration timeout_;
  const Duration apart_;
  const std::uint64_t cookie_;
  net::EventLoop& loop_;
  const Clock& clock_;
  const OpenEcho open_;
  Done done_;
  Round round_;
  std::string trouble_;  ///< what was said last of why there is no answer
  bool left_ = false;    ///< one echo at least is on its way
  std::unique_ptr<EchoSocket> socket_;
  std::unique_ptr<net::AddressLookup> lookup_;
  net::Timer next_;
  net::Timer deadline_;
};

}  // namespace

std::unique_ptr<check::Probe> make_ping_probe(const PingSpec& spec, Duration timeout, net::EventLoop& loop,
                                              const Clock& clock, OpenEcho open) {
  return std::make_unique<PingProbe>(spec, timeout, loop, clock, std::move(open));
}

Result<std::unique_ptr<check::Probe>> make_ping_probe(const PingSpec& spec, Duration timeout, net::EventLoop& loop,
                                                      const Clock& clock) {
  if (spec.host.find_first_of(" /@") != std::string::npos)
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} is not the name or address of a host", spec.host));
  if (spec.interface.size() > kMaxInterface)
    return fail(ErrorCode::kInvalidArgument, fmt::format("{} is not the name of a network interface", spec.interface));
  AT_TRY(may_ping());
  return make_ping_probe(spec, timeout, loop, clock, system_echo(loop));
}

}  // namespace atalaya::collect::ping
