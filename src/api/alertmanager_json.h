// Bodies and parameters of Alertmanager's API v2: for its own sources.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "alerts/machine.h"
#include "alerts/silence.h"
#include "api/alertmanager.h"
#include "api/json.h"
#include "net/http.h"

namespace atalaya::api::alertmanager {

/// Runs `action` and answers its errors as Alertmanager does: a JSON string.
Action answered(Action action);
net::Response error_response(const Error& error);

/// What was posted: the sound ones, and what is wrong with the others.
struct ReadAlerts {
  std::vector<alerts::PostedAlert> alerts;
  std::vector<Error> errors;
};
/// Longest texts that are taken, in bytes.
constexpr std::size_t kMaxLabelBytes = 4096;
constexpr std::size_t kMaxAnnotationBytes = 64 << 10;
constexpr std::size_t kMaxPairs = 256;  ///< labels, and annotations, of one alert
/// invalid_argument where the body is no list of alerts at all.
Result<ReadAlerts> read_alerts(std::string_view body, Time now, Duration resolve_timeout);

/// Of POST silences; times, matchers and texts are checked, not whether the id is known.
Result<alerts::Silence> read_silence(std::string_view body, Time now);

/// An alert as the API shows it, `receivers` being names.
json::object alert_json(const AlertmanagerServices& services, const alerts::Alert& alert, const AlertMutes& mutes,
                        const std::vector<std::string>& receivers, Time now);

/// A truth value as Alertmanager reads it: what is no known word for yes is no.
bool flag(const net::Parameters& parameters, std::string_view name, bool fallback);
/// The parameters `name`, each one matcher.
Result<Matchers> filters(const net::Parameters& parameters, std::string_view name);
/// As Alertmanager does for lists: an empty pattern tells an absent label from an empty one.
bool passes(const Matchers& filters, const std::map<std::string, std::string, std::less<>>& pairs);

}  // namespace atalaya::api::alertmanager
