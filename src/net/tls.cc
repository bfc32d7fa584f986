#include "net/tls.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/bytes.h"
#include "base/openssl.h"
#include "base/random.h"
#include "io/errno.h"
#include "io/file_system.h"
#include "net/certificate.h"

namespace atalaya::net {
namespace {

std::unexpected<Error> fail_openssl(std::string what) {
  const auto code = ERR_get_error();
  ERR_clear_error();
  char text[256] = "unknown reason";
  if (code != 0) ERR_error_string_n(code, text, sizeof text);
  return fail(ErrorCode::kInternal, what + ": " + text);
}

bool is_address(const std::string& name) {
  return name.find_first_not_of("0123456789.") == std::string::npos || name.find(':') != std::string::npos;
}

bool add_extension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  if (!extension) return false;
  const bool added = X509_add_ext(certificate, extension, -1) == 1;
  X509_EXTENSION_free(extension);
  return added;
}

Result<ssl::Certificate> sign_certificate(EVP_PKEY* key, const std::vector<std::string>& names) {
  constexpr long kTenYears = 10L * 365 * 24 * 3600;
  ssl::Certificate certificate(X509_new());
  const auto serial_bytes = random_bytes(16);
  BIGNUM* serial = BN_bin2bn(reinterpret_cast<const unsigned char*>(serial_bytes.data()), 16, nullptr);
  BN_clear_bit(serial, 127);
  BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate.get()));
  BN_free(serial);
  X509_set_version(certificate.get(), 2);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);  // peers' clocks may be behind
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), kTenYears);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(names.front().c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), subject);
  std::string alternatives;
  for (const auto& name : names) {
    if (name.find_first_of(", \t\r\n") != std::string::npos || name.empty())
      return fail(ErrorCode::kInvalidArgument, "'" + name + "' is no name for a certificate");
    alternatives += (alternatives.empty() ? "" : ",") + std::string(is_address(name) ? "IP:" : "DNS:") + name;
  }
  if (!add_extension(certificate.get(), NID_subject_alt_name, alternatives) ||
      !add_extension(certificate.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0") ||
      !add_extension(certificate.get(), NID_key_usage, "critical,digitalSignature,keyCertSign") ||
      !add_extension(certificate.get(), NID_ext_key_usage, "serverAuth") ||
      !add_extension(certificate.get(), NID_subject_key_identifier, "hash"))
    return fail_openssl("make certificate for " + alternatives);
  if (X509_sign(certificate.get(), key, EVP_sha256()) == 0) return fail_openssl("sign certificate");
  return certificate;
}

/// The bytes land under their name complete and with the mode from the first moment on.
Status write_private(const std::string& path, std::string_view bytes, mode_t mode) {
  const auto temporary = path + ".new";
  unlink(temporary.c_str());
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return io::fail_errno(errno, "create", temporary);
  int error = 0;
  while (!bytes.empty() && error == 0) {
    const auto written = write(fd, bytes.data(), bytes.size());
    if (written < 0)
      error = errno == EINTR ? 0 : errno;
    else
      bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (error == 0 && fsync(fd) != 0) error = errno;
  close(fd);
  if (error == 0 && rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error == 0) return {};
  unlink(temporary.c_str());
  return io::fail_errno(error, "write", path);
}

}  // namespace

Result<std::string> fingerprint(x509_st* certificate) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (!certificate || X509_digest(certificate, EVP_sha256(), digest, &size) != 1)
    return fail_openssl("digest of the certificate");
  return base64url_encode({reinterpret_cast<const char*>(digest), size});
}

Result<std::string> certificate_fingerprint_of(std::string_view pem_text) {
  const auto bio = ssl::reader(pem_text);
  const ssl::Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (!certificate) {
    ERR_clear_error();
    return fail(ErrorCode::kInvalidArgument, "no PEM certificate in the text");
  }
  return fingerprint(certificate.get());
}

Result<std::string> certificate_fingerprint(const std::string& pem_file) {
  const auto files = io::real_file_system();
  AT_TRY(const auto text, io::read_file(*files, pem_file, 1 << 20));
  auto result = certificate_fingerprint_of(text);
  if (!result) return fail_within(pem_file, result.error());
  return result;
}

Status make_self_signed(const std::string& cert_path, const std::string& key_path,
                        const std::vector<std::string>& names) {
  if (names.empty()) return fail(ErrorCode::kInvalidArgument, "a certificate needs a name");
  const ssl::Key key(EVP_EC_gen("P-256"));
  if (!key) return fail_openssl("make key");
  AT_TRY(const auto certificate, sign_certificate(key.get(), names));
  const auto cert_pem = ssl::writer();
  const auto key_pem = ssl::writer();
  if (PEM_write_bio_X509(cert_pem.get(), certificate.get()) != 1 ||
      PEM_write_bio_PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return fail_openssl("encode certificate");
  AT_TRY(write_private(key_path, ssl::text_of(key_pem), 0600));
  return write_private(cert_path, ssl::text_of(cert_pem), 0644);
}

}  // namespace atalaya::net
