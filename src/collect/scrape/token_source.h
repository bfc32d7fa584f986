// Tokens by OAuth 2.0, client credentials: RFC 6749, 4.4.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "collect/scrape/config.h"
#include "io/file_system.h"
#include "net/client.h"
#include "net/event_loop.h"

namespace atalaya::collect::scrape {

/// The text of a secret as it is now. A file's trailing blanks are no part of it.
Result<std::string> read_secret(io::FileSystem& files, const Secret& secret);

/// What a place of tokens answers.
struct Token {
  std::string header;                ///< of Authorization: `Bearer …`
  std::optional<Duration> lifetime;  ///< nothing: for ever
};
/// unavailable with the answer's own `error` where it is no token.
Result<Token> read_token(int status, std::string_view body);

/// Keeps a token until shortly before its end; several who ask at once wait for one request. The place is asked with
/// the client's secret in the header first, and in the body where it does not take that. Strand-bound to its loop.
class TokenSource {
 public:
  using Done = std::function<void(Result<std::string>)>;

  TokenSource(net::EventLoop& loop, io::FileSystem& files, const Clock& clock, OAuth2 settings);
  ~TokenSource();  ///< who waits is not called

  /// The value of the header Authorization; may be told inside the call.
  void get(Duration timeout, Done done);
  /// Somebody did not take it.
  void forget();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace atalaya::collect::scrape
