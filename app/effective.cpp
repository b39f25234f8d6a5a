#include "app/effective.hpp"

#include "app/settings_json.hpp"

#include <boost/json/array.hpp>

#include <filesystem>
#include <variant>

namespace keygate::app {

namespace json = boost::json;

namespace {

Effective annotated(const json::value& value, const config::Written& written) {
  Effective one;
  if (const auto* const map = value.if_object()) {
    one.kind = Effective::Kind::map;
    for (const auto& member : *map) {
      const std::string name(member.key().data(), member.key().size());
      one.members.emplace_back(name, annotated(member.value(), written.member(name)));
    }
    return one;
  }
  if (const auto* const list = value.if_array(); list != nullptr && !list->empty()) {
    one.kind = Effective::Kind::list;
    for (std::size_t i = 0; i < list->size(); ++i) one.members.emplace_back("", annotated((*list)[i], written.item(i)));
    return one;
  }
  one.value = value;
  one.where = written.where();
  one.variables = written.variables();
  return one;
}

Effective* find(Effective& map, std::string_view name) {
  for (auto& [key, member] : map.members) {
    if (key == name) return &member;
  }
  return nullptr;
}

void name_variables(Effective& root, const config::TracingSettings& settings) {
  Effective* const tracing = find(root, "tracing");
  for (const auto& [key, name] : settings.taken) {
    if (Effective* const value = tracing != nullptr ? find(*tracing, key) : nullptr) value->variable = name;
  }
}

void put_values(const Effective& one, const std::string& path, json::array& out) {
  if (one.kind == Effective::Kind::scalar) {
    json::object row{{"path", path}, {"value", one.value}};
    if (one.where) {
      row["origin"] = "file";
      row["file"] = *one.where->file;
      row["line"] = one.where->line;
      json::array variables;
      for (const std::string& name : one.variables) variables.emplace_back(name);
      if (!variables.empty()) row["variables"] = std::move(variables);
    } else if (!one.variable.empty()) {
      row["origin"] = "environment";
      row["variable"] = one.variable;
    } else {
      row["origin"] = "default";
    }
    out.push_back(std::move(row));
    return;
  }
  for (std::size_t i = 0; i < one.members.size(); ++i) {
    const auto& [name, member] = one.members[i];
    put_values(member, name.empty() ? config::path_to_item(path, i) : config::path_to_key(path, name), out);
  }
}

std::string beside(const std::string& file, const std::string& name) {
  return (std::filesystem::path(file).parent_path() / name).lexically_normal().string();
}

}  // namespace

Effective effective(const config::Settings& settings, const config::Written& written,
                    const config::EnvironmentLookup& environment) {
  Effective root = annotated(settings_json(settings), written);
  name_variables(root, settings.tracing);
  // The policy is another format; what is said here is where it is.
  const config::Written policy = written.member("policy");
  Effective of_policy;
  of_policy.where = policy.where();
  of_policy.variables = policy.variables();
  of_policy.value = "(stands in this file)";
  if (const auto name = policy.text()) {
    const auto file = config::substitute(*name, environment);
    if (const auto* const path = std::get_if<std::string>(&file)) of_policy.value = beside(settings.file, *path);
  }
  root.members.emplace_back("policy", std::move(of_policy));
  return root;
}

json::object effective_json(const Effective& root) {
  json::array values;
  put_values(root, "", values);
  return {{"values", std::move(values)}};
}

}  // namespace keygate::app
