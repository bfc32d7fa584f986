// What a notification says: Alertmanager's webhook data, version 4.
#pragma once

#include <boost/json.hpp>

#include <string>

#include "alerts/machine.h"

namespace atalaya::notify {

/// The data object for one alert, as a group of its own: status `firing` (also for no_data, which is
/// open) or `resolved`; the label `severity` is added where the rule has none, and so are the
/// external labels. What Alertmanager has
/// no word for is the member `atalaya` of the alert.
boost::json::object make_payload(const alerts::Transition& transition, const std::string& channel,
                                 const std::string& external_url, const Labels& external_labels = {});
/// For POST /channels/{id}/test.
boost::json::object make_test_payload(const std::string& channel, const std::string& nonce, const std::string& user,
                                      Time now, const std::string& external_url, const Labels& external_labels = {});

}  // namespace atalaya::notify
