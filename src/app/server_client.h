// A running server's API, as commands of this program ask it.
#pragma once

#include <boost/json/value.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/options.h"

namespace atalaya::app {

/// What the server said; any status is a value.
struct Answer {
  int status = 0;
  std::string body;
  boost::json::value json;                     ///< null where the body is none
  std::string file_name;                       ///< of an attachment
  std::string next_page;                       ///< what to ask for to go on (api::kNextPage)
  std::uint64_t incomplete = 0;                ///< series of the page with missing samples (api::kIncomplete)
  std::vector<std::string> incomplete_series;  ///< the first of them
  std::string buckets_until;                   ///< of the page (api::kBucketsUntil); empty when there are none

  bool good() const { return status >= 200 && status < 300; }
  /// Empty where it is no object.
  const boost::json::object& object() const;
  /// What a bad answer says, with the remedy that it names.
  std::unexpected<Error> refusal(const std::string& before = {}) const;
};

class ServerClient {
 public:
  /// By --server and --token. Without --server: the server that runs on the folder --data; without --token: one of
  /// a minute that is made with that folder's key.
  static Result<ServerClient> reach(const config::Options& options);

  /// `path` below /api/atalaya/v1/. An error where there is no answer.
  Result<Answer> get(const std::string& path) const;
  Result<Answer> post(const std::string& path, const boost::json::value& body) const;
  Result<Answer> erase(const std::string& path) const;  ///< DELETE
  Result<Answer> post_bytes(const std::string& path, std::string bytes,
                            const char* type = "application/vnd.atalaya.package") const;

 private:
  ServerClient(std::string url, std::string token, std::string ca_file)
      : url_(std::move(url)), token_(std::move(token)), ca_file_(std::move(ca_file)) {}
  Result<Answer> send(const char* method, const std::string& path, std::string body, const char* type) const;

  std::string url_;
  std::string token_;
  std::string ca_file_;
};

/// "packages/host/items/rules/disk/full": each part escaped for an address.
std::string api_path(const std::vector<std::string>& parts);

}  // namespace atalaya::app
