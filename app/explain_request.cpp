#include "app/explain_request.hpp"

#include "app/keys_place.hpp"
#include "keys/admin_secrets.hpp"
#include "keys/key_format.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace keygate::app {
namespace {

using SourceKind = config::CredentialSource::Kind;
using policy::Environment;

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::ranges::equal(a, b, [&](char x, char y) { return lower(x) == lower(y); });
}

bool has_line(const AskedRequest& request, std::string_view name) {
  return std::ranges::any_of(request.lines, [name](const std::string& line) {
    return equals_ignoring_case(std::string_view(line).substr(0, line.find(':')), name);
  });
}

bool has_parameter(const std::string& target, const std::string& name) {
  const auto query = target.find('?');
  return query != std::string::npos && ("&" + target.substr(query + 1)).find("&" + name + "=") != std::string::npos;
}

// Puts `key` there; false: something is there already.
bool place_key(AskedRequest& request, const config::CredentialSource& source, const std::string& key) {
  switch (source.kind) {
    case SourceKind::bearer:
      if (has_line(request, "authorization")) return false;
      request.lines.push_back("Authorization: Bearer " + key);
      return true;
    case SourceKind::header:
      if (has_line(request, source.name)) return false;
      request.lines.push_back(source.name + ": " + key);
      return true;
    case SourceKind::query:
      if (has_parameter(request.target, source.name)) return false;
      request.target += (request.target.find('?') == std::string::npos ? "?" : "&") + source.name + "=" + key;
      return true;
    case SourceKind::cookie:
      if (has_line(request, "cookie")) return false;
      request.lines.push_back("Cookie: " + source.name + "=" + key);
      return true;
  }
  return false;
}

std::string filled(const config::KeyFormatSettings& format) {
  std::string text = format.prefix;
  const std::size_t size = format.length == 0 ? keys::key_size : format.length;
  text.resize(std::max(size, text.size()), '0');
  if (format.crc32_checksum && text.size() > 6) {
    text.resize(text.size() - 6);
    text += keys::checksum_of(text);
  }
  return text;
}

std::optional<SampleKey> sample_of(const config::CredentialSettings& settings, Environment environment) {
  const keys::KeyFormats formats(settings.formats);
  for (const auto& format : settings.formats) {
    if (format.environment != environment) continue;
    std::string text = filled(format);
    if (formats.fit(keys::SecretView(text)) == environment) return SampleKey{std::move(text), environment};
  }
  return std::nullopt;
}

constexpr std::string_view sample_session = "stand-in-for-a-session";

config::CredentialSettings only(config::CredentialSettings settings, std::initializer_list<SourceKind> kinds) {
  std::erase_if(settings.sources, [kinds](const auto& source) {
    return std::find(kinds.begin(), kinds.end(), source.kind) == kinds.end();
  });
  return settings;
}

}  // namespace

AskedRequest asked_request(std::string method, const std::string& url, const std::string& default_host,
                           std::vector<std::string> lines) {
  AskedRequest request{std::move(method), url, default_host, std::move(lines)};
  const std::size_t scheme = url.starts_with("http://") ? 7 : url.starts_with("https://") ? 8 : 0;
  request.is_secure = scheme == 8;
  if (scheme != 0) {
    const std::size_t end = std::min(url.find_first_of("/?#", scheme), url.size());
    request.host = url.substr(scheme, end - scheme);
    request.target = url.substr(end);
    if (!request.target.starts_with('/')) request.target.insert(0, 1, '/');
  } else if (!url.starts_with('/') && url != "*") {
    throw Refusal{2, "URL: write http://host/path, or a path that begins with /, not \"" + url + "\""};
  }
  for (const std::string& line : request.lines) {
    if (line.find(':') == std::string::npos) throw Refusal{2, "-H: write NAME: VALUE, not \"" + line + "\""};
    if (line.find("\r\n") != std::string::npos || line.find("\n\n") != std::string::npos || line.ends_with('\n')) {
      throw Refusal{2, "-H: one header each, without the end of its line"};
    }
  }
  return request;
}

std::string default_host(const config::Settings& settings) {
  const config::ListenerSettings& listener = settings.listeners.front();
  return listener.socket.empty() ? name_of(listener) : "localhost";
}

std::string head_of(const AskedRequest& request) {
  std::string head = request.method + ' ' + request.target + " HTTP/1.1\r\n";
  if (!has_line(request, "host")) head += "Host: " + request.host + "\r\n";
  for (const std::string& line : request.lines) head += line + "\r\n";
  return head + "\r\n";
}

AskedRequest with_key(AskedRequest request, const config::CredentialSettings& settings, keys::SecretView key) {
  const std::string text(key.reveal());
  for (const auto& source : settings.sources) {
    if (place_key(request, source, text)) return request;
  }
  throw Refusal{2, "every place for a key (credentials.sources) is taken by what -H or the URL says"};
}

AskedRequest with_session(AskedRequest request, const config::Settings& settings) {
  if (!settings.resolution.service || !settings.resolution.service->session_url) {
    throw Refusal{2, "--session: nobody knows sessions; write resolution.service.session_url"};
  }
  const auto in_cookies = only(settings.credentials, {SourceKind::cookie});
  const auto places = in_cookies.sources.empty() ? only(settings.credentials, {SourceKind::bearer}) : in_cookies;
  return with_key(std::move(request), places, keys::SecretView(sample_session));
}

AskedRequest with_admin_secret(AskedRequest request, const config::Settings& settings, const std::string& name) {
  const auto& known = settings.credentials.admin_secrets;
  if (std::ranges::find(known, name, &config::AdminSecretSettings::name) == known.end()) {
    std::string names;
    for (const auto& one : known) names += (names.empty() ? "" : ", ") + one.name;
    throw Refusal{2, "--admin: there is no admin secret \"" + name + "\"" +
                         (names.empty() ? "; write credentials.admin_secrets" : "; there is " + names)};
  }
  const std::string text = keys::AdminSecrets::stand_in(name);
  return with_key(std::move(request), only(settings.credentials, {SourceKind::bearer, SourceKind::header}),
                  keys::SecretView(text));
}

SampleKey sample_key(const config::CredentialSettings& settings, std::optional<Environment> environment) {
  if (settings.formats.empty()) return {std::string(keys::key_size, '0'), Environment::none};
  if (environment) {
    for (const auto wanted : {*environment, Environment::none}) {
      if (auto sample = sample_of(settings, wanted)) return *std::move(sample);
    }
    throw Refusal{
        2, "no key format of the configuration is for environment " + std::string(policy::to_string(*environment))};
  }
  for (const auto usual : {Environment::none, Environment::live, Environment::test}) {
    if (auto sample = sample_of(settings, usual)) return *std::move(sample);
  }
  throw Refusal{2, "no key fits credentials.formats"};
}

}  // namespace keygate::app
