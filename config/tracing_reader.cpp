#include "config/tracing_reader.hpp"

#include "config/dependency_url.hpp"
#include "config/scalar_readers.hpp"
#include "config/source_text.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace keygate::config {
namespace {

constexpr std::string_view traces_path = "/v1/traces";
constexpr std::size_t longest_name = 128;

// Neither says what was written: there may be a token in it.
// The base of all signals, as OTEL_EXPORTER_OTLP_ENDPOINT names it, or the whole address of the one.
Parsed<ServiceUrl> parse_otlp_endpoint(const std::string& text) {
  auto url = parse_service_url(text);
  auto* const parsed = std::get_if<ServiceUrl>(&url);
  if (parsed == nullptr) return Fault{std::get<Fault>(url).message, "write http://127.0.0.1:4318"};
  if (parsed->target.substr(0, parsed->target.find('?')).ends_with(traces_path)) return url;
  if (parsed->target.find('?') != std::string::npos) {
    return Fault{"this URL has a query and no " + std::string(traces_path), "write the whole address"};
  }
  while (parsed->target.ends_with('/')) parsed->target.pop_back();
  parsed->target += traces_path;
  return url;
}

Parsed<std::string> parse_service_name(const std::string& text) {
  if (text.size() > longest_name) return Fault{"it is longer than 128 bytes", ""};
  // The file is UTF-8 as a whole; a variable need not be.
  const bool is_line = text.find_first_of("\t\n\r") == std::string::npos;
  if (!is_line || byte_flaw(text)) return Fault{"it is no single line of UTF-8 text", ""};
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

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  return text;
}

std::optional<double> fraction_in(const std::string& text) {
  double number = -1;
  const auto* const end = text.data() + text.size();
  const auto [rest, fault] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  const bool fits = fault == std::errc{} && rest == end && number >= 0 && number <= 1;
  return fits ? std::optional(number) : std::nullopt;
}

constexpr std::string_view endpoint_name = "OTEL_EXPORTER_OTLP_ENDPOINT", exporter_name = "OTEL_TRACES_EXPORTER",
                           disabled_name = "OTEL_SDK_DISABLED", service_name = "OTEL_SERVICE_NAME",
                           sampler_name = "OTEL_TRACES_SAMPLER", share_name = "OTEL_TRACES_SAMPLER_ARG";

class Variables {
 public:
  Variables(const Value& root, TracingSettings& settings)
      : root_(root), written_(root.member("tracing")), settings_(settings) {}

  void take() {
    if (is_written("otlp_endpoint") && !settings_.endpoint) return;  // nothing would come of any of them
    if (!is_written("otlp_endpoint")) take_endpoint();
    if (!is_written("service_name")) take_service_name();
    if (!is_written("sample")) take_share();
  }

 private:
  bool is_written(const char* key) const { return written_ && written_->member(key); }

  // One that is empty is as good as not set, says OpenTelemetry.
  std::optional<std::string> value_of(std::string_view name) const {
    auto text = root_.reading().environment(std::string(name));
    return text && text->empty() ? std::nullopt : text;
  }

  void warn(std::string_view name, const std::string& what, std::string hint = {}) const {
    root_.warn("the environment variable " + std::string(name) + " " + what, std::move(hint));
  }
  void ignore(std::string_view name, const std::string& why) const { warn(name, "is ignored: " + why); }

  void note(std::string_view key, std::string_view name) { settings_.taken.push_back({key, name}); }

  bool is_off() const {
    const auto disabled = value_of(disabled_name);
    if (disabled && lower_case(*disabled) == "true") return true;
    if (disabled && lower_case(*disabled) != "false") ignore(disabled_name, "it is neither true nor false");
    const auto exporter = value_of(exporter_name);
    if (exporter && *exporter != "none" && *exporter != "otlp") ignore(exporter_name, "it is neither otlp nor none");
    return exporter == "none";
  }

  void take_endpoint() {
    const auto text = value_of(endpoint_name);
    if (!text || is_off()) return;
    auto url = parse_otlp_endpoint(*text);
    auto* const parsed = std::get_if<ServiceUrl>(&url);
    if (parsed == nullptr) return ignore(endpoint_name, std::get<Fault>(url).message);
    if (!parsed->is_tls && is_written("ca_file")) {
      return ignore(endpoint_name, "tracing.ca_file is written, and only https:// has certificates");
    }
    if (!parsed->is_tls && !is_loopback(parsed->host)) {
      warn(endpoint_name, "is no https:// URL: who calls what goes there in clear", "use https://");
    }
    settings_.endpoint = std::move(*parsed);
    note("otlp_endpoint", endpoint_name);
  }

  void take_service_name() {
    const auto text = value_of(service_name);
    if (!text) return;
    const auto name = parse_service_name(*text);
    if (const auto* const fault = std::get_if<Fault>(&name)) return ignore(service_name, fault->message);
    settings_.service_name = *text;
    note("service_name", service_name);
  }

  void set_share(double share, std::string_view name) {
    settings_.sample = share;
    note("sample", name);
  }

  // Whether a parent is believed is no matter of the sampler's: trust_parent says that.
  void take_share() {
    const auto sampler = value_of(sampler_name);
    constexpr std::string_view parent_based = "parentbased_";
    std::string_view word = sampler ? std::string_view(*sampler) : std::string_view{};
    if (word.starts_with(parent_based)) word.remove_prefix(parent_based.size());
    if (word == "always_on") return set_share(1, sampler_name);
    if (word == "always_off") return set_share(0, sampler_name);
    const bool is_ratio = word == "traceidratio";
    if (sampler && !is_ratio) {
      return ignore(sampler_name, "it is none of always_on, always_off and traceidratio, with parentbased_ or without");
    }
    const auto text = value_of(share_name);
    const auto share = text ? fraction_in(*text) : std::nullopt;
    if (share) return set_share(*share, share_name);
    if (text) ignore(share_name, "it is no number from 0 to 1");
    if (is_ratio) set_share(1, sampler_name);  // what OpenTelemetry has without a number
  }

  const Value& root_;
  const std::optional<Value> written_;
  TracingSettings& settings_;
};

}  // namespace

Reader<TracingSettings> tracing_reader() {
  using T = TracingSettings;
  const auto name = parsed<std::string>("a name", parse_service_name);
  return then(object<T>({
                  key("otlp_endpoint", &T::endpoint, endpoint_reader(), "an OTLP/HTTP collector; null: none"),
                  key("sample", &T::sample, fraction(), "the share of traces that begin here, from 0 to 1"),
                  key("trust_parent", &T::trust_parent, boolean(),
                      "the sampled flag of trusted_proxies counts; they must overwrite traceparent"),
                  key("service_name", &T::service_name, name, "what the spans call this proxy"),
                  key("ca_file", &T::ca_file, file_path(), "whose certificates are trusted"),
              }),
              checked);
}

void take_tracing_variables(const Value& root, TracingSettings& settings) { Variables(root, settings).take(); }

}  // namespace keygate::config
