#include "sense/process/sensor_process.h"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <utility>

#include "config/yaml.h"
#include "sense/part_types.h"
#include "sense/pipe_text.h"

namespace atalaya::sense::process {
namespace {

namespace json = boost::json;

/// Clocks jump: what is due is looked for this often at least.
constexpr Duration kLongestSleep{1'000};

bool equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

json::object counters_json(const PipeCounters& c) {
  return {{"records", c.records},       {"published", c.published}, {"unread", c.unread},
          {"ahead", c.ahead},           {"late", c.late},           {"not_numbers", c.not_numbers},
          {"over_limit", c.over_limit}, {"refused", c.refused},     {"failed", c.failed}};
}

}  // namespace

SensorProcess::SensorProcess(net::EventLoop& loop, const Clock& clock, SensorProcessOptions options,
                             std::function<void()> ended)
    : loop_(loop), clock_(clock), options_(std::move(options)), ended_(std::move(ended)) {
  net::StreamServerEvents events;
  events.opened = [this](net::StreamId id) { peers_[id].adopted = std::exchange(adopts_, false); };
  events.received = [this](net::StreamId id, std::string_view bytes) { received(id, bytes); };
  events.closed = [this](net::StreamId id) {
    const bool adopted = peers_[id].adopted;
    peers_.erase(id);
    if (owner_ == id) owner_.reset();
    if (adopted) ended_();
  };
  server_ = std::make_unique<net::StreamServer>(loop_, options_.server, std::move(events));
}

SensorProcess::~SensorProcess() = default;

Status SensorProcess::start() {
  if (options_.pipe) {
    AT_TRY(set_pipe(*options_.pipe, std::nullopt));
  }
  if (options_.cpu_time) {
    used_ = options_.cpu_time();
    measured_ = clock_.steady();
    credit_ = options_.cores;
  }
  return server_->start();
}

void SensorProcess::adopt(io::Descriptor connection) {
  adopts_ = true;
  server_->adopt(std::move(connection));
  if (std::exchange(adopts_, false)) ended_();  // it could not be
}

void SensorProcess::received(net::StreamId id, std::string_view bytes) {
  const auto at = peers_.find(id);
  if (at == peers_.end()) return;
  std::vector<StreamFrame> frames;
  const auto read = at->second.reader.put(bytes, frames);
  for (const auto& frame : frames)
    if (!take(id, at->second, frame)) return;
  if (!read) refuse(id, read.error());
  keep_to_cores();
}

bool SensorProcess::take(net::StreamId id, Peer& peer, const StreamFrame& frame) {
  if (!peer.greeted) return greet(id, peer, frame);
  if (const auto* records = std::get_if<StreamRecords>(&frame)) {
    push(*records);
  } else if (std::holds_alternative<StreamAsk>(frame)) {
    server_->send(id, encode(StreamStatus{status_json()}));
  } else if (const auto* given = std::get_if<StreamPipe>(&frame)) {
    Status done = fail(ErrorCode::kPermissionDenied, "this sensor was started with its pipe");
    if (!options_.pipe) {
      const auto document = config::Document::parse(given->json, "pipe");
      auto spec = document ? read_pipe(document->root()) : Result<PipeSpec>(std::unexpected(document.error()));
      done = spec ? set_pipe(*spec, id) : Status(std::unexpected(spec.error()));
    }
    if (!done) {
      const auto& error = done.error();
      server_->send(id, encode(StreamRefused{std::string(name(error.code)), error.message, error.remedy}));
    }
  } else if (!std::holds_alternative<StreamUnknown>(frame)) {
    refuse(id, Error{ErrorCode::kInvalidArgument, "a frame that only a sensor sends, or a second Hello", {}, {}});
    return false;
  }
  return true;
}

bool SensorProcess::greet(net::StreamId id, Peer& peer, const StreamFrame& frame) {
  const auto* hello = std::get_if<StreamHello>(&frame);
  if (hello == nullptr) {
    refuse(id, Error{ErrorCode::kInvalidArgument, "the first frame is no Hello", {}, {}});
    return false;
  }
  if (hello->version != kStreamVersion) {
    refuse(id, Error{ErrorCode::kUnprocessable,
                     fmt::format("version {} is spoken, and this is {}", hello->version, kStreamVersion),
                     {},
                     {}});
    return false;
  }
  if (!equal(hello->token, options_.token)) {
    refuse(id, Error{ErrorCode::kUnauthenticated, "this is not the token", {}, "that of --token-file"});
    return false;
  }
  peer.greeted = true;
  return server_->send(id, encode(StreamWelcome{}));
}

void SensorProcess::refuse(net::StreamId id, const Error& error) {
  server_->send(id, encode(StreamRefused{std::string(name(error.code)), error.message, error.remedy}));
  server_->close(id);
  const bool adopted = peers_[id].adopted;
  peers_.erase(id);
  if (owner_ == id) owner_.reset();
  if (adopted) ended_();
}

void SensorProcess::push(const StreamRecords& frame) {
  if (!pipe_) return;
  std::vector<Published> out;
  const auto now = clock_.now();
  for (const auto& one : frame.records) pipe_->push(one.stream, one.record, now, out);
  publish(std::move(out));
  arm();
}

Status SensorProcess::set_pipe(const PipeSpec& spec, std::optional<net::StreamId> owner) {
  AT_TRY(auto pipe, Pipe::make(spec));
  const publish::PublisherContext context{.loop = loop_,
                                          .clock = clock_,
                                          .destinations = options_.destinations,
                                          .who = options_.who,
                                          .host = options_.host,
                                          .log_folder = options_.log_folder,
                                          .platform = nullptr,
                                          .limits = options_.limits,
                                          .amqp = options_.amqp};
  std::vector<Outlet> outlets;
  for (const auto& part : spec.publishers) {
    Outlet outlet;
    if (!owner || !publish::needs_platform(part.mixin)) {
      AT_TRY(outlet.publisher, publish::make_publisher(part, context));
    }
    outlets.push_back(std::move(outlet));
  }
  pipe_.emplace(std::move(pipe));
  outlets_ = std::move(outlets);
  owner_ = owner;
  arm();
  return {};
}

void SensorProcess::publish(std::vector<Published> published) {
  for (const auto& one : published) {
    auto& outlet = outlets_[one.publisher];
    if (outlet.publisher) {
      outlet.publisher->publish(one.stream, one.record);
    } else {
      send_back(one.publisher, one.stream, one.record);
    }
  }
}

void SensorProcess::send_back(std::uint32_t publisher, std::string_view stream, const Record& record) {
  StreamPublished frame{publisher, std::string(stream), {record}};
  if (!owner_ || !server_->send(*owner_, encode(frame))) ++lost_;
}

void SensorProcess::arm() {
  if (!pipe_ || pipe_->due() == kMaxTime) return;
  const auto wait = std::clamp(pipe_->due() - clock_.now(), Duration{0}, kLongestSleep);
  tick_ = loop_.after(wait, [this] {
    std::vector<Published> out;
    pipe_->tick(clock_.now(), out);
    publish(std::move(out));
    arm();
  });
}

/// A bucket of credit that fills by `cores` a second and holds one second of it: when it is empty, nothing is read
/// until it is not.
void SensorProcess::keep_to_cores() {
  if (options_.cores <= 0 || !options_.cpu_time) return;
  const auto used = options_.cpu_time();
  const auto now = clock_.steady();
  const std::chrono::duration<double> passed = now - std::exchange(measured_, now);
  const std::chrono::duration<double> taken = used - std::exchange(used_, used);
  credit_ = std::min(credit_ + passed.count() * options_.cores, options_.cores) - taken.count();
  if (credit_ >= 0 || rest_.pending()) return;
  server_->rest(true);
  const auto wait = Duration{static_cast<std::int64_t>(-credit_ / options_.cores * 1000) + 1};
  rest_ = loop_.after(wait, [this] { server_->rest(false); });
}

std::string SensorProcess::status_json() const {
  json::array publishers;
  for (std::size_t i = 0; i < outlets_.size(); ++i) {
    const auto status = outlets_[i].publisher ? outlets_[i].publisher->status() : publish::PublisherStatus{};
    json::value failed_at = nullptr;
    if (status.failures > 0) failed_at = format_rfc3339(status.failed_at);
    publishers.push_back(json::object{{"mixin", term_of(pipe_->spec().publishers[i].mixin)},
                                      {"delivered", status.delivered},
                                      {"dropped", status.dropped},
                                      {"failures", status.failures},
                                      {"queued", status.queued},
                                      {"failing", status.failing},
                                      {"last_error", status.last_error},
                                      {"failed_at", std::move(failed_at)}});
  }
  return json::serialize(json::object{{"counters", pipe_ ? counters_json(pipe_->counters()) : json::object{}},
                                      {"remembered", pipe_ ? pipe_->remembered() : 0},
                                      {"lost", lost_},
                                      {"resting", rest_.pending()},
                                      {"publishers", std::move(publishers)}});
}

}  // namespace atalaya::sense::process
