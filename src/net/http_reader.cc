#include "net/http_reader.h"

#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include <algorithm>

#include "base/check.h"

namespace atalaya::net {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace {

/// A string that grows with what came, never with what a Content-Length promises.
struct GrowingBody {
  using value_type = std::string;
  class reader {
   public:
    template <bool is_request, class Fields>
    reader(http::header<is_request, Fields>&, value_type& body) : body_(body) {}
    void init(const boost::optional<std::uint64_t>&, beast::error_code& error) { error = {}; }
    template <class Buffers>
    std::size_t put(const Buffers& buffers, beast::error_code& error) {
      error = {};
      std::size_t size = 0;
      for (const auto buffer : beast::buffers_range_ref(buffers)) {
        body_.append(static_cast<const char*>(buffer.data()), buffer.size());
        size += buffer.size();
      }
      return size;
    }
    void finish(beast::error_code& error) { error = {}; }

   private:
    value_type& body_;
  };
};

HttpReader::Problem problem_of(const beast::error_code& error) {
  if (error == http::error::header_limit) return {431, "the request's header is too large"};
  if (error == http::error::bad_version) return {505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  return {400, "malformed HTTP message: " + error.message()};
}

}  // namespace

struct HttpReader::Impl {
  virtual ~Impl() = default;
  virtual std::optional<std::size_t> put(std::string_view bytes) = 0;
  virtual bool put_end() = 0;
  virtual bool done() const = 0;
  virtual std::string& body() = 0;

  MessageHead head;
  bool head_done = false;
  Problem problem;
  std::optional<std::size_t> direct;  ///< bytes of the body so far, once they come without the parser
};

template <bool is_request>
struct HttpReader::Parser final : HttpReader::Impl {
  http::parser<is_request, GrowingBody> parser;

  Parser(std::uint32_t max_header_bytes, bool no_body) {
    parser.header_limit(max_header_bytes);
    parser.body_limit(boost::none);
    parser.eager(false);
    if constexpr (!is_request) parser.skip(no_body);
  }

  std::optional<std::size_t> put(std::string_view bytes) override {
    std::size_t taken = 0;
    while (taken < bytes.size() && !parser.is_done()) {
      beast::error_code error;
      const auto n = parser.put(asio::buffer(bytes.data() + taken, bytes.size() - taken), error);
      taken += n;
      if (error == http::error::need_more) break;
      if (error) {
        problem = problem_of(error);
        return std::nullopt;
      }
      if (!head_done && parser.is_header_done()) {
        take_head();
        break;
      }
      if (n == 0) break;
    }
    return taken;
  }

  bool put_end() override {
    beast::error_code error;
    if (!parser.got_some()) return false;
    parser.put_eof(error);
    return !error && parser.is_done();
  }

  bool done() const override { return parser.is_done(); }
  std::string& body() override { return parser.get().body(); }

  void take_head() {
    head_done = true;
    const auto& message = parser.get();
    if constexpr (is_request) {
      head.method = std::string(message.method_string());
      head.target = std::string(message.target());
      head.upgrade = beast::websocket::is_upgrade(message);
    } else {
      head.status = static_cast<int>(message.result_int());
    }
    head.version = static_cast<int>(message.version());
    head.keep_alive = parser.keep_alive();
    head.chunked = parser.chunked();
    if (const auto length = parser.content_length()) head.content_length = *length;
    for (const auto& field : message) head.headers.add(std::string(field.name_string()), std::string(field.value()));
    head.expects_continue = beast::iequals(message[http::field::expect], "100-continue");
  }
};

HttpReader::HttpReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpReader::HttpReader(HttpReader&&) noexcept = default;
HttpReader& HttpReader::operator=(HttpReader&&) noexcept = default;
HttpReader::~HttpReader() = default;

HttpReader HttpReader::request(std::uint32_t max_header_bytes) {
  return HttpReader(std::make_unique<Parser<true>>(max_header_bytes, false));
}
HttpReader HttpReader::response(std::uint32_t max_header_bytes, bool no_body) {
  return HttpReader(std::make_unique<Parser<false>>(max_header_bytes, no_body));
}

std::span<char> HttpReader::room() {
  constexpr std::size_t kLeast = 64 << 10;
  if (!impl_->head_done || impl_->head.chunked || !impl_->head.content_length || done()) return {};
  auto& body = impl_->body();
  if (!impl_->direct) impl_->direct = body.size();
  const auto missing = *impl_->head.content_length - *impl_->direct;
  if (body.size() == *impl_->direct) {
    // As much again as has come: a promise alone takes no memory.
    body.resize(body.size() +
                static_cast<std::size_t>(std::min<std::uint64_t>(missing, std::max(kLeast, body.size()))));
  }
  return {body.data() + *impl_->direct, body.size() - *impl_->direct};
}

void HttpReader::filled(std::size_t size) {
  *impl_->direct += size;
  if (*impl_->direct == *impl_->head.content_length) impl_->body().resize(*impl_->direct);
}

std::optional<std::size_t> HttpReader::put(std::string_view bytes) {
  AT_CHECK(!impl_->direct);
  return impl_->put(bytes);
}
bool HttpReader::put_end() { return impl_->put_end(); }
const HttpReader::Problem& HttpReader::problem() const { return impl_->problem; }
bool HttpReader::head_done() const { return impl_->head_done; }
bool HttpReader::done() const { return impl_->direct ? *impl_->direct == *impl_->head.content_length : impl_->done(); }
const MessageHead& HttpReader::head() const { return impl_->head; }
std::string& HttpReader::body() const { return impl_->body(); }

}  // namespace atalaya::net
