#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "config/option_value.h"
#include "config/options.h"

namespace atalaya::config {
namespace {

constexpr std::size_t kWidth = 100;
constexpr std::size_t kColumn = 30;

std::string first_sentence(const std::string& text) {
  const auto end = text.find(". ");
  return end == std::string::npos ? text : text.substr(0, end + 1);
}

/// `text` at words, every line after the first indented.
std::string wrap(std::string_view text, std::size_t indent) {
  std::string out;
  std::size_t column = indent;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    const auto word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (column > indent && column + 1 + word.size() > kWidth) {
      out += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out;
}

std::string row_line(const std::string& left, const std::string& right) {
  auto line = "  " + left;
  if (line.size() + 2 > kColumn) {
    line += '\n' + std::string(kColumn, ' ');
  } else {
    line.resize(kColumn, ' ');
  }
  return line + wrap(right, kColumn) + '\n';
}

std::string value_name(const Option& option) {
  if (!option.value_name.empty()) return option.value_name;
  switch (option.type) {
    case OptionType::kText: return "TEXT";
    case OptionType::kInteger:
    case OptionType::kNumber: return "NUMBER";
    case OptionType::kBoolean: return "";
    case OptionType::kDuration: return "DURATION";
    case OptionType::kBytes: return "BYTES";
    case OptionType::kList: return "ITEM,…";
  }
  AT_CHECK(false);
}

std::string choices(const Option& option) {
  std::string text;
  for (const auto& choice : option.choices) text += (text.empty() ? "" : ", ") + choice;
  return text;
}

std::string option_line(const Option& option) {
  auto left = (option.letter == 0 ? "" : fmt::format("-{}, ", option.letter)) + "--" + option.name;
  if (const auto name = value_name(option); !name.empty()) left += ' ' + name;
  auto right = option.help;
  if (!option.choices.empty()) right += " One of: " + choices(option) + ".";
  if (option.required) {
    right += " Required.";
  } else if (!option.fallback.empty() && !option.secret) {
    right += " Default: " + option.fallback + ".";
  }
  return row_line(left, right + " [" + environment_name(option.name) + "]");
}

/// Under their sections, in order of first appearance; those without one come first.
std::string option_lines(const std::vector<Option>& options, const std::string& heading) {
  std::vector<std::string> sections{""};
  for (const auto& option : options) {
    if (std::find(sections.begin(), sections.end(), option.section) == sections.end()) {
      sections.push_back(option.section);
    }
  }
  std::string out;
  for (const auto& section : sections) {
    std::string lines;
    for (const auto& option : options) {
      if (option.section == section) lines += option_line(option);
    }
    if (!lines.empty()) out += '\n' + (section.empty() ? heading : section) + ":\n" + lines;
  }
  return out;
}

std::string usage_line(const Command& command, const std::string& title) {
  auto line = "Usage: " + title;
  if (!command.commands.empty()) line += command.runs ? " [COMMAND]" : " COMMAND";
  line += " [OPTION…]";
  for (const auto& argument : command.arguments) {
    auto text = argument.name + (argument.many ? "…" : "");
    line += argument.required ? ' ' + text : " [" + text + ']';
  }
  return line + '\n';
}

std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, 1, '\\');
  return text;
}

std::string markdown_row(const Option& option) {
  std::string fallback;
  if (option.required) {
    fallback = "required";
  } else if (option.secret) {
    fallback = "secret";
  } else if (!option.fallback.empty()) {
    fallback = "`" + option.fallback + "`";
  }
  auto help = option.help;
  if (!option.choices.empty()) help += " One of: " + choices(option) + ".";
  const auto letter = option.letter == 0 ? "" : fmt::format("`-{}`, ", option.letter);
  return fmt::format("| {}`--{}` | `{}` | {} | {} | {} |\n", letter, option.name, environment_name(option.name),
                     type_name(option.type), cell(fallback), cell(help));
}

void put_markdown(std::string& out, const Command& command, const std::string& title) {
  out += fmt::format("\n## {}\n\n{}\n", title, command.help);
  if (!command.arguments.empty()) {
    out += '\n';
    for (const auto& argument : command.arguments) {
      out += fmt::format("* `{}{}`{}: {}\n", argument.name, argument.many ? "…" : "",
                         argument.required ? "" : " (optional)", argument.help);
    }
  }
  if (!command.options.empty()) {
    out += "\n| flag | environment | type | default | meaning |\n|---|---|---|---|---|\n";
    for (const auto& option : command.options) out += markdown_row(option);
  }
  for (const auto& example : command.examples) {
    out += fmt::format("\n{}\n\n```\n{}\n```\n", example.says, example.command);
  }
  for (const auto& below : command.commands) put_markdown(out, below, title + ' ' + below.name);
}

}  // namespace

std::string render_help(const Program& program, const std::vector<std::string>& path) {
  const auto* command = &program.root;
  std::vector<const Command*> around;
  auto title = program.root.name;
  for (const auto& name : path) {
    around.push_back(command);
    const auto& below = command->commands;
    const auto found = std::find_if(below.begin(), below.end(), [&](const Command& c) { return c.name == name; });
    AT_CHECK(found != below.end());
    command = &*found;
    title += ' ' + name;
  }
  auto out = usage_line(*command, title) + '\n' + wrap(command->help, 0) + '\n';
  if (!command->commands.empty()) {
    out += "\nCommands:\n";
    for (const auto& below : command->commands) out += row_line(below.name, first_sentence(below.help));
  }
  if (!command->arguments.empty()) {
    out += "\nArguments:\n";
    for (const auto& argument : command->arguments) out += row_line(argument.name, argument.help);
  }
  out += option_lines(command->options, "Options");
  for (auto it = around.rbegin(); it != around.rend(); ++it) {
    out += option_lines((*it)->options, "Options of every command");
  }
  out += "\nAlways:\n" + row_line("-h, --help", "Prints this and leaves.") +
         row_line("--version", "Prints the version and leaves.");
  if (!command->examples.empty()) {
    out += "\nExamples:\n";
    for (const auto& example : command->examples) {
      out += "  " + example.command + "\n      " + wrap(example.says, 6) + '\n';
    }
  }
  return out;
}

std::string render_markdown(const std::vector<Program>& programs) {
  std::string out =
      "# Options\n\n"
      "Every option is a flag, an environment variable and, for commands with `--config FILE`, a key of that YAML "
      "file. A flag wins over the environment, the environment over the file, the file over the default. Durations "
      "are written `1h30m`, `15s`, `250ms`; bytes `64KiB`, `8MB`; a list is a flag given several times, or one "
      "value with commas. An option stands at the command that takes it; every command below takes it too.\n";
  for (const auto& program : programs) put_markdown(out, program.root, program.root.name);
  return out;
}

}  // namespace atalaya::config
