#include "sense/publish/publisher.h"

#include <fmt/format.h>

#include "base/check.h"
#include "net/url.h"
#include "sense/publish/families.h"

namespace atalaya::sense::publish {

net::ConnectOptions connect_options(const PublisherContext& context) {
  net::ConnectOptions out;
  out.connect_timeout = context.limits.timeout;
  out.allow = [destinations = context.destinations](const net::SocketAddress& address) {
    return destinations.check(address);
  };
  return out;
}

Result<Address> read_address(const PartSettings& settings, std::string_view attribute) {
  const auto text = settings.text(attribute);
  const auto scheme_end = text.find("://");
  const bool has_scheme = scheme_end != std::string::npos;
  const auto target = net::parse_host_port(has_scheme ? std::string_view(text).substr(scheme_end + 3) : text);
  if (!target) return settings.wrong(attribute, target.error().message, "host:port, of IPv6 [address]:port");
  if (target->host.empty() || target->port == 0)
    return settings.wrong(attribute, fmt::format("\"{}\" names no host and port", text));
  return Address{has_scheme ? text.substr(0, scheme_end) : "", target->host, target->port};
}

Result<std::unique_ptr<Publisher>> make_publisher(const Part& part, const PublisherContext& context) {
  AT_TRY(const auto settings, PartSettings::read(Family::kPublisher, part));
  for (const auto make : {make_datagrams, make_log_file, make_http, make_syslog_stream, make_platform}) {
    auto made = make(settings, context);
    if (!made || *made) return made;
  }
  AT_CHECK(settings.name() == "AMQP");
  if (context.amqp) return context.amqp(part, context);
  return fail(ErrorCode::kUnprocessable, "AMQP publishes from the server alone", "placement: server");
}

}  // namespace atalaya::sense::publish
