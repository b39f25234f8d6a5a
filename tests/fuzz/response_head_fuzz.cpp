// Whatever is accepted as a response head is read the same by Beast and by the grammar, and what concerns only the
// upstream's connection does not go on.
#include "proxy/response_head.hpp"
#include "tests/fuzz/beast_head.hpp"
#include "tests/fuzz/probe.hpp"
#include "tests/fuzz/strict_head.hpp"

#include <algorithm>
#include <memory>
#include <string>

namespace keygate::fuzz {
namespace {

using policy::Method;
using proxy::BodyFraming;
using proxy::ResponseHead;
using BeastResponse = BeastHead<false>;

// Beast insists on a blank behind the status, where RFC 9112 lets it be left out for want of a reason.
std::string as_beast_wants_it(std::string_view head) {
  std::string text(head);
  if (text.size() > 12 && text[12] == '\r') text.insert(12, " ");
  return text;
}

void check_gate(std::string_view head) {
  const bool passes = !proxy::response_flaw(head, proxy::max_response_fields);
  const auto strict = strict_head(head);
  const bool is_due = strict && strict_status_line(strict->start) &&
                      strict->fields.size() <= proxy::max_response_fields && strict->longest_line <= 8 * 1024 &&
                      strict->longest_name <= 256;
  hold_equal(passes, is_due, "the gate takes exactly what the grammar takes");
  for (std::size_t size = 0; passes && size <= std::min<std::size_t>(head.size(), 16); ++size) {
    hold(!proxy::is_no_response(head.substr(0, size)), "the beginning of a response may become one");
  }
}

// RFC 9112 §6.3, for a head that is accepted.
BodyFraming due_framing(const StrictHead& strict, unsigned status, Method method) {
  if (method == Method::head || status < 200 || status == 204 || status == 304) return BodyFraming::none;
  if (!strict.all("transfer-encoding").empty()) return BodyFraming::chunked;
  const auto lengths = strict.all("content-length");
  if (lengths.empty()) return BodyFraming::until_close;
  return lengths[0] == "0" ? BodyFraming::none : BodyFraming::length;
}

void check_body(const ResponseHead& read, const StrictHead& strict, const BeastResponse& beast, Method method) {
  hold(read.framing == due_framing(strict, static_cast<unsigned>(read.status), method),
       "the body ends where RFC 9112 says");
  const auto lengths = strict.all("content-length");
  const auto codings = strict.all("transfer-encoding");
  hold(lengths.size() + codings.size() <= 1, "one body length at most");
  if (!lengths.empty()) hold_equal(std::to_string(read.content_length), lengths[0], "a length has one spelling");
  if (!codings.empty()) hold_equal(lower(codings[0]), "chunked", "no other coding passes");
  if (read.has_content_length) hold_equal(lengths.size(), 1, "a length is only said where there is one");
  hold_equal(beast.chunked(), !codings.empty(), "Beast finds it chunked where we do");
  if (read.framing == BodyFraming::length) {
    hold(beast.content_length().has_value(), "Beast finds a length where we do");
    hold_equal(*beast.content_length(), read.content_length, "Beast reads the length that we read");
  }
}

bool is_this_hop_only(const std::string& name, const StrictHead& strict) {
  for (const std::string_view known : {"connection", "keep-alive", "proxy-connection", "proxy-authenticate", "te",
                                       "trailer", "upgrade", "transfer-encoding", "content-length"}) {
    if (name == known) return true;
  }
  const auto lists = strict.all("connection");
  return std::any_of(lists.begin(), lists.end(), [&](std::string_view list) {
    const auto named = elements(list);
    return std::find(named.begin(), named.end(), name) != named.end();
  });
}

void check_fields(const ResponseHead& read, const StrictHead& strict, const BeastResponse& beast) {
  hold_equal(read.field_count, strict.fields.size(), "as many fields as the grammar finds");
  hold_equal(read.field_count, beast.fields().size(), "as many fields as Beast finds");
  for (std::size_t i = 0; i < read.field_count; ++i) {
    hold_equal(read.fields[i].name, strict.fields[i].name, "the grammar's names, in their order");
    hold_equal(read.fields[i].value, strict.fields[i].value, "the grammar's values");
    hold_equal(beast.fields()[i].first, strict.fields[i].name, "Beast's names are the grammar's");
    hold_equal(beast.fields()[i].second, strict.fields[i].value, "Beast's values are the grammar's");
    hold_equal(read.is_kept[i], !is_this_hop_only(lower(read.fields[i].name), strict),
               "a field goes on unless it is meant for this hop alone");
  }
}

void check_accepted(std::string_view head, Method method, const ResponseHead& read) {
  const auto strict = strict_head(head);
  const auto line = strict ? strict_status_line(strict->start) : std::nullopt;
  hold(line.has_value(), "the grammar takes what we take");
  hold_equal(static_cast<unsigned>(read.status), line->status, "the grammar's status");
  hold_equal(read.reason, line->reason, "the grammar's reason");
  hold_equal(read.minor_version == 1 ? "HTTP/1.1" : "HTTP/1.0", line->version, "the grammar's version");
  hold(line->status >= 100 && line->status <= 599, "a status from 100 to 599");

  const BeastResponse beast(as_beast_wants_it(head));
  if (!beast.is_accepted()) broken("Beast takes what we take", beast.why());
  hold_equal(static_cast<unsigned>(beast.status()), line->status, "Beast reads the same status");
  hold_equal(beast.reason(), line->reason, "Beast reads the same reason");
  check_fields(read, *strict, beast);
  check_body(read, *strict, beast, method);
  for (const auto list : strict->all("connection")) {
    const auto options = elements(list);
    const bool has_close = std::find(options.begin(), options.end(), "close") != options.end();
    hold(!has_close || !read.keep_alive, "a connection that says close is not used again");
  }
}

}  // namespace

void probe(std::string_view input) {
  std::size_t searched = 0;
  const std::string_view head = input.substr(0, proxy::head_size(input, searched));
  check_gate(input);
  if (head.empty()) return;
  check_gate(head);
  for (const Method method : {Method::get, Method::head}) {
    const auto read = std::make_unique<ResponseHead>();
    if (const auto flaw = proxy::read_response_head(head, method, *read)) {
      hold(!flaw->empty(), "a refusal says why");
    } else {
      check_accepted(head, method, *read);
    }
  }
}

}  // namespace keygate::fuzz
