// RAII around libcurl, and what its calls share: for net/curl's own sources.
#pragma once

#include <curl/curl.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace atalaya::net::curl {

/// A string list that curl borrows. Thread-compatible.
class StringList {
 public:
  ~StringList() { curl_slist_free_all(list_); }
  StringList() = default;
  StringList(const StringList&) = delete;
  StringList& operator=(const StringList&) = delete;
  void add(const std::string& text) { list_ = curl_slist_append(list_, text.c_str()); }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

/// One transfer. Thread-compatible; different objects are independent.
class Easy {
 public:
  Easy();
  ~Easy();
  Easy(const Easy&) = delete;
  Easy& operator=(const Easy&) = delete;

  template <typename T>
  void set(CURLoption option, T value) {
    curl_easy_setopt(handle_, option, value);
  }
  void set(CURLoption option, const std::string& value) { curl_easy_setopt(handle_, option, value.c_str()); }
  void set_time_outs(Duration connect, Duration total);
  /// System authorities, or those of `ca_file`; certificates are always verified.
  void set_trust(const std::string& ca_file);

  CURLcode perform() { return curl_easy_perform(handle_); }
  long response_code() const;
  /// curl's words about the last failure.
  std::string words(CURLcode code) const;

 private:
  CURL* handle_;
  std::array<char, CURL_ERROR_SIZE> error_{};
};

ErrorCode code_of(CURLcode code);

}  // namespace atalaya::net::curl
