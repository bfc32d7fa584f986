// `AMQP`: messages to RabbitMQ. A library of its own, since the agent has no librabbitmq.
#pragma once

#include <memory>

#include "base/result.h"
#include "sense/publish/publisher.h"

namespace atalaya::sense::publish {

/// For `PublisherContext::amqp`. One message for each record: the JSON of `HTTPPost` without its line break. Confirmed
/// by the broker, else sent again; so a message may come twice.
Result<std::unique_ptr<Publisher>> make_amqp(const Part& part, const PublisherContext& context);

}  // namespace atalaya::sense::publish
