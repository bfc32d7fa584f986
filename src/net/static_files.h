// Files that are part of the program (the web UI), with the caching that browsers like.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"

namespace atalaya::net {

/// Bytes that live as long as the program.
struct StaticFile {
  std::string_view bytes;
  std::string_view gzip_bytes;  ///< the same compressed, or "" when there is none
  std::string content_type;
  bool immutable = false;  ///< its name holds its hash: cached for a year; others are revalidated
};

/// Answers GET and HEAD by path. A path with no file that looks like a page of the UI (last segment
/// without a dot, and the browser asks for text/html) gets `index`. Immutable after construction.
class StaticFiles {
 public:
  /// Keys begin with `/`. `index` is one of them, or "" for none.
  explicit StaticFiles(std::map<std::string, StaticFile> files, std::string index = "/index.html");

  /// 200, 304, or 404 as JSON.
  Response answer(const Request& request) const;
  /// For `router.add("GET", "/{path...}", files.handler())`; keeps a reference to this.
  Handler handler() const;

 private:
  struct Entry {
    StaticFile file;
    std::string etag;       ///< strong, quoted
    std::string gzip_etag;  ///< of the compressed form
  };
  const Entry* find(const Request& request) const;

  std::map<std::string, Entry, std::less<>> files_;
  std::string index_;
};

}  // namespace atalaya::net
