#include "app/problem_print.hpp"

#include "config/format_schema.hpp"
#include "config/marked_line.hpp"
#include "config/source_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <system_error>
#include <utility>
#include <variant>

namespace keygate::app {
namespace {

namespace json = boost::json;

// The keys of all objects in a schema.
void collect_keys(const json::value& schema, config::KeyNames& names) {
  if (const json::array* const list = schema.if_array()) {
    for (const json::value& one : *list) collect_keys(one, names);
  }
  const json::object* const object = schema.if_object();
  if (object == nullptr) return;
  for (const auto& member : *object) {
    collect_keys(member.value(), names);
    if (member.key() != "properties" || !member.value().is_object()) continue;
    for (const auto& property : member.value().get_object())
      names.emplace(property.key().data(), property.key().size());
  }
}

config::KeyNames known_keys() {
  config::KeyNames names;
  json::parse_options deep;
  deep.max_depth = 256;
  collect_keys(json::parse(config::configuration_schema(), {}, deep), names);
  // Of tables of cases (config/cases). What they call a key may be written out as one.
  names.insert({"cases", "client_subject", "code", "expect", "from", "organization", "request", "route", "state",
                "status", "user"});
  return names;
}

// The files that problems are in, as they are now.
class Sources {
 public:
  // Null: it cannot be read, or not again.
  const config::SourceLines* lines_of(const std::string& path) {
    auto& source = sources_[path];
    if (!source) source = std::make_unique<Entry>(read(path));
    return source->lines.get();
  }

 private:
  struct Entry {
    std::unique_ptr<std::string> text;
    std::unique_ptr<config::SourceLines> lines;
  };

  Entry read(const std::string& path) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) return {};  // a pipe would have us wait
    auto source = config::read_source(path);
    if (!std::holds_alternative<std::string>(source)) return {};
    Entry entry;
    entry.text = std::make_unique<std::string>(std::move(std::get<std::string>(source)));
    if (known_.empty()) known_ = known_keys();
    entry.lines = std::make_unique<config::SourceLines>(*entry.text, known_);
    return entry;
  }

  std::map<std::string, std::unique_ptr<Entry>> sources_;
  config::KeyNames known_;
};

std::string marked(const config::Position& where, Sources& sources) {
  if (!where.file || where.line < 1) return {};
  const config::SourceLines* const lines = sources.lines_of(*where.file);
  const auto number = static_cast<std::size_t>(where.line) - 1;
  if (lines == nullptr || number >= lines->size()) return {};
  const auto hidden = lines->hidden_in(number);
  return hidden ? config::marked_line((*lines)[number], where.line, where.column, *hidden) : std::string();
}

}  // namespace

void print_problems(std::ostream& out, const config::Problems& problems) {
  Sources sources;
  for (const config::Problem& problem : problems) {
    out << config::render(problem) << '\n' << marked(problem.where, sources);
  }
}

}  // namespace keygate::app
