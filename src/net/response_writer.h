// From a Response to the bytes of an HTTP/1.1 answer: for net's own sources.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "net/http.h"
#include "net/server.h"

namespace atalaya::net {

/// What of the request decides how its answer looks.
struct AnswerContext {
  bool head_only = false;
  bool keep_alive = true;
  bool http_1_0 = false;
  bool accepts_gzip = false;
  std::string origin;
};

bool accepts_gzip(std::string_view accept_encoding);
/// Replaces a textual body of more than 1 KB by its gzip form.
void compress_if_worth_it(Response& response, const AnswerContext& context);
/// What a preflight is told, if the origin may call at all.
Response preflight_answer(const AnswerContext& context, const ServerOptions& options);
/// Status line and fields, with the blank line. No value can begin a field of its own.
std::string answer_head(const Response& response, const AnswerContext& context, const ServerOptions& options, Time now);

}  // namespace atalaya::net
