// What `make_publisher` chooses from, one file each: inside this library only.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "net/client.h"
#include "sense/part_types.h"
#include "sense/publish/publisher.h"

namespace atalaya::sense::publish {

/// Null when the mixin is none of theirs.
using MadePublisher = Result<std::unique_ptr<Publisher>>;
MadePublisher make_datagrams(const PartSettings& settings, const PublisherContext& context);
MadePublisher make_log_file(const PartSettings& settings, const PublisherContext& context);
MadePublisher make_http(const PartSettings& settings, const PublisherContext& context);
MadePublisher make_syslog_stream(const PartSettings& settings, const PublisherContext& context);
MadePublisher make_platform(const PartSettings& settings, const PublisherContext& context);

/// Connections to where the context's destinations allow, and nowhere else.
net::ConnectOptions connect_options(const PublisherContext& context);

/// `udp://host:514`: the scheme, and where to. invalid_argument that names the attribute.
struct Address {
  std::string scheme;
  std::string host;
  std::uint16_t port = 0;
};
Result<Address> read_address(const PartSettings& settings, std::string_view attribute);

}  // namespace atalaya::sense::publish
