// What net's own tests share: a server on a port of its own, a client that speaks raw bytes, and
// certificates in a folder that goes away.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "net/server.h"
#include "net/test_loop.h"
#include "net/tls.h"

namespace atalaya::net::testing {

class TestServer {
 public:
  explicit TestServer(const std::function<void(Router&)>& fill, ServerOptions options = {}) {
    auto router = std::make_shared<Router>();
    fill(*router);
    options.listen = {"127.0.0.1:0"};
    server_ = std::make_unique<HttpServer>(router, std::move(options), registry, clock_);
    const auto status = server_->start();
    if (!status) throw std::runtime_error(status.error().message);
  }

  HttpServer& operator*() { return *server_; }
  HttpServer* operator->() { return server_.get(); }
  std::uint16_t port() const { return server_->port(); }
  std::string url(const std::string& scheme, const std::string& target) const {
    return scheme + "://127.0.0.1:" + std::to_string(port()) + target;
  }

  telemetry::Registry registry;

 private:
  SystemClock clock_;
  std::unique_ptr<HttpServer> server_;
};

inline int connect_to(std::uint16_t port, int receive_buffer = 0) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receive_buffer > 0) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  timeval patience{kPatience.count(), 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) throw std::runtime_error("connect");
  return fd;
}

/// A socket that listens on a port of its own.
class Listener {
 public:
  Listener() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(fd_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(fd_, 10) != 0)
      throw std::runtime_error("listen");
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~Listener() { ::close(fd_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  std::uint16_t port() const { return port_; }
  /// The next connection, the caller's; negative once it was stopped.
  int next() { return accept(fd_, nullptr, nullptr); }
  /// Ends a waiting `next`. Any thread.
  void stop() { ::shutdown(fd_, SHUT_RDWR); }

 private:
  const int fd_;
  std::uint16_t port_ = 0;
};

/// Sends and reads exactly the bytes that a test says.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port, int receive_buffer = 0) : fd_(connect_to(port, receive_buffer)) {}
  ~RawClient() { ::close(fd_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  /// False when the peer has ended the connection.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  /// Sends nothing more, and goes on reading.
  void end() { ::shutdown(fd_, SHUT_WR); }

  /// Reads more; false at the end of the connection (or after kPatience).
  bool more() {
    char chunk[16384];
    const auto size = recv(fd_, chunk, sizeof chunk, 0);
    if (size <= 0) return false;
    incoming_.append(chunk, static_cast<std::size_t>(size));
    return true;
  }

  /// One answer: head and Content-Length body.
  std::string answer() {
    std::size_t end = 0;
    while ((end = incoming_.find("\r\n\r\n")) == std::string::npos)
      if (!more()) return std::exchange(incoming_, {});
    end += 4;
    const auto head = incoming_.substr(0, end);
    const auto at = head.find("Content-Length: ");
    if (at != std::string::npos) end += std::stoul(head.substr(at + 16));
    while (incoming_.size() < end && more()) {
    }
    auto taken = incoming_.substr(0, end);
    incoming_.erase(0, end);
    return taken;
  }
  std::string ask(std::string_view request) {
    send(request);
    return answer();
  }
  /// Everything up to the peer's end.
  std::string rest() {
    while (more()) {
    }
    return std::exchange(incoming_, {});
  }

 private:
  int fd_;
  std::string incoming_;
};

inline std::string get(std::string_view target, std::string_view headers = {}) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: test\r\n" + std::string(headers) + "\r\n";
}

inline std::string body_of(const std::string& answer) {
  const auto end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = std::filesystem::temp_directory_path() / "atalaya-net-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// A certificate, for `localhost` and 127.0.0.1 unless other names are given.
struct TestCertificate {
  std::vector<std::string> names;
  TemporaryFolder folder;
  TlsFiles files{folder / "cert.pem", folder / "key.pem"};
  std::string fingerprint;

  explicit TestCertificate(std::vector<std::string> subjects = {"localhost", "127.0.0.1"})
      : names(std::move(subjects)) {
    renew();
  }
  void renew() {
    const auto made = make_self_signed(files.cert_file, files.key_file, names);
    if (!made) throw std::runtime_error(made.error().message);
    fingerprint = *certificate_fingerprint(files.cert_file);
  }
};

}  // namespace atalaya::net::testing
