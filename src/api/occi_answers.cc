// Answers of OCCI in the rendering that was asked for.

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

#include "api/json.h"
#include "api/occi_exchange.h"

namespace atalaya::api {
namespace {

using occi::Media;

constexpr std::size_t kMostHeaderBytes = 48 << 10;  ///< what common clients still read
constexpr std::size_t kMostWarnings = 20;

/// Warnings are told in ASCII without control characters or quotes of their own.
std::string warning(const std::string& text) {
  std::string out = "299 atalaya \"";
  for (const char c : text.substr(0, 400)) out += c == '"' || c == '\\' ? '\'' : c < 0x20 || c == 0x7f ? ' ' : c;
  return out + '"';
}

net::Response with_type(std::string body, const std::string& type, int status) {
  net::Response out;
  out.status = status;
  out.headers.set("Content-Type", type.starts_with("text/") ? type + "; charset=utf-8" : type);
  out.body = std::move(body);
  return out;
}

}  // namespace

std::string OcciExchange::url_of(const occi::Entity& entity) const {
  return addresses_.origin + occi::path_of(*world_, entity, addresses_);
}

net::Response OcciExchange::finished(net::Response response) const {
  response.headers.set("Server", "atalaya OCCI/1.2");
  response.headers.set("Vary", "Accept");
  const auto told = std::min(warnings_.size(), kMostWarnings);
  for (std::size_t i = 0; i < told; ++i) response.headers.add("Warning", warning(warnings_[i]));
  if (warnings_.size() > told)
    response.headers.add("Warning", warning(fmt::format("and {} more", warnings_.size() - told)));
  return response;
}

net::Response OcciExchange::refusal(const Error& error, int status) const {
  if (status == 0) status = http_status(error.code);
  if (error.code == ErrorCode::kUnprocessable) status = 501;
  if (wanted_ && wanted_->media == Media::kJson) {
    auto out = net::Response::error(error);
    out.status = status;
    return out;
  }
  auto text = error.message;
  if (!error.remedy.empty()) text += " (" + error.remedy + ")";
  return net::Response::text(text + "\n", status);
}

OcciExchange::Answer OcciExchange::not_allowed(std::string allowed) {
  auto out = refusal({ErrorCode::kInvalidArgument, fmt::format("{} means nothing here", request_.method), std::nullopt,
                      "allowed: " + allowed},
                     405);
  out.headers.set("Allow", std::move(allowed));
  return out;
}

OcciExchange::Answer OcciExchange::text_answer(const occi::TextMessage& message, int status) {
  if (wanted_->media == Media::kPlain) return with_type(occi::render_plain(message), wanted_->name, status);
  auto out = with_type("", wanted_->name, status);
  std::size_t bytes = 0;
  for (auto& [name, value] : occi::render_headers(message)) {
    bytes += name.size() + value.size() + 4;
    out.headers.add(std::move(name), std::move(value));
  }
  if (bytes > kMostHeaderBytes) {
    return fail(ErrorCode::kTooLarge, fmt::format("{} bytes are too many for headers", bytes),
                "ask for text/plain or JSON, for a page of it, or with a filter");
  }
  return out;
}

OcciExchange::Answer OcciExchange::show(const occi::Entity& entity, int status) {
  if (wanted_->media == Media::kJson) {
    return with_type(json::serialize(occi::to_json(*world_, entity, sight_, addresses_)), wanted_->name, status);
  }
  return text_answer(occi::message_of(*world_, entity, sight_, addresses_), status);
}

OcciExchange::Answer OcciExchange::show(const std::vector<const occi::Entity*>& entities) {
  if (wanted_->media == Media::kJson) {
    return with_type(json::serialize(occi::to_json(*world_, entities, sight_, addresses_)), wanted_->name, 200);
  }
  occi::TextMessage message;
  for (const auto* one : entities) message.locations.push_back(url_of(*one));
  if (wanted_->media == Media::kUriList) return with_type(occi::render_uri_list(message.locations), wanted_->name, 200);
  return text_answer(message, 200);
}

OcciExchange::Answer OcciExchange::show_categories(const std::vector<const occi::Category*>& categories) {
  if (wanted_->media == Media::kJson) {
    return with_type(json::serialize(occi::to_json(world_->model(), categories, addresses_)), wanted_->name, 200);
  }
  occi::TextMessage message;
  for (const auto* one : categories)
    message.categories.push_back(occi::line_of(world_->model(), *one, addresses_, true));
  return text_answer(message, 200);
}

OcciExchange::Answer OcciExchange::made(const occi::Change& change) {
  std::vector<const occi::Entity*> entities;
  for (const auto& id : change.shown) {
    const auto* one = world_->find(id);
    if (one == nullptr) return fail(ErrorCode::kInternal, fmt::format("{} is stored and not there", id));
    entities.push_back(one);
  }
  net::Response out;
  if (entities.size() == 1 && wanted_->media == Media::kJson) {
    AT_TRY(out, show(*entities.front(), 201));
  } else {
    AT_TRY(out, show(entities));
    out.status = 201;
  }
  if (entities.size() == 1) out.headers.set("Location", url_of(*entities.front()));
  return out;
}

OcciExchange::Answer OcciExchange::done() {
  if (wanted_->media == Media::kJson) return with_type("{}", wanted_->name, 200);
  return with_type(wanted_->media == Media::kPlain ? "OK\r\n" : "", wanted_->name, 200);
}

}  // namespace atalaya::api
