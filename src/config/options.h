// Option tables: one row declares an option; its flag, its environment variable, its key in the
// configuration file, its line of --help and its row of options.md all come from there.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "io/file_system.h"

namespace atalaya::config {

enum class OptionType { kText, kInteger, kNumber, kBoolean, kDuration, kBytes, kList };

/// A row of a table. `name` is the long flag's name and the key in the configuration file; the
/// environment variable is ATALAYA_ and the name in capitals with underscores.
struct Option {
  std::string name;
  OptionType type = OptionType::kText;
  /// In the notation a person would write; "" means not set (false for a boolean). Checked as input is.
  std::string fallback = {};
  std::string help;                           ///< one sentence with its full stop
  std::string value_name = {};                ///< shown for the value: DIR, URL; by default after the type
  std::string section = {};                   ///< heading in --help and options.md
  std::vector<std::string> choices = {};      ///< the only values, where not empty
  std::optional<std::int64_t> at_least = {};  ///< of integers
  std::optional<std::int64_t> at_most = {};
  bool required = false;
  bool secret = false;  ///< its value and default are never shown
  char letter = 0;      ///< a short flag besides: 'o' for -o
};

/// A value without a flag, by its position.
struct Argument {
  std::string name;  ///< as shown: QUERY, FILE
  std::string help;
  bool required = true;
  bool many = false;  ///< takes the rest; last of its command
};

struct Example {
  std::string command;
  std::string says;
};

/// A command with its own options; those of the commands around it may be given too, before or
/// after its name.
struct Command {
  std::string name;
  std::string help;  ///< first sentence is the one shown in lists
  std::vector<Option> options = {};
  std::vector<Argument> arguments = {};
  std::vector<Example> examples = {};
  std::vector<Command> commands = {};
  /// Whether it does something itself: must be set where it also has commands, and is implied otherwise.
  bool runs = false;
};

/// The table of an executable. An option named `config` anywhere on the chosen command's path names a
/// YAML file whose keys are option names (of any command; those not of the chosen one are passed over).
struct Program {
  Command root;
  std::string version;  ///< printed by --version
};

/// The values for the chosen command. Asking for an option that its tables do not declare, or by
/// another type, is a mistake of ours and trips a check. Immutable.
class Options {
 public:
  /// Names of the chosen commands below the root: {"token", "create"}; empty for the root itself.
  const std::vector<std::string>& command() const { return command_; }
  /// The same as text: "token create".
  std::string command_text() const;

  const std::string& text(std::string_view name) const;  ///< also of a choice
  std::int64_t integer(std::string_view name) const;
  double number(std::string_view name) const;
  bool boolean(std::string_view name) const;
  Duration duration(std::string_view name) const;
  std::uint64_t bytes(std::string_view name) const;
  const std::vector<std::string>& list(std::string_view name) const;

  /// Whether it has a value at all: given by somebody, or by a fallback other than "".
  bool has(std::string_view name) const;
  /// Whether a person gave it (flag, environment or file), as against its fallback.
  bool given(std::string_view name) const;
  /// Whether the chosen command's tables hold such an option.
  bool declares(std::string_view name) const { return values_.contains(name); }

  /// "" or empty where it was left out.
  const std::string& argument(std::string_view name) const;
  const std::vector<std::string>& arguments(std::string_view name) const;

 private:
  friend class OptionReader;
  using Value =
      std::variant<std::string, std::int64_t, double, bool, Duration, std::uint64_t, std::vector<std::string>>;
  struct Entry {
    OptionType type = OptionType::kText;
    Value value;
    bool has = false;
    bool given = false;
  };
  const Entry& entry(std::string_view name, OptionType type) const;

  std::vector<std::string> command_;
  std::map<std::string, Entry, std::less<>> values_;
  std::map<std::string, std::vector<std::string>, std::less<>> arguments_;
};

/// The program has nothing more to do: print and leave. Code 0 for --help and --version, 2 for a
/// usage error, with one line a mistake on `err` that says the remedy.
struct Exit {
  int code = 0;
  std::string out;
  std::string err;
};

/// The value of an environment variable; nothing when unset. An empty one counts as unset.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
Environment system_environment();

/// A flag wins over the environment, that over the configuration file, that over the fallback. A
/// flag given twice counts the last time, a list collects; a list's value may also hold commas.
std::variant<Options, Exit> read_options(const Program& program, const std::vector<std::string>& arguments,
                                         const Environment& environment, io::FileSystem& files);
/// As main has them; arguments[0] is left out.
std::vector<std::string> arguments_of(int argc, const char* const* argv);

/// What `--help` prints for the command on `path` ({} for the root).
std::string render_help(const Program& program, const std::vector<std::string>& path);
/// The page options.md: every command with its options, environment variables, types and defaults.
std::string render_markdown(const std::vector<Program>& programs);
/// `ATALAYA_LOG_LEVEL` for `log-level`.
std::string environment_name(std::string_view option);

}  // namespace atalaya::config
