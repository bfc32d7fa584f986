// `atalaya package`: every verb is a call of the API, its answer printed as text or as it came.
#include <boost/json.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <iostream>
#include <map>

#include "app/commands.h"
#include "app/folder_check.h"
#include "app/package_text.h"
#include "app/server_client.h"
#include "app/tables.h"
#include "collect/utf8.h"
#include "net/percent.h"
#include "packages/check.h"

namespace atalaya::app {
namespace {

namespace json = boost::json;
using config::Options;

constexpr std::uint64_t kMostKeyBytes = 64 << 10;

bool wants_json(const Options& options) { return options.text("output") == "json"; }

/// The answer as it came, or as text; the exit code.
int print(const Options& options, const Answer& answer, const std::function<std::string(const json::object&)>& text) {
  if (wants_json(options)) {
    fmt::print("{}\n", answer.body);
  } else if (answer.good()) {
    fmt::print("{}", text(answer.object()));
  } else {
    fmt::print(stderr, "{}", refusal_text(answer.object(), answer.status));
  }
  return answer.good() ? 0 : 1;
}

Result<int> list(const Options& options, const ServerClient& server) {
  AT_TRY(const auto answer, server.get("packages"));
  return print(options, answer, package_list_text);
}

Result<int> show(const Options& options, const ServerClient& server) {
  const auto& section = options.argument("SECTION");
  AT_TRY(const auto answer,
         server.get(api_path({"packages", options.argument("PACKAGE")}) + (section.empty() ? "" : "/tree")));
  if (section.empty()) return print(options, answer, package_text);
  if (!answer.good() || wants_json(options)) return print(options, answer, {});
  AT_TRY(const auto text, package_tree_text(answer.object(), section));
  fmt::print("{}", text);
  return 0;
}

Result<int> explain(const Options& options, const ServerClient& server) {
  auto path = api_path({"packages", options.argument("PACKAGE"), "items", options.argument("SECTION")});
  for (std::string_view given : options.arguments("PATH")) {
    // disk/filling is the same as disk filling.
    for (; !given.empty(); given.remove_prefix(std::min(given.find('/'), given.size() - 1) + 1)) {
      const auto part = given.substr(0, given.find('/'));
      if (!part.empty()) path += "/" + net::percent_encode(part);
    }
  }
  AT_TRY(const auto answer, server.get(path));
  return print(options, answer, item_text);
}

Result<int> history(const Options& options, const ServerClient& server) {
  AT_TRY(const auto answer,
         server.get(fmt::format("{}?limit={}", api_path({"packages", options.argument("PACKAGE"), "history"}),
                                options.integer("limit"))));
  return print(options, answer, history_text);
}

Result<int> revert(const Options& options, const ServerClient& server) {
  const bool preview = options.boolean("dry-run");
  const auto& commit = options.argument("COMMIT");
  if (commit.empty() || commit.find_first_not_of("0123456789") != std::string::npos) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("\"{}\" is no number of a commit", commit),
                "`atalaya package history PACKAGE` shows them");
  }
  AT_TRY(const auto answer, server.post(api_path({"package-commits", commit, "revert"}),
                                        json::object{{"reason", options.text("reason")}, {"preview", preview}}));
  return print(options, answer, [&](const auto& done) { return change_text(done, preview); });
}

// Archives.

/// The bytes of an archive, or of one made of a folder.
Result<std::string> archive_bytes(const Options& options, const std::string& given) {
  const auto files = io::real_file_system();
  if (files->open_read(given)) return io::read_file(*files, given, packages::kMaxArchiveBytes);
  if (!files->exists(given)) return fail(ErrorCode::kNotFound, fmt::format("there is no file or folder {}", given));
  AT_TRY(const auto archive, read_archive(*files, given));
  std::string key;
  if (options.declares("key") && options.has("key")) {
    AT_TRY(key, io::read_file(*files, options.text("key"), kMostKeyBytes));
  }
  return packages::pack(archive, key);
}

Result<Answer> send_archive(const Options& options, const ServerClient& server, std::string bytes, bool upgrade,
                            bool preview, bool any_version = false) {
  const auto reason = options.declares("reason") ? options.text("reason") : std::string();
  return server.post_bytes(fmt::format("package-install?upgrade={}&preview={}&any_version={}&reason={}", upgrade,
                                       preview, any_version, net::percent_encode(reason)),
                           std::move(bytes));
}

Result<int> install(const Options& options, const ServerClient& server, bool upgrade) {
  const bool preview = options.boolean("dry-run");
  AT_TRY(auto bytes, archive_bytes(options, options.argument("WHAT")));
  AT_TRY(const auto answer, send_archive(options, server, std::move(bytes), upgrade, preview));
  return print(options, answer, [&](const json::object& done) {
    const auto* name = done.if_contains("package");
    const auto* version = done.if_contains("version");
    std::string head;
    if (name != nullptr && version != nullptr && name->is_string() && version->is_string()) {
      head = fmt::format("{} {}\n", name->get_string().c_str(), version->get_string().c_str());
    }
    return head + change_text(done, preview);
  });
}

/// Writes the files of an archive below a folder that is absent or empty.
Status write_folder(io::FileSystem& files, const std::string& folder, const packages::Archive& archive) {
  if (files.exists(folder)) {
    AT_TRY(const auto there, files.list(folder));
    if (!there.empty()) {
      return fail(ErrorCode::kAlreadyExists, fmt::format("the folder {} is not empty", folder), "name another");
    }
  }
  for (const auto& [name, text] : archive.files) {
    const auto path = folder + "/" + name;
    AT_TRY(files.create_directories(io::parent_path(path)));
    AT_TRY(io::write_file_atomically(files, path, text));
  }
  return {};
}

Result<int> export_package(const Options& options, const ServerClient& server) {
  const auto& name = options.argument("PACKAGE");
  if (options.has("directory") && options.boolean("force")) {
    return fail(ErrorCode::kInvalidArgument, "--force is for archives: a folder that holds something stays as it is",
                "leave --force out, and name a folder that is absent or empty");
  }
  AT_TRY(const auto answer, server.get(api_path({"packages", name, "archive"})));
  if (!answer.good()) return print(options, answer, {});
  const auto files = io::real_file_system();
  auto target = options.text("file");
  std::size_t count = 0;
  if (options.has("directory")) {
    AT_TRY(const auto archive, packages::unpack(answer.body, {}, false));
    target = options.text("directory");
    count = archive.files.size();
    AT_TRY(write_folder(*files, target, archive));
  } else if (target == "-") {
    std::cout << answer.body << std::flush;
    return 0;
  } else {
    if (target.empty()) target = answer.file_name.empty() ? name + ".atpkg" : answer.file_name;
    if (!options.boolean("force") && files->exists(target)) {
      return fail(ErrorCode::kAlreadyExists, fmt::format("{} is there already", target),
                  "name another with --file, or give --force to replace it");
    }
    AT_TRY(io::write_file_atomically(*files, target, answer.body));
  }
  if (wants_json(options)) {
    fmt::print("{}\n", json::serialize(json::object{{"package", name}, {"written", target}}));
  } else {
    fmt::print("{}{}\n", target, count == 0 ? "" : fmt::format(": {} {}", count, count == 1 ? "file" : "files"));
  }
  return 0;
}

// Changes and their previews.

Result<Answer> change(const ServerClient& server, json::array operations, const std::string& reason, bool preview) {
  return server.post("package-changes",
                     json::object{{"operations", std::move(operations)}, {"reason", reason}, {"preview", preview}});
}

Result<int> remove(const Options& options, const ServerClient& server) {
  const auto& name = options.argument("PACKAGE");
  const json::array operations{json::object{{"op", "remove_package"}, {"package", name}}};
  const bool preview = options.boolean("dry-run");
  const bool asks = !preview && !options.boolean("yes");
  if (asks) {
    AT_TRY(const auto effects, change(server, operations, "", true));
    if (!effects.good()) return print(options, effects, {});
    fmt::print(stderr, "This will happen:\n{}Type the package's name to remove it: ", plan_text(effects.object()));
    std::string line;
    std::getline(std::cin, line);
    if (::isatty(STDIN_FILENO) == 0) fmt::print(stderr, "\n");  // a terminal shows the answer's own
    if (line != name) {
      return fail(ErrorCode::kCancelled, "nothing was removed", "type the name as it is, or give --yes");
    }
  }
  AT_TRY(const auto answer, change(server, operations, options.text("reason"), preview));
  // Who was asked has read what happens.
  return print(options, answer,
               [&](const auto& done) { return asks ? commit_text(done) : change_text(done, preview); });
}

/// From the files of the server to those of the folder; what is no text counts as it stands.
json::array operations_between(const std::string& package, const packages::Archive& from, const packages::Archive& to,
                               std::string& binary) {
  json::array out;
  for (const auto& [name, text] : to.files) {
    const auto old = from.files.find(name);
    if (old != from.files.end() && old->second == text) continue;
    if (collect::to_utf8(text) != text) {
      binary += fmt::format("{}/{}: changed, no text\n", package, name);
      continue;
    }
    out.push_back(json::object{{"op", "write"}, {"package", package}, {"file", name}, {"text", text}});
  }
  for (const auto& [name, text] : from.files) {
    if (to.files.contains(name)) continue;
    out.push_back(json::object{{"op", "delete_file"}, {"package", package}, {"file", name}});
  }
  return out;
}

/// A folder may be of any version; what it would do is a change like any other.
Result<int> diff_folder(const Options& options, const ServerClient& server, const std::string& folder) {
  const auto& name = options.argument("PACKAGE");
  AT_TRY(const auto running, server.get(api_path({"packages", name, "archive"})));
  if (!running.good()) return print(options, running, {});
  AT_TRY(const auto from, packages::unpack(running.body, {}, false));
  const auto files = io::real_file_system();
  AT_TRY(const auto to, read_archive(*files, folder));
  std::string binary;
  auto operations = operations_between(name, from, to, binary);
  if (operations.empty()) {
    fmt::print("{}", wants_json(options) ? "{\"files\":[]}\n" : binary.empty() ? "Nothing differs.\n" : binary);
    return 0;
  }
  AT_TRY(const auto answer, change(server, std::move(operations), "", true));
  return print(options, answer,
               [&](const auto& done) { return diffs_text(done) + "\n" + binary + change_text(done, true); });
}

Result<int> diff(const Options& options, const ServerClient& server) {
  const auto& other = options.argument("WHAT");
  if (other.empty()) {
    AT_TRY(const auto answer, server.get(api_path({"packages", options.argument("PACKAGE"), "diff"})));
    return print(options, answer, [](const auto& found) {
      const auto text = diffs_text(found);
      return text.empty() ? std::string("As it ships.\n") : text;
    });
  }
  const auto files = io::real_file_system();
  AT_TRY(const auto there, server.get(api_path({"packages", options.argument("PACKAGE")})));
  if (there.good() && files->exists(other) && !files->open_read(other)) return diff_folder(options, server, other);
  AT_TRY(auto bytes, archive_bytes(options, other));
  AT_TRY(const auto answer, send_archive(options, server, std::move(bytes), true, true, true));
  return print(options, answer, [](const auto& done) { return diffs_text(done) + "\n" + change_text(done, true); });
}

using Verb = Result<int> (*)(const Options&, const ServerClient&);

Result<int> run(const Options& options) {
  static const std::map<std::string, Verb> kVerbs{
      {"list", list},
      {"show", show},
      {"explain", explain},
      {"history", history},
      {"revert", revert},
      {"export", export_package},
      {"remove", remove},
      {"diff", diff},
      {"install", [](const Options& o, const ServerClient& s) { return install(o, s, false); }},
      {"upgrade", [](const Options& o, const ServerClient& s) { return install(o, s, true); }}};
  AT_TRY(const auto server, ServerClient::reach(options));
  return kVerbs.at(options.command().at(1))(options, server);
}

}  // namespace

int package(const config::Options& options) {
  const auto& verb = options.command().at(1);
  if (verb == "check") return check(options);
  if (verb == "pack") return pack_package(options);
  if (verb == "keygen") return make_package_key(options);
  const auto code = run(options);
  return code ? *code : complain(code.error());
}

}  // namespace atalaya::app
