// The key that signs every JWT of this installation.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/file_system.h"

namespace atalaya::auth {

/// An ECDSA key on P-256. Immutable after construction, thread-safe.
class SigningKey {
 public:
  /// Reads the PEM file at `path`, or makes a key and writes it there, readable by the owner alone.
  /// corruption if the file holds anything but such a key: it is never overwritten.
  static Result<SigningKey> load_or_create(io::FileSystem& files, const std::string& path);
  static Result<SigningKey> parse(std::string_view pem);
  static Result<SigningKey> generate();

  SigningKey(SigningKey&&) noexcept;
  SigningKey& operator=(SigningKey&&) noexcept;
  ~SigningKey();

  /// JWS ES256: 64 bytes, r and s.
  std::string sign(std::string_view message) const;
  bool verify(std::string_view message, std::string_view signature) const;
  /// RFC 7638 thumbprint of the public key.
  const std::string& kid() const;
  /// The public key as a JWK.
  std::string public_jwk() const;
  std::string pem() const;

 private:
  struct Impl;
  explicit SigningKey(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace atalaya::auth
