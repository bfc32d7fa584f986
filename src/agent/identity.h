// Who an agent is: told once at enrolment, kept in a file that only its owner may read.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/file_system.h"
#include "net/client.h"

namespace atalaya::agent {

struct Identity {
  std::string server;  ///< https://host:port, no path
  std::string agent_id;
  std::string secret;
  std::string tenant;
  std::string name;           ///< under which the server knows the host
  std::string pinned_sha256;  ///< of the server's certificate, base64url; "" trusts by authority
  bool operator==(const Identity&) const = default;
};

/// `<data dir>/identity.json`.
std::string identity_path(const std::string& data_dir);
/// not_found with the remedy (enrol) when there is none; permission_denied when others may read it.
Result<Identity> load_identity(io::FileSystem& files, const std::string& data_dir);
/// Mode 0600, replaced as a whole.
Status save_identity(io::FileSystem& files, const std::string& data_dir, const Identity& identity);

/// The two halves of `<random>.<sha256 of the server's certificate, base64url, or "-">`.
struct EnrolmentToken {
  std::string text;  ///< as given, what the server wants to see
  std::string pinned_sha256;
};
Result<EnrolmentToken> parse_enrolment_token(std::string_view text);

struct EnrolRequest {
  std::string server;
  std::string token;
  std::string name;  ///< "" is the machine's host name
  std::string version;
  bool replace = false;         ///< take the place of a host of this name that is up
  net::ConnectOptions connect;  ///< proxy and authorities; the pin is added from the token
};

/// Asks the server for an identity. Runs a loop of its own and returns when it is over.
Result<Identity> enrol(const EnrolRequest& request);

}  // namespace atalaya::agent
