#include "config/credential_reader.hpp"

#include "config/collection_readers.hpp"
#include "config/header_name.hpp"
#include "config/resolution_reader.hpp"
#include "config/scalar_readers.hpp"

#include <algorithm>

namespace keygate::config {
namespace {

using Kind = CredentialSource::Kind;

Parsed<std::string> parse_query_name(const std::string& text) {
  constexpr std::size_t longest = 64;
  const bool fits =
      text.size() <= longest &&
      text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~") == std::string::npos;
  if (!fits) return Fault{quoted(text) + " is no name for a query parameter", "letters, digits, -, ., _ and ~ will do"};
  return text;
}

Parsed<std::string> parse_cookie_name(const std::string& text) {
  constexpr std::size_t longest = 64;
  if (!is_token(text) || text.size() > longest) return Fault{quoted(text) + " is no name for a cookie", ""};
  return text;
}

template <CredentialSource::Kind kind>
Key<CredentialSource> source_key(std::string name, Parsed<std::string> (*parse)(const std::string&)) {
  const auto set = [](CredentialSource& source, std::string read) { source = {kind, std::move(read)}; };
  return key_set_by<CredentialSource>(std::move(name), parsed<std::string>("a name", parse), set,
                                      "where the credential is");
}

Reader<CredentialSource> source_reader() {
  const auto named = object<CredentialSource>({
      source_key<Kind::header>("header", parse_credential_header),
      source_key<Kind::query>("query", parse_query_name),
      source_key<Kind::cookie>("cookie", parse_cookie_name),
  });
  const std::string form = "bearer, {header: NAME}, {query: NAME} or {cookie: NAME}";
  return {form,
          [form, named](const Value& value) -> std::optional<CredentialSource> {
            if (!value.is_map()) {
              const auto word = value.scalar(form);
              if (word && word->text == "bearer") return CredentialSource{};
              if (word) value.refuse(form, suggestion(word->text, {"bearer"}));
              return std::nullopt;
            }
            auto source = named.read(value);
            if (value.members().size() != 1) {
              value.complain("needs exactly one of header, query and cookie");
              return std::nullopt;
            }
            // No name: what stood there was at fault, and has been complained of.
            if (source && source->name.empty()) return std::nullopt;
            return source;
          },
          false, schema_of_any({schema_of_words({"bearer"}), named.schema})};
}

std::string fold(const CredentialSource& source) {
  return source.kind == Kind::header ? folded_header_name(source.name) : source.name;
}

std::optional<std::vector<CredentialSource>> each_once(const Value& value,
                                                       std::vector<Located<CredentialSource>> sources) {
  std::vector<CredentialSource> result;
  for (const auto& source : sources) {
    const auto is_same = [&source](const CredentialSource& other) {
      return other.kind == source.value.kind && fold(other) == fold(source.value);
    };
    if (std::any_of(result.begin(), result.end(), is_same)) {
      const auto name = source.value.kind == Kind::bearer ? "bearer" : source.value.name;
      value.complain_at(source.where, "the source " + quoted(name) + " is named twice");
      continue;
    }
    result.push_back(source.value);
  }
  return result;
}

constexpr std::size_t shortest_key = 20;
constexpr std::size_t longest_key = 256;
constexpr std::size_t longest_prefix = 32;

Parsed<std::string> parse_prefix(const std::string& text) {
  const bool fits = text.size() <= longest_prefix &&
                    text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~+/=-") ==
                        std::string::npos;
  if (!fits) return Fault{quoted(text) + " is no prefix of a key", "1 to 32 letters, digits or ._~+/=- will do"};
  return text;
}

// What is left after prefix and checksum has to hold the key itself.
std::optional<KeyFormatSettings> with_room_for_a_key(const Value& value, KeyFormatSettings format) {
  constexpr std::size_t checksum_characters = 6;
  const auto length = value.member("length");
  const auto taken = format.prefix.size() + (format.crc32_checksum ? checksum_characters : 0);
  if (length && format.length != 0 && format.length <= taken) {
    length->complain("a key of " + std::to_string(format.length) + " characters is no longer than its prefix" +
                     (format.crc32_checksum ? " and checksum" : ""));
  }
  return format;
}

Reader<KeyFormatSettings> format_reader() {
  using F = KeyFormatSettings;
  const auto environment = one_of<Environment>({{"live", Environment::live}, {"test", Environment::test}});
  const auto checksum = one_of<bool>({{"none", false}, {"crc32", true}});
  return then(object<F>({
                  required(key("prefix", &F::prefix, parsed<std::string>("a prefix", parse_prefix),
                               "what its keys begin with")),
                  key("environment", &F::environment, environment, "what its keys are for"),
                  key("length", &F::length, whole_number(shortest_key, longest_key), "characters, the prefix included"),
                  key("checksum", &F::crc32_checksum, checksum, "crc32: in the last 6 characters"),
              }),
              with_room_for_a_key);
}

std::optional<std::vector<KeyFormatSettings>> prefixes_once(const Value& value,
                                                            std::vector<KeyFormatSettings> formats) {
  for (auto one = formats.begin(); one != formats.end(); ++one) {
    const auto first = std::find_if(formats.begin(), one,
                                    [one](const KeyFormatSettings& other) { return other.prefix == one->prefix; });
    if (first == one || one->prefix.empty()) continue;
    value.complain_at(one->where, "the prefix " + quoted(one->prefix) + " is named twice",
                      "the first is on line " + std::to_string(first->where.line));
  }
  return formats;
}

std::optional<std::vector<AdminSecretSettings>> names_once(const Value& value,
                                                           std::vector<AdminSecretSettings> secrets) {
  for (auto one = secrets.begin(); one != secrets.end(); ++one) {
    const auto is_same = [one](const AdminSecretSettings& other) { return other.name == one->name; };
    if (std::find_if(secrets.begin(), one, is_same) != one) {
      value.complain_at(one->where, "the admin secret " + quoted(one->name) + " is named twice");
    }
  }
  return secrets;
}

}  // namespace

Reader<CredentialSettings> credentials_reader() {
  using C = CredentialSettings;
  return object<C>({
      key("sources", &C::sources, then(list_or_one(located(source_reader())), each_once),
          "where a credential is looked for, in order"),
      key("formats", &C::formats, then(list_of(format_reader()), prefixes_once),
          "what an API key looks like; none: every token is one"),
      key("forward", &C::forward, boolean(), "whether the credential goes to the upstream"),
      key("admin_secrets", &C::admin_secrets, then(list_of(admin_secret_reader()), names_once),
          "shared secrets with sight across organizations"),
  });
}

}  // namespace keygate::config
