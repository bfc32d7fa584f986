// Incremental reading of one HTTP/1 message: for net's own sources. Beast's parser is behind it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/http.h"

namespace atalaya::net {

/// First line and fields.
struct MessageHead {
  std::string method;  ///< requests
  std::string target;
  int status = 0;    ///< responses
  int version = 11;  ///< 10 or 11
  Headers headers;
  bool keep_alive = false;
  bool chunked = false;
  bool upgrade = false;  ///< asks for a WebSocket
  bool expects_continue = false;
  std::optional<std::uint64_t> content_length;

  bool has_body() const { return chunked || content_length.value_or(0) > 0; }
};

/// Bytes come in by `put` as they arrive. Reads hostile input. Thread-compatible.
class HttpReader {
 public:
  /// What is wrong with a message, and the status that says so.
  struct Problem {
    int status = 400;
    std::string message;
  };

  static HttpReader request(std::uint32_t max_header_bytes);
  /// `no_body` for answers to HEAD and CONNECT.
  static HttpReader response(std::uint32_t max_header_bytes, bool no_body);
  HttpReader(HttpReader&&) noexcept;
  HttpReader& operator=(HttpReader&&) noexcept;
  ~HttpReader();

  /// Takes a prefix of `bytes` (nothing, while the head is incomplete: give it again with more) and
  /// stops after the head and after the message. nullopt: see `problem`.
  std::optional<std::size_t> put(std::string_view bytes);
  /// The peer ended its direction. False when the message is not complete then.
  bool put_end();
  const Problem& problem() const;

  /// Where the next bytes of a body of known length are best read into, without `put` between: room for some of what
  /// is missing. Empty for any other body, and when the message is done. `filled` tells how many came; no `put` then.
  std::span<char> room();
  void filled(std::size_t size);

  bool head_done() const;
  bool done() const;
  const MessageHead& head() const;  ///< after `head_done`
  std::string& body() const;        ///< so far, chunks joined; the caller bounds it

 private:
  struct Impl;
  template <bool is_request>
  struct Parser;
  explicit HttpReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace atalaya::net
