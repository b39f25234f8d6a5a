// A head by which another proxy asks for a decision, in each dialect: what is taken is what stands there, once, by the
// grammar's reading of the head; nothing beside it names another request.
#include "policy/reserved_names.hpp"
#include "proxy/authorize.hpp"
#include "tests/fuzz/probe.hpp"
#include "tests/fuzz/strict_head.hpp"

#include <memory>
#include <string>

namespace keygate::fuzz {
namespace {

using config::DecisionDialect;

constexpr std::size_t most = 256;

std::string_view the_only(const StrictHead& strict, std::string_view name) {
  const auto values = strict.all(name);
  hold_equal(values.size(), 1, "what names a request stands once");
  hold(!values.front().empty(), "and says something");
  return values.front();
}

void check(DecisionDialect dialect, const std::string& sent) {
  static const policy::ReservedNames reserved({}, {});
  std::string bytes = sent;
  const auto head = std::make_unique<proxy::RequestHead>();
  if (proxy::read_request_head(bytes, {}, reserved, *head)) return;
  const std::string own_target(head->target.data(), head->target.size());
  const std::string own_method(head->method_word);
  if (proxy::take_original(dialect, bytes, most, *head)) return;

  const auto strict = strict_head(sent);
  hold(strict.has_value(), "the grammar takes what is taken");
  const std::string_view target(head->target.data(), head->target.size());
  hold(target.data() >= bytes.data() && target.data() + target.size() <= bytes.data() + bytes.size(),
       "the target is a part of the head");
  hold(!head->is_asterisk, "nothing is answered without being judged");
  switch (dialect) {
    case DecisionDialect::nginx:
      hold_equal(head->method_word, the_only(*strict, "x-original-method"), "the method is the named one");
      hold_equal(target, the_only(*strict, "x-original-uri"), "the target is the named one");
      // Empty too, as any request's may be: it is a host that no route names.
      hold_equal(strict->all("host").size(), 1, "the asker names one host");
      hold_equal(head->host, strict->all("host").front(), "the host is the asker's");
      break;
    case DecisionDialect::forwarded:
      hold_equal(head->method_word, the_only(*strict, "x-forwarded-method"), "the method is the named one");
      hold_equal(target, the_only(*strict, "x-forwarded-uri"), "the target is the named one");
      hold_equal(head->host, the_only(*strict, "x-forwarded-host"), "the host is the named one");
      break;
    case DecisionDialect::envoy:
      hold_equal(head->method_word, own_method, "the method is that of the line");
      hold_equal(target, own_target, "the target is that of the line");
      break;
  }
  hold_equal(policy::to_string(head->method), head->method_word, "the method is what its word says");
  hold(head->method_word != "TRACE" && head->method_word != "CONNECT", "neither TRACE nor CONNECT");
  for (const auto* name : {"x-original-method", "x-forwarded-method"}) {
    for (const auto value : strict->all(name)) hold_equal(value, head->method_word, "no dialect names another method");
  }
  for (const auto* name : {"x-original-uri", "x-forwarded-uri"}) {
    for (const auto value : strict->all(name)) hold_equal(value, target, "no dialect names another target");
  }
}

}  // namespace

void probe(std::string_view input) {
  for (const auto dialect : {DecisionDialect::nginx, DecisionDialect::forwarded, DecisionDialect::envoy}) {
    check(dialect, std::string(input));
  }
}

}  // namespace keygate::fuzz
