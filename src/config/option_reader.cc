// From the command line, the environment and the configuration file to values. CLI11 splits the
// command line of one command into flags, values and arguments; which command it is we find first,
// because for CLI11 a word such as `up` in `atalaya query up` would be a command again.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/check.h"
#include "config/option_value.h"
#include "config/options.h"
#include "config/reader.h"
#include "config/suggest.h"

namespace atalaya::config {
namespace {

bool is_flag(const std::string& word) { return word.size() > 1 && word[0] == '-'; }
bool runs(const Command& command) { return command.runs || command.commands.empty(); }

void collect_names(const Command& command, std::set<std::string>& names) {
  for (const auto& option : command.options) names.insert(option.name);
  for (const auto& below : command.commands) collect_names(below, names);
}

}  // namespace

/// Used once. Thread-compatible.
class OptionReader {
 public:
  OptionReader(const Program& program, const Environment& environment, io::FileSystem& files)
      : program_(program), environment_(environment), files_(files), chain_{&program.root} {}

  std::variant<Options, Exit> read(const std::vector<std::string>& arguments) {
    find_command(arguments);
    if (help_) return Exit{0, render_help(program_, result_.command_), {}};
    if (version_) return Exit{0, fmt::format("{} {}\n", program_.root.name, program_.version), {}};
    if (!runs(*chain_.back())) return no_command();
    collect_rows();
    split_words();
    if (errors_.empty()) read_file();
    for (const auto* row : rows_) settle(*row);
    settle_arguments();
    if (!errors_.empty()) return usage();
    return std::move(result_);
  }

 private:
  const Option* find_row(std::string_view name) const {
    for (auto it = chain_.rbegin(); it != chain_.rend(); ++it) {
      for (const auto& option : (*it)->options) {
        if (option.name == name) return &option;
      }
    }
    return nullptr;
  }

  /// Of `-o`; null where the value is part of the word.
  const Option* find_letter(std::string_view word) const {
    if (word.size() != 2) return nullptr;
    for (auto it = chain_.rbegin(); it != chain_.rend(); ++it) {
      for (const auto& option : (*it)->options) {
        if (option.letter == word[1]) return &option;
      }
    }
    return nullptr;
  }

  /// Takes the words that name commands out of `words`; the rest is for CLI11.
  void find_command(const std::vector<std::string>& words) {
    bool may_be_command = true;
    for (std::size_t i = 0; i < words.size(); ++i) {
      const auto& word = words[i];
      if (word == "--") {
        rest_.insert(rest_.end(), words.begin() + static_cast<std::ptrdiff_t>(i), words.end());
        return;
      }
      if (word == "--help" || word == "-h") {
        help_ = true;
      } else if (word == "--version") {
        version_ = true;
      } else if (is_flag(word)) {
        rest_.push_back(word);
        const auto* row = word.starts_with("--") ? find_row(std::string_view(word).substr(2)) : find_letter(word);
        if (row && row->type != OptionType::kBoolean && i + 1 < words.size()) rest_.push_back(words[++i]);
      } else if (may_be_command && enter(word)) {
        continue;
      } else {
        // A group takes no arguments of its own, so an unknown word was meant as a command.
        if (may_be_command && !chain_.back()->commands.empty() && chain_.back()->arguments.empty()) stray_ = word;
        may_be_command = false;
        rest_.push_back(word);
      }
    }
  }

  bool enter(const std::string& word) {
    for (const auto& command : chain_.back()->commands) {
      if (command.name != word) continue;
      chain_.push_back(&command);
      result_.command_.push_back(word);
      return true;
    }
    return false;
  }

  std::string title() const {
    auto text = program_.root.name;
    for (const auto& name : result_.command_) text += ' ' + name;
    return text;
  }

  void complain(std::string message, std::string remedy = {}) {
    if (remedy.empty()) remedy = fmt::format("see {} --help", title());
    errors_.push_back({ErrorCode::kInvalidArgument, std::move(message), std::nullopt, std::move(remedy)});
  }

  Exit usage() const {
    Exit exit{2, {}, {}};
    for (const auto& error : errors_) exit.err += fmt::format("{}: {}\n", title(), to_string(error));
    return exit;
  }

  Exit no_command() {
    if (stray_.empty() && chain_.size() == 1) return {2, {}, render_help(program_, {})};
    std::vector<std::string> names;
    for (const auto& command : chain_.back()->commands) names.push_back(command.name);
    if (stray_.empty()) {
      complain("which command?", known_are(names));
    } else {
      complain(fmt::format("no command \"{}\"", stray_), suggestion(stray_, names));
    }
    return usage();
  }

  /// The innermost command's row wins over a row of the same name around it.
  void collect_rows() {
    std::set<std::string_view> seen;
    for (auto it = chain_.rbegin(); it != chain_.rend(); ++it) {
      for (const auto& option : (*it)->options) {
        if (seen.insert(option.name).second) rows_.push_back(&option);
      }
    }
  }

  void split_words() {
    CLI::App app;
    app.set_help_flag();
    app.allow_extras();
    std::map<std::string, std::vector<std::string>> words;
    for (const auto* row : rows_) {
      auto& values = words[row->name];
      const auto letter = row->letter == 0 ? std::string() : fmt::format("-{},", row->letter);
      if (row->type == OptionType::kBoolean) {
        app.add_flag(letter + "--" + row->name + "{true}", values)->take_all();
      } else {
        app.add_option(letter + "--" + row->name, values)->allow_extra_args(false)->take_all();
      }
    }
    for (const auto& argument : chain_.back()->arguments) {
      auto& values = result_.arguments_[argument.name];
      auto* option = app.add_option(argument.name, values);
      if (!argument.many) option->expected(1);
      option->allow_extra_args(argument.many);
    }
    try {
      app.parse(std::vector<std::string>(rest_.rbegin(), rest_.rend()));
    } catch (const CLI::Error& error) {
      return complain(error.what());
    }
    for (auto& [name, values] : words) {
      if (!values.empty()) given_[name] = {std::move(values), "--" + name, std::nullopt};
    }
    judge_extras(app.remaining());
  }

  void judge_extras(const std::vector<std::string>& extras) {
    bool unknown_flag = false;
    for (const auto& word : extras) {
      if (word == "--" || !is_flag(word)) continue;
      unknown_flag = true;
      std::vector<std::string> names;
      for (const auto* row : rows_) names.push_back(row->name);
      const auto name = word.substr(0, word.find('='));
      const auto near = closest(name.substr(std::min(name.find_first_not_of('-'), name.size())), names);
      complain(fmt::format("no option {}", name), near.empty() ? "" : fmt::format("did you mean --{}?", near));
    }
    // What follows an unknown flag may have been its value.
    if (unknown_flag) return;
    for (const auto& word : extras) {
      if (word == "--") continue;
      if (word == stray_) {
        std::vector<std::string> names;
        for (const auto& command : chain_.back()->commands) names.push_back(command.name);
        complain(fmt::format("no command \"{}\"", word), suggestion(word, names));
      } else {
        complain(fmt::format("unexpected argument \"{}\"", word));
      }
    }
  }

  /// Texts given for one option, and who gave them: a flag, a variable or a place in a file.
  struct Given {
    std::vector<std::string> texts;
    std::string source;
    std::optional<Place> place;
  };

  std::optional<Given> from_environment(const Option& row) const {
    const auto name = environment_name(row.name);
    auto text = environment_(name);
    if (!text || text->empty()) return std::nullopt;
    return Given{{std::move(*text)}, name, std::nullopt};
  }

  void read_file() {
    const auto* row = find_row("config");
    if (!row) return;
    std::string path = row->fallback;
    if (const auto variable = from_environment(*row)) path = variable->texts.back();
    if (const auto flag = given_.find("config"); flag != given_.end()) path = flag->second.texts.back();
    if (path.empty()) return;
    auto text = io::read_file(files_, path, YamlLimits{}.bytes);
    if (!text) {
      errors_.push_back(std::move(text).error());
      return;
    }
    auto document = Document::parse(std::move(*text), path);
    if (!document) {
      errors_.push_back(std::move(document).error());
      return;
    }
    if (!document->root().is_null()) read_entries(document->root());
  }

  void read_entries(const Node& root) {
    if (!expect_mapping(root, errors_)) return;
    std::set<std::string> names;
    collect_names(program_.root, names);
    for (const auto& entry : root.entries()) {
      const auto& name = entry.key->text();
      if (name == "config" || !names.contains(name)) {
        errors_.push_back({ErrorCode::kInvalidArgument, fmt::format("no option \"{}\"", name), entry.key->place(),
                           suggestion(name, {names.begin(), names.end()})});
        continue;
      }
      const auto* row = find_row(name);
      if (!row || entry.value->is_null()) continue;
      std::vector<std::string> texts;
      const auto before = errors_.size();
      if (row->type == OptionType::kList && entry.value->is_sequence()) {
        decode(*entry.value, texts, errors_);
      } else {
        decode(*entry.value, texts.emplace_back(), errors_);
      }
      if (errors_.size() == before) file_[name] = {std::move(texts), name, entry.value->place()};
    }
  }

  void settle(const Option& row) {
    auto& entry = result_.values_[row.name];
    entry.type = row.type;
    entry.value = empty_value(row.type);
    std::optional<Given> given;
    if (const auto flag = given_.find(row.name); flag != given_.end()) {
      given = flag->second;
    } else if (auto variable = from_environment(row)) {
      given = std::move(variable);
    } else if (const auto in_file = file_.find(row.name); in_file != file_.end()) {
      given = in_file->second;
    }
    entry.given = given.has_value();
    if (!given && row.fallback.empty()) {
      if (row.required) {
        complain(fmt::format("--{} is missing", row.name),
                 fmt::format("give it, or set {}", environment_name(row.name)));
      }
      return;
    }
    if (given && given->texts.empty()) return;  // an empty list of the file
    auto value = parse_option(row, given ? given->texts : std::vector{row.fallback});
    if (!value) {
      AT_CHECK(given);  // a fallback of ours is always good
      auto error = std::move(value).error();
      error.message = given->source + ": " + error.message;
      error.place = given->place;
      errors_.push_back(std::move(error));
      return;
    }
    entry.value = std::move(*value);
    entry.has = true;
  }

  void settle_arguments() {
    for (const auto& argument : chain_.back()->arguments) {
      if (argument.required && result_.arguments_[argument.name].empty()) {
        complain(fmt::format("{} is missing", argument.name));
      }
    }
  }

  const Program& program_;
  const Environment& environment_;
  io::FileSystem& files_;
  std::vector<const Command*> chain_;  ///< from the root to the chosen command
  bool help_ = false;
  bool version_ = false;
  std::string stray_;  ///< a word where a command was expected
  std::vector<std::string> rest_;
  std::vector<const Option*> rows_;
  std::map<std::string, Given> given_;
  std::map<std::string, Given> file_;
  Errors errors_;
  Options result_;
};

std::variant<Options, Exit> read_options(const Program& program, const std::vector<std::string>& arguments,
                                         const Environment& environment, io::FileSystem& files) {
  return OptionReader(program, environment, files).read(arguments);
}

}  // namespace atalaya::config
