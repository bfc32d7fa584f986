#include "auth/signing_key.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>

#include "auth/digest.h"
#include "auth/ecdsa.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/openssl.h"

namespace atalaya::auth {
namespace {

constexpr std::size_t kHalf = 32;

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

}  // namespace

struct SigningKey::Impl {
  ssl::Key key;
  std::string x;  // base64url
  std::string y;
  std::string kid;

  Status describe() {
    std::string point(1 + 2 * kHalf, '\0');
    std::size_t size = 0;
    char group[32] = {};
    if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_EC ||
        EVP_PKEY_get_utf8_string_param(key.get(), OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, nullptr) != 1 ||
        std::string_view(group) != SN_X9_62_prime256v1 ||
        EVP_PKEY_get_octet_string_param(key.get(), OSSL_PKEY_PARAM_PUB_KEY, ssl::bytes(point), point.size(), &size) !=
            1 ||
        size != point.size() || point[0] != 4) {
      return fail(ErrorCode::kCorruption, "not an ECDSA key on P-256");
    }
    x = base64url_encode(std::string_view(point).substr(1, kHalf));
    y = base64url_encode(std::string_view(point).substr(1 + kHalf));
    // The members in this order and no others (RFC 7638 §3.2).
    kid = base64url_encode(sha256(fmt::format(R"({{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}})", x, y)));
    return {};
  }
};

SigningKey::SigningKey(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SigningKey::SigningKey(SigningKey&&) noexcept = default;
SigningKey& SigningKey::operator=(SigningKey&&) noexcept = default;
SigningKey::~SigningKey() = default;

Result<SigningKey> SigningKey::generate() {
  auto impl = std::make_unique<Impl>();
  impl->key.reset(EVP_EC_gen("P-256"));
  if (!impl->key) return fail(ErrorCode::kInternal, "the signing key cannot be generated");
  AT_TRY(impl->describe());
  return SigningKey(std::move(impl));
}

Result<SigningKey> SigningKey::parse(std::string_view pem) {
  const auto bio = ssl::reader(pem);
  auto impl = std::make_unique<Impl>();
  impl->key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, ssl::no_password, nullptr));
  if (!impl->key) return fail(ErrorCode::kCorruption, "no private key in PEM form");
  AT_TRY(impl->describe());
  const ssl::KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, impl->key.get(), nullptr));
  if (EVP_PKEY_pairwise_check(context.get()) != 1) {
    return fail(ErrorCode::kCorruption, "the private key does not belong to its public key");
  }
  return SigningKey(std::move(impl));
}

Result<SigningKey> SigningKey::load_or_create(io::FileSystem& files, const std::string& path) {
  if (files.exists(path)) {
    AT_TRY(auto pem, io::read_file(files, path, 64 << 10));
    auto key = parse(pem);
    if (!key) return fail_within(fmt::format("signing key {}", path), key.error());
    return key;
  }
  AT_TRY(auto key, generate());
  AT_TRY(files.create_directories(directory_of(path)));
  AT_TRY(io::write_file_atomically(files, path, key.pem()));
  return key;
}

std::string SigningKey::sign(std::string_view message) const {
  const ssl::DigestContext context(EVP_MD_CTX_new());
  AT_CHECK(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, impl_->key.get()) == 1);
  std::string der(80, '\0');  // at most 72 bytes on this curve
  std::size_t size = der.size();
  AT_CHECK(EVP_DigestSign(context.get(), ssl::bytes(der), &size, ssl::bytes(message), message.size()) == 1);
  return ecdsa_raw_from_der(std::string_view(der).substr(0, size), kHalf);
}

bool SigningKey::verify(std::string_view message, std::string_view signature) const {
  const auto der = ecdsa_der_from_raw(signature, kHalf);
  if (der.empty()) return false;
  const ssl::DigestContext context(EVP_MD_CTX_new());
  AT_CHECK(EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, impl_->key.get()) == 1);
  return EVP_DigestVerify(context.get(), ssl::bytes(der), der.size(), ssl::bytes(message), message.size()) == 1;
}

const std::string& SigningKey::kid() const { return impl_->kid; }

std::string SigningKey::public_jwk() const {
  return fmt::format(R"({{"kty":"EC","crv":"P-256","x":"{}","y":"{}","alg":"ES256","use":"sig","kid":"{}"}})", impl_->x,
                     impl_->y, impl_->kid);
}

std::string SigningKey::pem() const {
  const auto bio = ssl::writer();
  AT_CHECK(PEM_write_bio_PKCS8PrivateKey(bio.get(), impl_->key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return ssl::text_of(bio);
}

}  // namespace atalaya::auth
