#include "net/http_session.h"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <exception>
#include <utility>

#include "net/gzip.h"
#include "net/percent.h"
#include "net/responder.h"
#include "telemetry/log.h"

namespace atalaya::net {
namespace asio = boost::asio;
namespace {

constexpr std::string_view kMethods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

bool is_known_method(std::string_view method) {
  return std::find(std::begin(kMethods), std::end(kMethods), method) != std::end(kMethods);
}

/// On a worker: unpacks the body, then the handler.
void run_handler(const Router::Match& match, Request request, const std::shared_ptr<Responder>& responder) {
  try {
    if (request.headers.get("Content-Encoding") == "gzip") {
      auto body = gunzip(request.body, match.options.max_body_bytes);
      if (!body) {
        responder->respond(Response::error(body.error()));
        return;
      }
      request.body = std::move(*body);
      request.headers.set("Content-Encoding", "identity");
    }
    match.handler(std::move(request), [responder](Response response) { responder->respond(std::move(response)); });
  } catch (const std::exception& e) {
    telemetry::log_error("net", "a handler threw", {{"route", match.pattern}, {"error", e.what()}});
    responder->respond(Response::error(Error{ErrorCode::kInternal, "internal error", {}, {}}));
  }
}

}  // namespace

HttpSession::HttpSession(HttpServer::Impl& server, asio::ip::tcp::socket socket, std::string remote_address)
    : server_(server),
      remote_address_(std::move(remote_address)),
      stream_(std::move(socket)),
      strand_(stream_->get_executor()),
      deadline_(strand_),
      reader_(HttpReader::request(static_cast<std::uint32_t>(server.options.max_header_bytes))) {}

void HttpSession::start() {
  const auto tls = server_.current_tls();
  if (!tls) {
    next_request();
    return;
  }
  set_deadline(server_.options.header_timeout);
  stream_->handshake_as_server(tls, [self = shared_from_this()](const ErrorCodeAsio& error) {
    if (error)
      self->end();
    else
      self->next_request();
  });
}

void HttpSession::next_request() {
  if (phase_ == Phase::kEnded) return;
  if (stopping_) {
    end_politely();
    return;
  }
  phase_ = Phase::kIdle;
  reader_ = HttpReader::request(static_cast<std::uint32_t>(server_.options.max_header_bytes));
  match_ = nullptr;
  context_ = {};
  method_.clear();
  set_deadline(server_.options.idle_timeout);
  if (incoming_.empty())
    read();
  else
    consume();
}

void HttpSession::read() {
  if (std::exchange(reading_, true)) return;
  stream_->read_some(asio::buffer(chunk_), [self = shared_from_this()](const ErrorCodeAsio& error, std::size_t size) {
    self->reading_ = false;
    if (self->phase_ != Phase::kEnded) self->on_read(error, size);
  });
}

void HttpSession::on_read(const ErrorCodeAsio& error, std::size_t size) {
  const bool waits_for_bytes = phase_ == Phase::kIdle || phase_ == Phase::kHead || phase_ == Phase::kBody;
  incoming_.append(chunk_.data(), size);
  if (!waits_for_bytes) {
    // The answer is written all the same: a client may have closed its own direction alone.
    if (error) asker_.request_stop();
  } else if (error) {
    end();
  } else {
    consume();
  }
}

void HttpSession::consume() {
  if (phase_ == Phase::kIdle) {
    phase_ = Phase::kHead;
    set_deadline(server_.options.header_timeout);
    started_ = server_.clock.steady();
  }
  const auto taken = reader_.put(incoming_);
  if (!taken) {
    refuse(error_with_status(reader_.problem().status, reader_.problem().message));
    return;
  }
  incoming_.erase(0, *taken);
  if (phase_ == Phase::kHead && reader_.head_done())
    on_head();
  else if (phase_ == Phase::kBody)
    on_body_progress();
  else
    read();
}

void HttpSession::on_head() {
  const auto& head = reader_.head();
  context_.keep_alive = head.keep_alive;
  context_.http_1_0 = head.version == 10;
  context_.head_only = head.method == "HEAD";
  context_.accepts_gzip = accepts_gzip(head.headers.get("Accept-Encoding"));
  context_.origin = head.headers.get("Origin");
  method_ = is_known_method(head.method) ? head.method : "other";
  if (method_ == "other") {
    refuse(error_with_status(501, "the method is none of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
    return;
  }
  if (!prepare_request()) return;
  if (is_preflight() && !head.has_body()) {
    answer(preflight_answer(context_, server_.options));
    return;
  }
  std::vector<std::string> allowed;
  const bool upgrade = head.upgrade && head.method == "GET";
  match_ = server_.router->find(upgrade ? "WEBSOCKET" : head.method, encoded_path_, request_.captures, allowed);
  // Whatever pages are served for addresses that nobody else knows, they are none of those.
  if (match_ && match_->pattern.starts_with("/{") && is_refused_plainly()) match_ = nullptr;
  // Go's servers answer HEAD only where that was said.
  if (match_ && head.method == "HEAD" && is_refused_plainly()) {
    match_ = nullptr;
    request_.captures = {};
    (void)server_.router->find({}, encoded_path_, request_.captures, allowed);  // who has no method is told all of them
  }
  if (!match_) {
    answer_unmatched(allowed);
    return;
  }
  if (upgrade) {
    dispatch_upgrade();
    return;
  }
  const auto limit = match_->options.max_body_bytes;
  if (head.content_length.value_or(0) > limit) {
    refuse(Response::error(
        Error{ErrorCode::kTooLarge,
              "the body has " + std::to_string(*head.content_length) + " bytes, the limit is " + std::to_string(limit),
              {},
              {}}));
    return;
  }
  phase_ = Phase::kBody;
  if (!head.expects_continue || !head.has_body() || !incoming_.empty()) {
    on_body_progress();
    return;
  }
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  const asio::const_buffer buffer(kContinue.data(), kContinue.size());
  stream_->write_some({&buffer, 1}, [self = shared_from_this()](const ErrorCodeAsio& error, std::size_t) {
    if (error)
      self->end();
    else if (self->phase_ == Phase::kBody)
      self->on_body_progress();
  });
}

bool HttpSession::prepare_request() {
  const auto& head = reader_.head();
  request_ = {};
  request_.method = head.method;
  request_.headers = head.headers;
  request_.remote_address = remote_address_;
  request_.tls = stream_->is_tls();
  request_.arrived = started_;
  if (head.version == 11 && head.headers.get("Host").empty()) {
    refuse(error_with_status(400, "the Host header is missing"));
    return false;
  }
  std::string_view target = head.target;
  if (const auto scheme = target.find("://"); scheme != std::string_view::npos && !target.starts_with('/')) {
    const auto slash = target.find('/', scheme + 3);  // absolute form, as proxies send it
    target = slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
  }
  if (target == "*" && head.method == "OPTIONS") target = "/";
  const auto question = target.find('?');
  auto path = normalise_path(target.substr(0, question));
  if (!path) {
    refuse(Response::error(path.error()));
    return false;
  }
  encoded_path_ = std::move(path->encoded);
  request_.path = std::move(path->decoded);
  if (question != std::string_view::npos) request_.query = Parameters::parse(target.substr(question + 1));
  return true;
}

bool HttpSession::is_preflight() const {
  return method_ == "OPTIONS" && !context_.origin.empty() &&
         !request_.headers.get("Access-Control-Request-Method").empty();
}

bool HttpSession::is_refused_plainly() const {
  return std::ranges::any_of(server_.options.plain_refusals,
                             [this](const std::string& prefix) { return request_.path.starts_with(prefix); });
}

std::vector<std::string> HttpSession::allowed_words(std::vector<std::string> methods) const {
  if (!is_refused_plainly() || methods.empty()) return methods;
  std::erase(methods, "HEAD");
  methods.emplace_back("OPTIONS");
  std::ranges::sort(methods);
  return methods;
}

void HttpSession::answer_unmatched(const std::vector<std::string>& allowed) {
  Parameters captures;
  std::vector<std::string> ignored;
  Response response;
  std::string allow;
  for (const auto& one : allowed_words(allowed)) allow += (allow.empty() ? "" : ", ") + one;
  if (method_ == "GET" && server_.router->find("WEBSOCKET", encoded_path_, captures, ignored)) {
    response = error_with_status(426, "this address speaks WebSocket");
    response.headers.add("Upgrade", "websocket");
  } else if (allowed.empty() && is_refused_plainly()) {
    response = Response::text("404 page not found\n", 404);
  } else if (allowed.empty()) {
    response = Response::error(Error{ErrorCode::kNotFound, "no such address: " + request_.path, {}, {}});
  } else if (method_ == "OPTIONS") {
    response = Response::empty(204);
    response.headers.add("Allow", allow);
  } else {
    response = is_refused_plainly() ? Response::text("Method Not Allowed\n", 405)
                                    : error_with_status(405, method_ + " is not allowed on " + request_.path);
    response.headers.add("Allow", allow);
  }
  if (reader_.head().has_body())
    refuse(std::move(response));
  else
    answer(std::move(response));
}

void HttpSession::on_body_progress() {
  // The rest of what has come may already be the end.
  while (!incoming_.empty() && !reader_.done()) {
    const auto taken = reader_.put(incoming_);
    if (!taken) {
      refuse(error_with_status(400, reader_.problem().message));
      return;
    }
    incoming_.erase(0, *taken);
    if (*taken == 0) break;
  }
  const auto limit = match_->options.max_body_bytes;
  if (reader_.body().size() > limit) {
    refuse(Response::error(Error{
        ErrorCode::kTooLarge, "the body is larger than the limit of " + std::to_string(limit) + " bytes", {}, {}}));
    return;
  }
  if (reader_.done()) {
    dispatch();
    return;
  }
  set_deadline(server_.options.body_timeout);
  read_body();
}

/// Into the body itself where its length is known.
void HttpSession::read_body() {
  const auto room = reader_.room();
  if (room.empty()) {
    read();
    return;
  }
  stream_->read_some(asio::buffer(room.data(), room.size()),
                     [self = shared_from_this()](const ErrorCodeAsio& error, std::size_t size) {
                       if (self->phase_ != Phase::kBody) return;
                       self->reader_.filled(size);
                       if (error)
                         self->end();
                       else
                         self->on_body_progress();
                     });
}

void HttpSession::dispatch() {
  phase_ = Phase::kHandling;
  clear_deadline();  // a handler may take its time
  request_.body = std::move(reader_.body());
  asker_ = {};
  request_.gone = asker_.get_token();
  // What has come of the next request already is enough to have noticed.
  if (incoming_.empty()) read();
  auto responder = std::make_shared<Responder>(server_.shared_from_this(), weak_from_this(), context_);
  WorkerPool::Work work = [match = match_, request = std::move(request_), responder]() mutable {
    run_handler(*match, std::move(request), responder);
  };
  auto& workers = match_->options.workers ? *match_->options.workers : *server_.workers;
  if (workers.try_post(std::move(work))) return;
  server_.metrics.refused_requests.add();
  auto response = Response::error(Error{ErrorCode::kUnavailable, "the server is overloaded", {}, "try again later"});
  response.headers.add("Retry-After", "1");
  responder->respond(std::move(response));
}

void HttpSession::deliver(Response response) {
  asio::post(strand_, [self = shared_from_this(), response = std::move(response)]() mutable {
    if (self->phase_ == Phase::kHandling) self->answer(std::move(response));
  });
}

void HttpSession::refuse(Response response) {
  context_.keep_alive = false;
  answer(std::move(response));
}

void HttpSession::answer(Response response) {
  phase_ = Phase::kWriting;
  if (stopping_) context_.keep_alive = false;
  response_ = std::move(response);
  const double seconds = std::chrono::duration<double>(server_.clock.steady() - started_).count();
  server_.metrics.count(match_ ? match_->pattern : "none", method_.empty() ? "other" : method_, response_.status,
                        seconds);
  answer_head_ = answer_head(response_, context_, server_.options, server_.clock.now());
  written_ = 0;
  write();
}

void HttpSession::write() {
  std::string_view body = response_.static_body ? *response_.static_body : std::string_view(response_.body);
  if (context_.head_only || response_.status == 204 || response_.status == 304) body = {};
  if (written_ == answer_head_.size() + body.size()) {
    answered();
    return;
  }
  std::array<asio::const_buffer, 2> buffers;
  std::size_t count = 0;
  if (written_ < answer_head_.size())
    buffers[count++] = {answer_head_.data() + written_, answer_head_.size() - written_};
  const auto body_at = written_ > answer_head_.size() ? written_ - answer_head_.size() : 0;
  if (body_at < body.size()) buffers[count++] = {body.data() + body_at, body.size() - body_at};
  set_deadline(server_.options.write_timeout);
  stream_->write_some({buffers.data(), count},
                      [self = shared_from_this()](const ErrorCodeAsio& error, std::size_t size) {
                        if (self->phase_ != Phase::kWriting) return;
                        self->written_ += size;
                        if (error)
                          self->end();
                        else
                          self->write();
                      });
}

void HttpSession::answered() {
  response_ = {};
  if (context_.keep_alive)
    next_request();
  else
    end_politely();
}

void HttpSession::end_politely() {
  constexpr Duration kLinger{2'000};
  phase_ = Phase::kEnding;
  set_deadline(kLinger);
  stream_->shutdown([self = shared_from_this()](const ErrorCodeAsio&) { self->end(); });
}

void HttpSession::end() {
  if (phase_ == Phase::kEnded) return;
  phase_ = Phase::kEnded;
  asker_.request_stop();
  deadline_.cancel();
  if (stream_) stream_->close();
  if (websocket_) websocket_->abort();
  server_.session_ended(shared_from_this());
}

void HttpSession::begin_stop() {
  asio::post(strand_, [self = shared_from_this()] {
    self->stopping_ = true;
    if (self->phase_ == Phase::kIdle) self->end();
    if (self->websocket_) self->websocket_->close(1001, "the server stops");
  });
}

void HttpSession::abort() {
  asio::post(strand_, [self = shared_from_this()] { self->end(); });
}

void HttpSession::set_deadline(Duration after) {
  deadline_at_ = boost::asio::steady_timer::clock_type::now() + after;
  if (deadline_at_ < wakes_at_) wait_for_deadline();
}

void HttpSession::wait_for_deadline() {
  wakes_at_ = deadline_at_;
  deadline_.expires_at(wakes_at_);
  deadline_.async_wait([weak = weak_from_this(), wait = ++waits_](const ErrorCodeAsio& error) {
    const auto self = weak.lock();
    if (error || !self || wait != self->waits_ || self->phase_ == Phase::kEnded) return;
    self->wakes_at_ = Deadline::max();
    if (boost::asio::steady_timer::clock_type::now() >= self->deadline_at_)
      self->end();
    else if (self->deadline_at_ != Deadline::max())
      self->wait_for_deadline();
  });
}

}  // namespace atalaya::net
