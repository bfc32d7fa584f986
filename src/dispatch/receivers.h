// Integrations of Alertmanager's receivers as channels of ours.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "notify/channel.h"
#include "routing/config.h"

namespace atalaya::dispatch {

/// The contents of a file that holds a secret, or of templates; without its last line break.
using ReadFile = std::function<Result<std::string>(const std::string& path)>;

/// One channel an integration (`channel_of`), of the type of the same name. What of it is not carried out, and files
/// that cannot be read, are told in `warnings` with the integration's name and place.
std::vector<notify::ChannelConfig> channels_of(const routing::Config& config, const ReadFile& read,
                                               config::Errors& warnings);

/// Alertmanager's own templates, which configurations name: `{{ template "slack.default.title" . }}`.
std::string_view default_templates();

/// The configuration as status pages show it: secrets are `<secret>`.
std::string without_secrets(const std::string& text, const std::string& file);

}  // namespace atalaya::dispatch
