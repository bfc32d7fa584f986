#include "auth/sealer.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/check.h"
#include "base/openssl.h"
#include "base/random.h"

namespace atalaya::auth {
namespace {

constexpr std::string_view kPrefix = "sealed:";
constexpr std::size_t kKeyBytes = 32;
constexpr int kNonceBytes = 12;
constexpr int kTagBytes = 16;

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, ssl::Deleter<EVP_CIPHER_CTX_free>>;

}  // namespace

Result<Sealer> Sealer::open(io::FileSystem& files, const std::string& path) {
  if (files.exists(path)) {
    AT_TRY(auto key, io::read_file(files, path, 4096));
    if (key.size() != kKeyBytes)
      return fail(ErrorCode::kCorruption, fmt::format("{} holds no key of {} bytes", path, kKeyBytes));
    return Sealer(std::move(key));
  }
  auto key = random_bytes(kKeyBytes);
  AT_TRY(files.create_directories(path.substr(0, path.rfind('/'))));
  AT_TRY(io::write_file_atomically(files, path, key));
  return Sealer(std::move(key));
}

bool Sealer::is_sealed(std::string_view text) { return text.starts_with(kPrefix); }

std::string Sealer::seal(std::string_view secret) const {
  const auto nonce = random_bytes(kNonceBytes);
  const Cipher context(EVP_CIPHER_CTX_new());
  std::string out(secret.size(), '\0');
  std::string tag(kTagBytes, '\0');
  int size = 0;
  AT_CHECK(EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, ssl::bytes(std::string_view(key_)),
                              ssl::bytes(std::string_view(nonce))) == 1);
  AT_CHECK(EVP_EncryptUpdate(context.get(), ssl::bytes(out), &size, ssl::bytes(secret),
                             static_cast<int>(secret.size())) == 1);
  AT_CHECK(EVP_EncryptFinal_ex(context.get(), ssl::bytes(tag), &size) == 1 && size == 0);
  AT_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, tag.data()) == 1);
  return std::string(kPrefix) + base64url_encode(nonce + out + tag);
}

Result<std::string> Sealer::unseal(std::string_view text) const {
  if (!is_sealed(text)) return std::string(text);
  const auto wrong = [] {
    return fail(ErrorCode::kCorruption, "a sealed text was sealed with another key, or changed",
                "write the secret itself in its place");
  };
  const auto bytes = base64url_decode(text.substr(kPrefix.size()));
  if (!bytes || bytes->size() < kNonceBytes + kTagBytes) return wrong();
  const auto cipher_bytes = bytes->size() - kNonceBytes - kTagBytes;
  const std::string_view all = *bytes;
  auto tag = std::string(all.substr(kNonceBytes + cipher_bytes));
  const Cipher context(EVP_CIPHER_CTX_new());
  std::string out(cipher_bytes, '\0');
  int size = 0;
  AT_CHECK(EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, ssl::bytes(std::string_view(key_)),
                              ssl::bytes(all)) == 1);
  AT_CHECK(EVP_DecryptUpdate(context.get(), ssl::bytes(out), &size, ssl::bytes(all.substr(kNonceBytes)),
                             static_cast<int>(cipher_bytes)) == 1);
  AT_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1);
  std::string rest(kTagBytes, '\0');
  if (EVP_DecryptFinal_ex(context.get(), ssl::bytes(rest), &size) != 1) return wrong();
  return out;
}

}  // namespace atalaya::auth
