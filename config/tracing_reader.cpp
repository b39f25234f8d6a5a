#include "config/tracing_reader.hpp"

#include "config/dependency_url.hpp"
#include "config/scalar_readers.hpp"

#include <charconv>

namespace keygate::config {
namespace {

constexpr std::string_view traces_path = "/v1/traces";
constexpr std::size_t longest_name = 128;

// The base of all signals, as OTEL_EXPORTER_OTLP_ENDPOINT names it, or the whole address of the one.
Parsed<ServiceUrl> parse_otlp_endpoint(const std::string& text) {
  auto url = parse_service_url(text);
  auto* const parsed = std::get_if<ServiceUrl>(&url);
  if (parsed == nullptr) return Fault{std::get<Fault>(url).message, "write http://127.0.0.1:4318"};
  if (parsed->target.substr(0, parsed->target.find('?')).ends_with(traces_path)) return url;
  if (parsed->target.find('?') != std::string::npos) {
    return Fault{quoted(text) + " has a query and no " + std::string(traces_path), "write the whole address"};
  }
  while (parsed->target.ends_with('/')) parsed->target.pop_back();
  parsed->target += traces_path;
  return url;
}

Parsed<std::string> parse_service_name(const std::string& text) {
  if (text.size() > longest_name) return Fault{quoted(text) + " is longer than 128 bytes", ""};
  return text;
}

Reader<std::optional<ServiceUrl>> endpoint_reader() {
  const auto url = parsed<ServiceUrl>("an address such as http://127.0.0.1:4318, or null", parse_otlp_endpoint);
  return {url.form,
          [url](const Value& value) -> std::optional<std::optional<ServiceUrl>> {
            if (value.is_null()) return std::optional<ServiceUrl>();
            auto read = url.read(value);
            if (!read) return std::nullopt;
            if (!read->is_tls && !is_loopback(read->host)) {
              value.warn("who calls what goes to " + read->host + " in clear", "use https://");
            }
            return std::optional<ServiceUrl>(std::move(*read));
          },
          true, schema_of_any({url.schema, schema_of_null()})};
}

std::optional<TracingSettings> checked(const Value& value, TracingSettings settings) {
  const auto ca_file = value.member("ca_file");
  if (ca_file && settings.endpoint && !settings.endpoint->is_tls) {
    ca_file->complain("only https:// has certificates");
  }
  return settings;
}

std::optional<double> fraction_in(const std::string& text) {
  double number = -1;
  const auto* const end = text.data() + text.size();
  const auto [rest, fault] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  const bool fits = fault == std::errc{} && rest == end && number >= 0 && number <= 1;
  return fits ? std::optional(number) : std::nullopt;
}

}  // namespace

Reader<TracingSettings> tracing_reader() {
  using T = TracingSettings;
  const auto name = parsed<std::string>("a name", parse_service_name);
  return then(object<T>({
                  key("otlp_endpoint", &T::endpoint, endpoint_reader(), "an OTLP/HTTP collector; null: none"),
                  key("sample", &T::sample, fraction(), "the share of traces that begin here, from 0 to 1"),
                  key("service_name", &T::service_name, name, "what the spans call this proxy"),
                  key("ca_file", &T::ca_file, file_path(), "whose certificates are trusted"),
              }),
              checked);
}

void take_tracing_variables(const Value& root, TracingSettings& settings) {
  const auto written = root.member("tracing");
  for (const TracingVariable& variable : tracing_variables) {
    const auto text = root.reading().environment(std::string(variable.name));
    if (!text || text->empty() || (written && written->member(std::string(variable.key)))) continue;
    const auto ignored = [&](const std::string& why) {
      root.warn("the environment variable " + std::string(variable.name) + " is ignored: " + why);
    };
    if (variable.key == "otlp_endpoint") {
      auto url = parse_otlp_endpoint(*text);
      if (const auto* fault = std::get_if<Fault>(&url)) {
        ignored(fault->message);
      } else {
        settings.endpoint = std::get<ServiceUrl>(std::move(url));
      }
    } else if (variable.key == "sample") {
      const auto share = fraction_in(*text);
      if (share) {
        settings.sample = *share;
      } else {
        ignored(quoted(*text) + " is no number from 0 to 1");
      }
    } else if (text->size() <= longest_name) {
      settings.service_name = *text;
    } else {
      ignored("it is longer than 128 bytes");
    }
  }
}

}  // namespace keygate::config
