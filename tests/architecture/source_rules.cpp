#include "tests/architecture/source_rules.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <span>

namespace keygate::architecture {
namespace {

using Names = std::span<const std::string_view>;

constexpr std::array<std::string_view, 1> policy_includes{"config"};
constexpr std::array<std::string_view, 3> keys_includes{"policy", "config", "telemetry"};
constexpr std::array<std::string_view, 4> proxy_includes{"keys", "policy", "config", "telemetry"};
constexpr std::array<std::string_view, 5> app_includes{"proxy", "keys", "policy", "config", "telemetry"};

constexpr std::array<std::string_view, 3> telemetry_libraries{"boost/json", "fmt/", "spdlog/"};
constexpr std::array<std::string_view, 1> config_libraries{"boost/url/"};
constexpr std::array<std::string_view, 5> keys_libraries{"boost/", "hiredis/", "openssl/", "spdlog/", "sqlite3.h"};
constexpr std::array<std::string_view, 4> proxy_libraries{"boost/", "openssl/", "sanitizer/", "spdlog/"};
constexpr std::array<std::string_view, 6> app_libraries{"boost/",      "CLI/",    "openssl/",
                                                        "prometheus/", "spdlog/", "sqlite3.h"};

enum class System { none, without_sockets, all };

struct Folder {
  std::string_view name;
  Names folders;    // it may include, beside itself
  Names libraries;  // prefixes of third-party headers
  System system;    // headers of the operating system
};

// The order of the dependencies: a folder includes only what stands above it here.
constexpr std::array<Folder, 6> folders{{
    {"telemetry", {}, telemetry_libraries, System::without_sockets},
    {"config", {}, config_libraries, System::none},
    {"policy", policy_includes, {}, System::none},
    {"keys", keys_includes, keys_libraries, System::all},
    {"proxy", proxy_includes, proxy_libraries, System::all},
    {"app", app_includes, app_libraries, System::all},
}};

// Files outside of config/ and policy/ that do no I/O and read no clock either, by folder/stem.
constexpr std::array<std::string_view, 24> pure_files{
    "keys/backoff",           "keys/breaker",       "keys/credential",       "keys/dialect",
    "keys/dialect_answer",    "keys/digest",        "keys/http_message",     "keys/internet_time",
    "keys/key_format",        "keys/key_record",    "keys/record_signature", "keys/redis_reply",
    "keys/resp_gate",         "keys/secret",        "keys/service_health",   "keys/strict_json",
    "proxy/chunk_filter",     "proxy/forward_head", "proxy/forwarding",      "proxy/framing",
    "proxy/identity_headers", "proxy/reply",        "proxy/request_head",    "proxy/reserved_names",
};

constexpr std::array<std::string_view, 10> io_headers{
    "boost/asio", "boost/beast", "hiredis/", "sqlite3.h",          "keys/asio.hpp",
    "thread",     "mutex",       "future",   "condition_variable", "poll.h",
};
// Values and functions of text, although Asio and Beast have them: addresses, names, lists of headers.
constexpr std::array<std::string_view, 8> value_headers{
    "boost/asio/ip/address.hpp",   "boost/asio/ip/network_v4.hpp", "boost/asio/ip/network_v6.hpp",
    "boost/beast/core/string.hpp", "boost/beast/http/field.hpp",   "boost/beast/http/fields.hpp",
    "boost/beast/http/status.hpp", "boost/beast/http/verb.hpp",
};
constexpr std::array<std::string_view, 5> socket_headers{"netinet/", "net/", "netdb.h", "sys/socket.h", "sys/un.h"};
constexpr std::array<std::string_view, 3> file_headers{"fstream", "iostream", "filesystem"};
constexpr std::array<std::string_view, 3> clock_functions{"time", "gettimeofday", "clock_gettime"};

// main() is in no namespace; the words of Asio are the same in every folder that has them.
constexpr std::array<std::string_view, 2> outside_folder_namespace{"app/main.cpp", "keys/asio.hpp"};

constexpr std::size_t longest_header = 150;
constexpr std::size_t longest_source = 300;

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::string_view folder_of(std::string_view path) { return path.substr(0, path.find('/')); }

bool contains(Names names, std::string_view name) { return std::ranges::find(names, name) != names.end(); }

bool begins_with_one_of(std::string_view header, Names prefixes) {
  return std::ranges::any_of(prefixes, [header](std::string_view prefix) {
    const bool whole_name = prefix.back() != '/' && prefix.find('/') == std::string_view::npos;
    return whole_name ? header == prefix : header.starts_with(prefix);
  });
}

bool is_standard(std::string_view header) { return header.find_first_of("./") == std::string_view::npos; }

bool is_system(std::string_view header) {
  const bool plain = header.ends_with(".h") && header.find('/') == std::string_view::npos && header != "sqlite3.h";
  return plain || header.starts_with("sys/") || header.starts_with("arpa/") || header.starts_with("linux/") ||
         begins_with_one_of(header, socket_headers);
}

bool is_pure(std::string_view path) {
  return folder_of(path) == "config" || folder_of(path) == "policy" ||
         contains(pure_files, path.substr(0, path.rfind('.')));
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

struct Include {
  bool quoted;
  std::string_view header;
};

// `code` tells whether the line is code at all, `line` still has the quoted name that is blank in `code`.
std::optional<Include> include_of(std::string_view code, std::string_view line) {
  const auto hash = code.find_first_not_of(" \t");
  if (hash == std::string_view::npos || code[hash] != '#') return std::nullopt;
  const auto directive = code.find_first_not_of(" \t", hash + 1);
  if (directive == std::string_view::npos || !code.substr(directive).starts_with("include")) return std::nullopt;
  const auto open = line.find_first_of("<\"", directive);
  if (open == std::string_view::npos) return std::nullopt;
  const auto close = line.find_first_of(">\"", open + 1);
  if (close == std::string_view::npos) return std::nullopt;
  return Include{line[open] == '"', line.substr(open + 1, close - open - 1)};
}

// Calls of the function itself: not of `retry_time(`, `x.time(` or `x->time(`.
bool calls(std::string_view code, std::string_view function) {
  for (auto at = code.find(function); at != std::string_view::npos; at = code.find(function, at + 1)) {
    const bool member = at > 0 && (code[at - 1] == '.' || code[at - 1] == '>');
    if ((at == 0 || !is_word(code[at - 1])) && !member && code.substr(at + function.size()).starts_with('('))
      return true;
  }
  return false;
}

std::optional<std::string> purity_flaw(std::string_view path, std::string_view header) {
  if (contains(value_headers, header)) return std::nullopt;
  const bool io = begins_with_one_of(header, io_headers) || begins_with_one_of(header, socket_headers);
  // config/ is where files are read, and text still goes in before values come out.
  const bool file = folder_of(path) != "config" && begins_with_one_of(header, file_headers);
  if (!is_pure(path) || !(io || file)) return std::nullopt;
  return "no I/O and no threads in a pure file: " + std::string(header);
}

std::optional<std::string> project_flaw(const Folder& folder, std::string_view header) {
  const auto target = folder_of(header);
  if (target == header) return "own headers are included as \"folder/file.hpp\": \"" + std::string(header) + "\"";
  if (target == folder.name || contains(folder.folders, target)) return std::nullopt;
  return std::string(folder.name) + "/ may not include " + std::string(target) + "/: \"" + std::string(header) + "\"";
}

std::optional<std::string> library_flaw(const Folder& folder, std::string_view path, std::string_view header) {
  const auto shown = ": <" + std::string(header) + ">";
  if (header.starts_with("yaml-cpp/")) {
    if (path == "config/yaml_reader.cpp") return std::nullopt;
    return "yaml-cpp stays in config/yaml_reader.cpp" + shown;
  }
  // Addresses as text, no more: inet_pton and inet_ntop.
  if (is_standard(header) || header == "arpa/inet.h") return std::nullopt;
  if (is_system(header)) {
    const bool socket = begins_with_one_of(header, socket_headers);
    if (folder.system == System::all || (folder.system == System::without_sockets && !socket)) return std::nullopt;
    return std::string(folder.name) + "/ may not use " + (socket ? "sockets" : "the operating system") + shown;
  }
  if (begins_with_one_of(header, folder.libraries)) return std::nullopt;
  return std::string(folder.name) + "/ may not use this library" + shown;
}

std::optional<std::string> include_flaw(const Folder* folder, std::string_view path, const Include& include) {
  // Asio and Beast are slow to compile: a header that pulls in all of HTTP is paid for by every file that includes it.
  if (path.ends_with(".hpp") && (include.header == "boost/beast/http.hpp" || include.header == "boost/beast.hpp")) {
    return "headers include the parts of Beast that they name, not <" + std::string(include.header) + ">";
  }
  if (folder == nullptr) return std::nullopt;
  if (auto flaw = purity_flaw(path, include.header)) return flaw;
  return include.quoted ? project_flaw(*folder, include.header) : library_flaw(*folder, path, include.header);
}

bool reads_clock(std::string_view code) {
  return code.find("::now(") != std::string_view::npos ||
         std::ranges::any_of(clock_functions, [code](std::string_view function) { return calls(code, function); });
}

bool opens_namespace(std::string_view code, std::string_view folder) {
  const auto wanted = "namespace keygate::" + std::string(folder);
  for (auto at = code.find(wanted); at != std::string_view::npos; at = code.find(wanted, at + 1)) {
    const auto end = at + wanted.size();
    if (end < code.size() && !is_word(code[end])) return true;
  }
  return false;
}

void check_whole_file(const Folder& folder, std::string_view path, std::string_view code, std::size_t lines,
                      std::vector<Violation>& found) {
  const bool header = path.ends_with(".hpp");
  const auto longest = header ? longest_header : longest_source;
  if (lines > longest) {
    found.push_back({longest + 1, (header ? "headers have at most " : "sources have at most ") +
                                      std::to_string(longest) + " lines: which second question does this one answer?"});
  }
  if (!contains(outside_folder_namespace, path) && !opens_namespace(code, folder.name)) {
    found.push_back({1, "the folder is the namespace: keygate::" + std::string(folder.name)});
  }
}

// gcc 12 evaluates `co_return a || co_await b` and its likes wrongly, or frees what it must not: an await stands in an
// expression without &&, || and ?:.
void check_awaits(std::string_view code, std::vector<Violation>& found) {
  std::size_t line = 1;
  std::size_t await_line = 0;
  std::string statement;
  for (const char c : code) {
    line += c == '\n' ? 1 : 0;
    if (c != ';' && c != '{' && c != '}') {
      statement += c == '\n' ? ' ' : c;
      if (await_line == 0 && statement.ends_with("co_await")) await_line = line;
      continue;
    }
    const bool has_choice = statement.find(" && ") != std::string::npos ||
                            statement.find(" || ") != std::string::npos || statement.find(" ? ") != std::string::npos;
    if (await_line != 0 && has_choice) {
      found.push_back({await_line, "co_await stands in an expression without &&, || and ?: (gcc 12 gets those wrong)"});
    }
    statement.clear();
    await_line = 0;
  }
}

}  // namespace

std::vector<Violation> violations(std::string_view path, std::string_view text) {
  const auto known = std::ranges::find(folders, folder_of(path), &Folder::name);
  const Folder* folder = known == folders.end() ? nullptr : &*known;
  const auto code = code_only(text);
  const auto lines = lines_of(text);
  const auto code_lines = lines_of(code);

  std::vector<Violation> found;
  if (path.ends_with(".hpp") && std::ranges::find(code_lines, "#pragma once") == code_lines.end()) {
    found.push_back({1, "headers have #pragma once"});
  }
  check_awaits(code, found);
  if (folder != nullptr) check_whole_file(*folder, path, code, lines.size(), found);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (const auto include = include_of(code_lines[i], lines[i])) {
      if (auto flaw = include_flaw(folder, path, *include)) found.push_back({i + 1, *std::move(flaw)});
    } else if (is_pure(path) && reads_clock(code_lines[i])) {
      found.push_back({i + 1, "no clock in a pure file: `now` is passed in"});
    }
  }
  std::ranges::stable_sort(found, {}, &Violation::line);
  return found;
}

}  // namespace keygate::architecture
