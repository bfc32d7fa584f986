#include "packages/archive.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "base/openssl.h"
#include "io/compress.h"
#include "packages/edit.h"

namespace atalaya::packages {
namespace {

constexpr std::string_view kMagic = "ATPKGAR";
constexpr char kVersion = 1;
constexpr std::size_t kDigest = 32;
constexpr std::size_t kSignature = 64;
constexpr std::size_t kSigned = 88;  ///< bytes of the header that the signature covers
constexpr std::size_t kHeader = kSigned + kSignature;
constexpr std::size_t kMaxVersion = 64;

std::string sha256(std::string_view bytes) {
  std::string out(kDigest, '\0');
  unsigned size = 0;
  AT_CHECK(EVP_Digest(bytes.data(), bytes.size(), ssl::bytes(out), &size, EVP_sha256(), nullptr) == 1);
  return out;
}

Result<ssl::Key> ed25519(EVP_PKEY* read, std::string_view what) {
  ssl::Key key(read);
  if (key && EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_ED25519) return key;
  return fail(ErrorCode::kInvalidArgument, fmt::format("not an Ed25519 {} key in PEM", what),
              "make one with `openssl genpkey -algorithm ed25519`");
}

constexpr std::size_t kMaxPem = 64 << 10;

Result<ssl::Key> private_key(std::string_view pem) {
  if (pem.size() > kMaxPem) return fail(ErrorCode::kTooLarge, "a key of more than 64 KiB");
  return ed25519(PEM_read_bio_PrivateKey(ssl::reader(pem).get(), nullptr, ssl::no_password, nullptr), "private");
}

Result<ssl::Key> public_key(std::string_view pem) {
  if (pem.size() > kMaxPem) return fail(ErrorCode::kTooLarge, "a key of more than 64 KiB");
  return ed25519(PEM_read_bio_PUBKEY(ssl::reader(pem).get(), nullptr, ssl::no_password, nullptr), "public");
}

/// 32 bytes.
std::string fingerprint_of(const ssl::Key& key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key.get(), &der);
  AT_CHECK(size > 0);
  auto print = sha256({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return print;
}

std::string sign(const ssl::Key& key, std::string_view bytes) {
  const ssl::DigestContext context(EVP_MD_CTX_new());
  std::string out(kSignature, '\0');
  auto size = out.size();
  AT_CHECK(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1);
  AT_CHECK(EVP_DigestSign(context.get(), ssl::bytes(out), &size, ssl::bytes(bytes), bytes.size()) == 1);
  return out;
}

bool verifies(const ssl::Key& key, std::string_view signature, std::string_view bytes) {
  const ssl::DigestContext context(EVP_MD_CTX_new());
  return EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), ssl::bytes(signature), signature.size(), ssl::bytes(bytes), bytes.size()) == 1;
}

/// What is wrong with names, paths and numbers; "" for nothing.
std::string fault_of(const Archive& archive) {
  if (!is_package_name(archive.package)) return fmt::format("\"{}\" cannot be a package's name", archive.package);
  const bool printable = std::all_of(archive.version.begin(), archive.version.end(),
                                     [](char c) { return c > ' ' && static_cast<unsigned char>(c) < 0x7f; });
  if (archive.version.empty() || archive.version.size() > kMaxVersion || !printable) return "its version";
  for (const auto& [path, content] : archive.files) {
    if (!is_package_path(path)) return fmt::format("\"{}\" is no path within a package", path);
    for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      if (archive.files.contains(path.substr(0, slash))) {
        return fmt::format("{} is a file and a folder", path.substr(0, slash));
      }
    }
  }
  return {};
}

std::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorCode::kCorruption, fmt::format("package archive: {}", what), "fetch it again");
}

Result<Archive> read_body(std::string_view body) {
  ByteReader reader(body);
  Archive archive;
  archive.package = reader.text();
  archive.version = reader.text();
  const auto count = reader.varint();
  if (!reader.ok() || count > kMaxArchiveFiles) return damaged("its list of files");
  const std::string* last = nullptr;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto path = reader.text();
    const auto digest = reader.raw(kDigest);
    const auto content = reader.text();
    if (!reader.ok()) return damaged(fmt::format("file {} of {}", i + 1, count));
    if (last && path <= *last) return damaged(fmt::format("file {} is out of order", i + 1));
    if (sha256(content) != digest) return damaged(fmt::format("checksum of file {}", i + 1));
    last = &archive.files.emplace_hint(archive.files.end(), path, content)->first;
  }
  if (!reader.at_end()) return damaged("bytes after the last file");
  if (const auto fault = fault_of(archive); !fault.empty()) return damaged(fault);
  return archive;
}

/// The signer's fingerprint in hex, "" for an unsigned archive.
Result<std::string> check_signature(std::string_view header, const std::vector<std::string>& trusted,
                                    bool must_be_signed) {
  const auto print = header.substr(56, kDigest);
  const auto signature = header.substr(kSigned, kSignature);
  if (print == std::string(kDigest, '\0')) {
    if (signature != std::string(kSignature, '\0')) return damaged("a signature by nobody");
    if (!must_be_signed) return std::string();
    return fail(
        ErrorCode::kPermissionDenied, "the package archive is not signed",
        "sign it (`atalaya package pack DIR --key FILE`); a server started without --package-key takes it as it is");
  }
  for (const auto& pem : trusted) {
    AT_TRY(const auto key, public_key(pem));
    if (fingerprint_of(key) != print) continue;
    if (!verifies(key, signature, header.substr(0, kSigned))) return damaged("its signature does not fit");
    return to_hex(print);
  }
  return fail(ErrorCode::kPermissionDenied,
              fmt::format("the package archive is signed by {}, whom nobody here trusts", to_hex(print)),
              "if you trust the signer, start the server with --package-key FILE, the signer's public key");
}

}  // namespace

Result<SigningKey> make_signing_key() {
  const ssl::Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  const auto secret = ssl::writer();
  const auto open = ssl::writer();
  if (!key || PEM_write_bio_PrivateKey(secret.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
      PEM_write_bio_PUBKEY(open.get(), key.get()) != 1) {
    return fail(ErrorCode::kInternal, "OpenSSL made no Ed25519 key");
  }
  return SigningKey{ssl::text_of(secret), ssl::text_of(open)};
}

Result<std::string> key_fingerprint(std::string_view public_pem) {
  AT_TRY(const auto key, public_key(public_pem));
  return to_hex(fingerprint_of(key));
}

Result<std::string> pack(const Archive& archive, std::string_view private_pem) {
  if (const auto fault = fault_of(archive); !fault.empty()) return fail(ErrorCode::kInvalidArgument, fault);
  std::string body;
  ByteWriter writer(body);
  writer.text(archive.package);
  writer.text(archive.version);
  writer.varint(archive.files.size());
  for (const auto& [path, content] : archive.files) {
    writer.text(path);
    writer.raw(sha256(content));
    writer.text(content);
    if (body.size() > kMaxUnpackedBytes) break;
  }
  if (archive.files.size() > kMaxArchiveFiles || body.size() > kMaxUnpackedBytes) {
    return fail(ErrorCode::kTooLarge, fmt::format("package {} has more than {} files or {} bytes", archive.package,
                                                  kMaxArchiveFiles, kMaxUnpackedBytes));
  }
  constexpr int kLevel = 9;  // written once, sent and read many times
  const auto packed = io::ZstdCompressor(kLevel).compress(body);
  if (packed.size() > kMaxArchiveBytes - kHeader) {
    return fail(ErrorCode::kTooLarge, fmt::format("package {} has {} bytes when packed, more than {}", archive.package,
                                                  packed.size(), kMaxArchiveBytes));
  }
  std::string out(kMagic);
  out += kVersion;
  ByteWriter header(out);
  header.u64(packed.size());
  header.u64(body.size());
  header.raw(sha256(packed));
  if (private_pem.empty()) {
    out.append(kDigest + kSignature, '\0');
  } else {
    AT_TRY(const auto key, private_key(private_pem));
    out += fingerprint_of(key);
    out += sign(key, out);
  }
  return out + packed;
}

Result<Archive> unpack(std::string_view bytes, const std::vector<std::string>& trusted, bool must_be_signed) {
  if (bytes.size() > kMaxArchiveBytes) {
    return fail(ErrorCode::kTooLarge, fmt::format("a package archive of more than {} bytes", kMaxArchiveBytes));
  }
  if (bytes.size() < kHeader || !bytes.starts_with(kMagic)) return damaged("not one");
  if (bytes[kMagic.size()] != kVersion) {
    return fail(ErrorCode::kUnprocessable,
                fmt::format("package archive of version {}, known is {}",
                            static_cast<unsigned>(static_cast<unsigned char>(bytes[kMagic.size()])), int{kVersion}),
                "use a newer release");
  }
  const auto packed = bytes.substr(kHeader);
  ByteReader header(bytes.substr(8, 16));
  if (header.u64() != packed.size()) return damaged("its size");
  const auto unpacked = header.u64();
  if (unpacked > kMaxUnpackedBytes) {
    return fail(ErrorCode::kTooLarge,
                fmt::format("a package archive of more than {} bytes unpacked", kMaxUnpackedBytes));
  }
  if (sha256(packed) != bytes.substr(24, kDigest)) return damaged("its checksum");
  AT_TRY(auto signer, check_signature(bytes.substr(0, kHeader), trusted, must_be_signed));
  const auto body = io::ZstdDecompressor().decompress(packed, unpacked);
  if (!body || body->size() != unpacked) return damaged("its body");
  AT_TRY(auto archive, read_body(*body));
  archive.signer = std::move(signer);
  return archive;
}

}  // namespace atalaya::packages
