// How an answer comes back to its connection: for net's own sources.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "net/http_session.h"
#include "net/response_writer.h"

namespace atalaya::net {

inline Response error_with_status(int status, std::string message) {
  auto response = Response::error(Error{ErrorCode::kInvalidArgument, std::move(message), {}, {}});
  response.status = status;
  return response;
}

/// Carries one answer from wherever it is made to its session. What a Respond shares.
class Responder {
 public:
  Responder(std::shared_ptr<HttpServer::Impl> server, std::weak_ptr<HttpSession> session, AnswerContext context)
      : server_(std::move(server)), session_(std::move(session)), context_(std::move(context)) {}
  ~Responder() {
    if (!used_) respond(Response::error(Error{ErrorCode::kInternal, "the request was dropped unanswered", {}, {}}));
  }

  void respond(Response response) {
    if (used_.exchange(true)) return;
    compress_if_worth_it(response, context_);
    if (const auto session = session_.lock()) session->deliver(std::move(response));
  }

 private:
  const std::shared_ptr<HttpServer::Impl> server_;  // first: keeps the io_context behind the session
  const std::weak_ptr<HttpSession> session_;
  const AnswerContext context_;
  std::atomic<bool> used_{false};
};

}  // namespace atalaya::net
