#include "policy/compiler.hpp"

#include <algorithm>
#include <array>

namespace keygate::policy {
namespace {

// RFC 9110 §5.6.2.
bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

// What may stand in a header's value, and so could ever equal one.
bool is_field_value(std::string_view text) {
  const bool is_padded = text.starts_with(' ') || text.ends_with(' ') || text.starts_with('\t') || text.ends_with('\t');
  return !is_padded && std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 && byte != 0x7F) || c == '\t';
  });
}

std::optional<HostPattern> parse_host(std::string_view text) {
  const bool is_wildcard = text.starts_with("*.");
  if (is_wildcard) text.remove_prefix(2);
  if (is_wildcard && text.starts_with('[')) return std::nullopt;
  std::string buffer(text.size(), '\0');
  const auto name = canonical_host(text, buffer);
  return name ? std::optional(HostPattern{std::string(*name), is_wildcard}) : std::nullopt;
}

std::string host_hint(std::string_view text) {
  if (text == "*") return "to match any host, leave hosts out";
  const auto scheme = text.find("://");
  std::string_view bare = scheme == std::string_view::npos ? text : text.substr(scheme + 3);
  bare = bare.substr(0, bare.find('/'));
  if (bare.size() < text.size() && parse_host(bare)) return "write the name alone: " + std::string(bare);
  return "write a name such as api.example.com, or *.example.com for all below it";
}

void compile_hosts(const RouteSource& source, RouteTable::Entry& entry, Findings& findings) {
  const auto path = source.path + ".match.hosts";
  for (const auto& text : source.document.match.hosts) {
    auto host = parse_host(text.value);
    if (!host) {
      findings.error(text.where, path, quoted(text.value) + " is not a host", host_hint(text.value));
      continue;
    }
    const bool is_doubled = std::any_of(entry.hosts.begin(), entry.hosts.end(), [&](const HostPattern& other) {
      return other.name == host->name && other.is_wildcard == host->is_wildcard;
    });
    if (is_doubled) {
      findings.error(text.where, path, quoted(text.value) + " is listed twice",
                     "case, port and a trailing dot do not count");
      continue;
    }
    entry.hosts.push_back(*std::move(host));
  }
}

std::string method_hint(const std::string& word) {
  if (word == "*" || word == "ANY" || word == "any") return "to match any method, leave methods out";
  if (word.find_first_of(", |") != std::string::npos) return "write a list: [GET, POST]";
  std::vector<std::string> known;
  for (std::size_t number = 0; number < method_count; ++number) {
    known.emplace_back(to_string(static_cast<Method>(number)));
  }
  return did_you_mean(word, known);
}

void compile_methods(const RouteSource& source, RouteTable::Entry& entry, Findings& findings) {
  const auto path = source.path + ".match.methods";
  for (const auto& text : source.document.match.methods) {
    const auto method = parse_method(text.value);
    if (!method) {
      findings.error(text.where, path, "unknown method " + quoted(text.value), method_hint(text.value));
    } else if (*method == Method::trace || *method == Method::connect) {
      findings.error(text.where, path, text.value + " is never forwarded: no request could match");
    } else if (entry.methods.has(*method)) {
      findings.error(text.where, path, text.value + " is listed twice");
    } else {
      entry.methods.add(*method);
    }
  }
}

std::string_view why_reserved(NameClass name_class) {
  switch (name_class) {
    case NameClass::plain:
      return "";
    case NameClass::identity:
      return "is dropped from every request, as the header of that name is ours to set";
    case NameClass::forwarding:
      return "is what any client may claim about itself";
    case NameClass::credential:
      return "carries the credential, which is not matched on";
    case NameClass::framing:
      return "belongs to the connection, not to the request";
  }
  return "";
}

void compile_headers(const RouteSource& source, const ReservedNames& reserved, RouteTable::Entry& entry,
                     Findings& findings) {
  for (const auto& header : source.document.match.headers) {
    const auto& name = header.name.value;
    const auto path = source.path + ".match.headers." + name;
    const auto name_class = reserved.classify(name);
    const bool is_doubled = std::any_of(entry.headers.begin(), entry.headers.end(),
                                        [&](const HeaderCondition& other) { return folds_alike(other.name, name); });
    if (!is_token(name)) {
      findings.error(header.name.where, path, quoted(name) + " is not a header name");
    } else if (name_class != NameClass::plain) {
      findings.error(header.name.where, path, quoted(name) + ' ' + std::string(why_reserved(name_class)),
                     "no route can depend on it");
    } else if (is_doubled) {
      findings.error(header.name.where, path, quoted(name) + " is listed twice", "case and punctuation do not count");
    } else if (!is_field_value(header.value.value)) {
      findings.error(header.value.where, path, "no header can have this value",
                     "leave out control characters, and spaces at either end");
    }
    entry.headers.push_back({name, header.value.value});
  }
}

struct HeaderName {
  std::string path;
  std::string name;
};

std::vector<HeaderName> identity_names(const config::IdentityHeaderSettings& settings) {
  std::vector<HeaderName> names{{"organization", settings.organization},
                                {"key", settings.key},
                                {"user", settings.user},
                                {"scopes", settings.scopes},
                                {"environment", settings.environment},
                                {"method", settings.method}};
  std::erase_if(names, [](const HeaderName& header) { return header.name.empty(); });
  for (auto& header : names) header.path.insert(0, "identity_headers.");
  return names;
}

std::vector<HeaderName> credential_names(const config::CredentialSettings& settings) {
  std::vector<HeaderName> names;
  for (const auto& source : settings.sources) {
    if (source.kind == config::CredentialSource::Kind::header) names.push_back({"credentials.sources", source.name});
  }
  names.push_back({"credentials.sources", "authorization"});
  return names;
}

}  // namespace

std::optional<PathTemplate> compile_path(const RouteSource& source, config::PathSettings rules, Findings& findings) {
  const auto& text = source.document.match.path;
  if (text.value.empty() && !source.document.is_whole) return std::nullopt;
  auto parsed = parse_path_template(text.value, rules);
  if (auto* path = std::get_if<PathTemplate>(&parsed)) return std::move(*path);
  auto& flaw = std::get<TemplateFlaw>(parsed);
  findings.error(text.where, source.path + ".match.path", std::move(flaw.message), std::move(flaw.hint));
  return std::nullopt;
}

RouteTable::Entry compile_criteria(const RouteSource& source, const ReservedNames& reserved, Findings& findings) {
  RouteTable::Entry entry;
  compile_hosts(source, entry, findings);
  compile_methods(source, entry, findings);
  compile_headers(source, reserved, entry, findings);
  return entry;
}

void check_header_names(const config::Settings& settings, Findings& findings) {
  const config::Position where{std::make_shared<const std::string>(settings.file), 0, 0};
  const ReservedNames fixed({"", "", "", "", "", ""},
                            {.sources = {}, .formats = {}, .admin_secrets = {}, .forward = false});
  const auto identity = identity_names(settings.identity_headers);
  const auto credentials = credential_names(settings.credentials);

  const auto check = [&](const HeaderName& header) {
    if (!is_token(header.name)) {
      findings.error(where, header.path, quoted(header.name) + " is not a header name");
    } else if (fixed.classify(header.name) == NameClass::framing) {
      findings.error(where, header.path, quoted(header.name) + " belongs to the connection, not to the request");
    }
  };
  std::for_each(credentials.begin(), credentials.end(), check);
  for (auto header = identity.begin(); header != identity.end(); ++header) {
    check(*header);
    const auto is_same = [&](const HeaderName& other) { return folds_alike(other.name, header->name); };
    if (std::any_of(identity.begin(), header, is_same)) {
      findings.error(where, header->path, quoted(header->name) + " is the name of another identity header too");
    }
    if (std::any_of(credentials.begin(), credentials.end(), is_same)) {
      findings.error(where, header->path,
                     quoted(header->name) + " carries credentials, so it cannot carry an identity");
    }
  }
}

}  // namespace keygate::policy
