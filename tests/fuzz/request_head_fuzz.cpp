// Whatever is accepted as a request head is read the same by Beast and by the grammar: method, target, version, fields
// in their order, where the body ends, and where the head does. We may refuse more than Beast, never read it otherwise.
#include "policy/reserved_names.hpp"
#include "proxy/request_head.hpp"
#include "tests/fuzz/beast_head.hpp"
#include "tests/fuzz/probe.hpp"
#include "tests/fuzz/strict_head.hpp"

#include <memory>
#include <vector>

namespace keygate::fuzz {
namespace {

using BeastRequest = BeastHead<true>;

// What the gate lets through can still be refused for what its fields mean. Beast knows these meanings too.
bool is_about_meaning(const std::string& why, const StrictHead& strict) {
  const bool has_list =
      !strict.all("connection").empty() || !strict.all("proxy-connection").empty() || !strict.all("upgrade").empty();
  return why == "bad Content-Length" || why == "bad Transfer-Encoding" || why == "multiple Content-Length" ||
         (why == "bad value" && has_list);
}

// The gate alone against Beast: they agree on the lines.
void check_gate(std::string_view bytes, std::string_view head) {
  const auto gate = proxy::pass_request_gate(head, {});
  if (gate.flaw) return;
  const auto strict = strict_head(head);
  hold(strict.has_value(), "the grammar takes what the gate takes");
  const BeastRequest beast(bytes);
  if (!beast.is_accepted()) {
    if (!is_about_meaning(beast.why(), *strict)) broken("Beast takes what the gate takes", beast.why());
    return;
  }
  hold_equal(beast.size(), head.size(), "Beast ends the head where we do");
  hold_equal(beast.method(), gate.line.method, "Beast reads the method that the gate reads");
  hold_equal(beast.target(), gate.line.target, "Beast reads the target that the gate reads");
  hold_equal(static_cast<unsigned>(beast.version()), 10U + static_cast<unsigned>(gate.line.minor_version),
             "Beast reads the version that the gate reads");
  hold_equal(beast.fields().size(), strict->fields.size(), "Beast reads as many fields as the grammar");
  for (std::size_t i = 0; i < strict->fields.size(); ++i) {
    hold_equal(beast.fields()[i].first, strict->fields[i].name, "Beast reads the field names, in their order");
    hold_equal(beast.fields()[i].second, strict->fields[i].value, "Beast reads the field values");
  }
}

// Max-Forwards of an OPTIONS is one less; at 0 the request goes no further.
bool is_one_less(const proxy::RequestHead& head, std::string_view name, std::string_view now, std::string_view before) {
  return head.method == policy::Method::options && lower(name) == "max-forwards" &&
         (head.is_asterisk || std::stoul(std::string(now)) + 1 == std::stoul(std::string(before)));
}

// A field that Connection names is emptied; of all others name and value stay what they are, but for one.
void check_fields(const proxy::RequestHead& head, const BeastRequest& beast) {
  hold_equal(head.field_count, beast.fields().size(), "as many fields as Beast reads");
  for (std::size_t i = 0; i < head.field_count; ++i) {
    if (head.fates[i] == proxy::FieldFate::drop && head.fields[i].name.empty()) continue;
    hold_equal(head.fields[i].name, beast.fields()[i].first, "the field names that Beast reads, in their order");
    if (!is_one_less(head, head.fields[i].name, head.fields[i].value, beast.fields()[i].second)) {
      hold_equal(head.fields[i].value, beast.fields()[i].second, "the field values that Beast reads");
    }
  }
}

void check_body(const proxy::RequestHead& head, const BeastRequest& beast, const StrictHead& strict) {
  hold(!(head.is_chunked && head.has_content_length), "one body length at most");
  hold_equal(head.is_chunked, beast.chunked(), "Beast finds it chunked where we do");
  const auto length = beast.content_length();
  hold_equal(head.has_content_length, length.has_value(), "Beast finds a length where we do");
  if (length) hold_equal(head.content_length, *length, "Beast reads the length that we read");

  const auto lengths = strict.all("content-length");
  const auto codings = strict.all("transfer-encoding");
  hold_equal(lengths.size(), head.has_content_length ? 1 : 0, "Content-Length stands once where there is one");
  hold_equal(codings.size(), head.is_chunked ? 1 : 0, "Transfer-Encoding stands once where it is chunked");
  if (!lengths.empty()) hold_equal(std::to_string(head.content_length), lengths[0], "a length has one spelling");
  if (!codings.empty()) hold_equal(lower(codings[0]), "chunked", "no other coding passes");
  hold(!head.is_chunked || head.minor_version == 1, "HTTP/1.0 knows no chunks");
}

bool is_under(std::string_view target, const proxy::RequestHead& head) {
  const std::string_view raw(head.target.data(), head.target.size());
  if (target == raw) return true;
  const auto form = lower(target.substr(0, 8));
  // An absolute form: what is left is its end, where the first slash may have been put for an empty path.
  return (form.starts_with("http://") || form == "https://") && raw.starts_with('/') &&
         target.substr(target.size() - raw.size() + 1) == raw.substr(1);
}

const policy::ReservedNames& reserved() {
  static const policy::ReservedNames names{config::IdentityHeaderSettings{}, config::CredentialSettings{}};
  return names;
}

void check_accepted(std::string_view bytes, std::string_view head, const proxy::RequestHead& read) {
  const BeastRequest beast(bytes);
  if (!beast.is_accepted()) broken("Beast takes what we take", beast.why());
  hold_equal(beast.size(), head.size(), "Beast ends the head where we do");
  const auto strict = strict_head(head);
  hold(strict && strict_request_line(strict->start), "the grammar takes what we take");
  hold_equal(read.method_word, beast.method(), "Beast reads the method that we read");
  hold_equal(10U + static_cast<unsigned>(read.minor_version), static_cast<unsigned>(beast.version()),
             "Beast reads the version that we read");
  hold(is_under(beast.target(), read), "the target is Beast's, or the path of its URL");
  check_fields(read, beast);
  check_body(read, beast, *strict);
  hold_equal(strict->all("host").size(), 1, "exactly one Host");
  hold_equal(read.host, strict->all("host")[0], "and it is the one that was read");
  hold(!read.keep_alive || beast.keep_alive(), "a connection that Beast would close is not kept");
}

}  // namespace

void probe(std::string_view input) {
  input.remove_prefix(proxy::leading_blank_size(input));
  std::size_t searched = 0;
  const std::string_view head = input.substr(0, proxy::head_size(input, searched));
  if (head.empty()) return;
  check_gate(input, head);

  const auto read = std::make_unique<proxy::RequestHead>();
  std::vector<char> room(head.begin(), head.end());  // the target is settled in place
  if (const auto refusal = proxy::read_request_head(room, {}, reserved(), *read)) {
    hold(!refusal->what.empty(), "a refusal says why");
    return;
  }
  check_accepted(input, head, *read);
}

}  // namespace keygate::fuzz
