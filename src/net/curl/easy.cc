#include "net/curl/easy.h"

#include <mutex>

#include "base/check.h"

namespace atalaya::net::curl {

Easy::Easy() {
  static std::once_flag once;
  std::call_once(once, [] { AT_CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK); });
  handle_ = curl_easy_init();
  AT_CHECK(handle_);
  set(CURLOPT_ERRORBUFFER, error_.data());
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
}

Easy::~Easy() { curl_easy_cleanup(handle_); }

void Easy::set_time_outs(Duration connect, Duration total) {
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect.count()));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(total.count()));
}

void Easy::set_trust(const std::string& ca_file) {
  if (!ca_file.empty()) set(CURLOPT_CAINFO, ca_file);
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
}

long Easy::response_code() const {
  long code = 0;
  curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &code);
  return code;
}

std::string Easy::words(CURLcode code) const {
  return error_.front() != '\0' ? error_.data() : curl_easy_strerror(code);
}

ErrorCode code_of(CURLcode code) {
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: return ErrorCode::kInvalidArgument;
    case CURLE_OPERATION_TIMEDOUT: return ErrorCode::kDeadlineExceeded;
    case CURLE_LOGIN_DENIED: return ErrorCode::kUnauthenticated;
    default: return ErrorCode::kUnavailable;
  }
}

}  // namespace atalaya::net::curl
