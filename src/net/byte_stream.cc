#include "net/byte_stream.h"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "net/certificate.h"

namespace atalaya::net {
namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;

namespace {

constexpr std::size_t kTlsRecord = 16 << 10;

/// A copyable buffer sequence of its own: the caller's span need not outlive the call.
struct Gathered {
  using value_type = asio::const_buffer;
  using const_iterator = const asio::const_buffer*;
  std::array<asio::const_buffer, ByteStream::kMaxBuffers> buffers;
  std::size_t count = 0;
  const_iterator begin() const { return buffers.data(); }
  const_iterator end() const { return buffers.data() + count; }
};

bool is_ip_address(const std::string& host) {
  ErrorCodeAsio error;
  asio::ip::make_address(host, error);
  return !error;
}

}  // namespace

struct ByteStream::State {
  explicit State(Socket s) : socket(std::move(s)) {}

  Socket socket;
  std::shared_ptr<ssl::context> context;  ///< outlives `tls`
  std::optional<ssl::stream<Socket&>> tls;
  std::string unread;
  std::string record;  ///< what a TLS write gathers
  std::string tls_failure;
};

ByteStream::ByteStream(Socket socket) : state_(std::make_shared<State>(std::move(socket))) {
  ErrorCodeAsio ignored;
  state_->socket.set_option(asio::ip::tcp::no_delay(true), ignored);
}
ByteStream::ByteStream(ByteStream&&) noexcept = default;
ByteStream::~ByteStream() {
  if (state_) close();
}

ByteStream::executor_type ByteStream::get_executor() const { return state_->socket.get_executor(); }
bool ByteStream::is_tls() const { return state_->tls.has_value(); }
void ByteStream::unread(std::string bytes) { state_->unread.insert(0, bytes); }
const std::string& ByteStream::tls_failure() const { return state_->tls_failure; }

void ByteStream::handshake_as_server(std::shared_ptr<ssl::context> context, Finished done) {
  state_->context = std::move(context);
  state_->tls.emplace(state_->socket, *state_->context);
  state_->tls->async_handshake(ssl::stream_base::server, [state = state_, done = std::move(done)](
                                                             const ErrorCodeAsio& error) mutable { done(error); });
}

void ByteStream::handshake_as_client(std::shared_ptr<ssl::context> context, const TlsTrust& trust,
                                     const std::string& host, Finished done) {
  state_->context = std::move(context);
  state_->tls.emplace(state_->socket, *state_->context);
  SSL* handle = state_->tls->native_handle();
  const auto& name = trust.server_name.empty() ? host : trust.server_name;
  if (is_ip_address(name)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(handle), name.c_str());
  } else {
    SSL_set_tlsext_host_name(handle, name.c_str());
    X509_VERIFY_PARAM_set1_host(SSL_get0_param(handle), name.c_str(), name.size());
  }
  // A pin is compared after the handshake, which has then proved that the peer holds the key.
  const bool verifies = trust.pinned_sha256.empty() && !trust.insecure_skip_verify;
  SSL_set_verify(handle, verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  state_->tls->async_handshake(ssl::stream_base::client, [state = state_, pin = trust.pinned_sha256, verifies,
                                                          done = std::move(done)](ErrorCodeAsio error) mutable {
    SSL* ssl_handle = state->tls->native_handle();
    const long verdict = SSL_get_verify_result(ssl_handle);
    if (error && verifies && verdict != X509_V_OK) state->tls_failure = X509_verify_cert_error_string(verdict);
    if (!error && !pin.empty()) {
      const auto actual = fingerprint(SSL_get0_peer_certificate(ssl_handle));
      if (!actual || *actual != pin) {
        state->tls_failure = "the certificate is not the pinned one";
        error = asio::error::access_denied;
      }
    }
    done(error);
  });
}

void ByteStream::read_some(asio::mutable_buffer into, Transferred done) {
  if (!state_->unread.empty()) {
    const auto size = std::min(into.size(), state_->unread.size());
    std::memcpy(into.data(), state_->unread.data(), size);
    state_->unread.erase(0, size);
    asio::post(get_executor(), [done = std::move(done), size]() mutable { done({}, size); });
    return;
  }
  auto completion = [state = state_, done = std::move(done)](ErrorCodeAsio error, std::size_t size) mutable {
    if (error == ssl::error::stream_truncated) error = asio::error::eof;  // a TCP end without TLS goodbye
    done(error, size);
  };
  if (state_->tls)
    state_->tls->async_read_some(into, std::move(completion));
  else
    state_->socket.async_read_some(into, std::move(completion));
}

void ByteStream::write_some(std::span<const asio::const_buffer> buffers, Transferred done) {
  auto completion = [state = state_, done = std::move(done)](const ErrorCodeAsio& error, std::size_t size) mutable {
    done(error, size);
  };
  if (!state_->tls) {
    Gathered gathered;
    gathered.count = std::min(buffers.size(), kMaxBuffers);
    std::copy_n(buffers.begin(), gathered.count, gathered.buffers.begin());
    state_->socket.async_write_some(gathered, std::move(completion));
    return;
  }
  // Asio encrypts one buffer a call: small ones are put together, so that a header and its body
  // share a record and a packet.
  if (!buffers.empty() && buffers.front().size() >= kTlsRecord) {
    state_->tls->async_write_some(buffers.front(), std::move(completion));
    return;
  }
  state_->record.clear();
  for (const auto& buffer : buffers) {
    const auto room = kTlsRecord - state_->record.size();
    state_->record.append(static_cast<const char*>(buffer.data()), std::min(room, buffer.size()));
  }
  state_->tls->async_write_some(asio::buffer(state_->record), std::move(completion));
}

void ByteStream::shutdown(Finished done) {
  auto completion = [state = state_, done = std::move(done)](const ErrorCodeAsio&) mutable {
    ErrorCodeAsio ignored;
    state->socket.shutdown(Socket::shutdown_send, ignored);
    drain(std::move(state), std::move(done), 0);
  };
  if (state_->tls)
    state_->tls->async_shutdown(std::move(completion));
  else
    asio::post(get_executor(), [completion = std::move(completion)]() mutable { completion({}); });
}

void ByteStream::drain(std::shared_ptr<State> state, Finished done, std::size_t drained) {
  constexpr std::size_t kMost = 4 << 20;
  auto& scratch = state->record;
  scratch.resize(kTlsRecord);
  auto* socket = &state->socket;
  socket->async_read_some(asio::buffer(scratch), [state = std::move(state), done = std::move(done), drained](
                                                     const ErrorCodeAsio& error, std::size_t size) mutable {
    if (error || drained + size > kMost)
      done({});
    else
      drain(std::move(state), std::move(done), drained + size);
  });
}

void ByteStream::close() {
  ErrorCodeAsio ignored;
  state_->socket.close(ignored);
}

void beast_close_socket(ByteStream& stream) { stream.close(); }

void teardown(boost::beast::role_type, ByteStream& stream, ErrorCodeAsio& error) {
  stream.close();
  error = {};
}

Result<std::shared_ptr<ssl::context>> make_server_context(const std::string& cert_file, const std::string& key_file) {
  ERR_clear_error();
  try {
    auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
    context->set_options(ssl::context::default_workarounds | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1);
    SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);
    ErrorCodeAsio error;
    context->use_certificate_chain_file(cert_file, error);
    if (error) return fail(ErrorCode::kInvalidArgument, "certificate " + cert_file + ": " + error.message());
    context->use_private_key_file(key_file, ssl::context::pem, error);
    if (error) return fail(ErrorCode::kInvalidArgument, "private key " + key_file + ": " + error.message());
    if (SSL_CTX_check_private_key(context->native_handle()) != 1) {
      ERR_clear_error();
      return fail(ErrorCode::kInvalidArgument, "key " + key_file + " does not belong to certificate " + cert_file);
    }
    return context;
  } catch (const std::exception& e) {
    return fail(ErrorCode::kInternal, std::string("TLS: ") + e.what());
  }
}

namespace {

std::unexpected<Error> wrong_pem(const std::string& what, const Pem& pem, const std::string& why) {
  return fail(ErrorCode::kInvalidArgument, what + (pem.file.empty() ? "" : " " + pem.file) + ": " + why);
}

Status show_certificate(ssl::context& context, const TlsTrust& trust) {
  if (!trust.certificate.given()) return {};
  ErrorCodeAsio error;
  if (trust.certificate.file.empty())
    context.use_certificate_chain(asio::buffer(trust.certificate.text), error);
  else
    context.use_certificate_chain_file(trust.certificate.file, error);
  if (error) return wrong_pem("client certificate", trust.certificate, error.message());
  if (trust.key.file.empty())
    context.use_private_key(asio::buffer(trust.key.text), ssl::context::pem, error);
  else
    context.use_private_key_file(trust.key.file, ssl::context::pem, error);
  if (error) return wrong_pem("client key", trust.key, error.message());
  if (SSL_CTX_check_private_key(context.native_handle()) == 1) return {};
  ERR_clear_error();
  return wrong_pem("client key", trust.key, "it does not belong to the certificate");
}

Status believe_authorities(ssl::context& context, const TlsTrust& trust) {
  ErrorCodeAsio error;
  if (!trust.ca_text.empty()) context.add_certificate_authority(asio::buffer(trust.ca_text), error);
  if (error) return fail(ErrorCode::kInvalidArgument, "certificate authorities: " + error.message());
  if (!trust.ca_file.empty())
    context.load_verify_file(trust.ca_file, error);
  else if (trust.ca_text.empty())
    context.set_default_verify_paths(error);
  if (!error) return {};
  return fail(
      ErrorCode::kInvalidArgument,
      "certificate authorities " + (trust.ca_file.empty() ? "of the system" : trust.ca_file) + ": " + error.message());
}

}  // namespace

Result<std::shared_ptr<ssl::context>> make_client_context(const TlsTrust& trust) {
  ERR_clear_error();
  try {
    auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
    context->set_options(ssl::context::default_workarounds | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1);
    SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);
    if (trust.tls13_at_least) SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_3_VERSION);
    if (trust.tls12_at_most) SSL_CTX_set_max_proto_version(context->native_handle(), TLS1_2_VERSION);
    AT_TRY(show_certificate(*context, trust));
    if (!trust.pinned_sha256.empty() || trust.insecure_skip_verify) return context;
    AT_TRY(believe_authorities(*context, trust));
    return context;
  } catch (const std::exception& e) {
    return fail(ErrorCode::kInternal, std::string("TLS: ") + e.what());
  }
}

}  // namespace atalaya::net
