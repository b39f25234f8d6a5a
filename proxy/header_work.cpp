#include "proxy/header_work.hpp"

#include "proxy/continued_trace.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace keygate::proxy {
namespace {

using Lines = std::vector<std::string>;

struct Written {
  std::string target;
  Lines lines;
  bool operator==(const Written&) const = default;
};

Written write(const ForwardFacts& facts, const policy::Grant& grant) {
  std::string room(forward_head_bound(facts, grant), '\0');
  room.resize(write_forward_head(facts, grant, room));
  Written written;
  const std::size_t begin = room.find(' ') + 1;
  written.target = room.substr(begin, room.find(' ', begin) - begin);
  for (std::size_t at = room.find("\r\n") + 2; at + 2 < room.size();) {
    const std::size_t end = room.find("\r\n", at);
    written.lines.push_back(room.substr(at, end - at));
    at = end + 2;
  }
  return written;
}

RequestHead without(const RequestHead& head, std::size_t field) {
  RequestHead less = head;
  for (std::size_t i = field; i + 1 < head.field_count; ++i) {
    less.fields[i] = head.fields[i + 1];
    less.fates[i] = head.fates[i + 1];
  }
  --less.field_count;
  return less;
}

ForwardFacts with_head(const ForwardFacts& facts, const RequestHead& head) {
  return {.snapshot = facts.snapshot,
          .head = head,
          .target = facts.target,
          .host = facts.host,
          .client_host = facts.client_host,
          .peer = facts.peer,
          .is_peer_v6 = facts.is_peer_v6,
          .is_secure = facts.is_secure,
          .is_peer_trusted = facts.is_peer_trusted,
          .request_id = facts.request_id,
          .is_degraded = facts.is_degraded,
          .trace = facts.trace};
}

std::string_view name_in(std::string_view line) { return line.substr(0, line.find(':')); }

bool is_named(std::string_view line, std::string_view name) {
  return policy::folds_alike(name_in(line), name) && name_in(line).size() == name.size();
}

// Takes the first line for which `is_it` holds out of `lines`.
template <class Is>
std::optional<std::string> take(Lines& lines, Is is_it) {
  const auto found = std::ranges::find_if(lines, is_it);
  if (found == lines.end()) {
    return std::nullopt;
  }
  std::string line = std::move(*found);
  lines.erase(found);
  return line;
}

std::string why_forwarding_is_stripped(const ForwardFacts& facts) {
  return facts.is_peer_trusted ? "it could name another request than the one that was decided on"
                               : "the peer is none of trusted_proxies, and anybody can claim this";
}

std::string why_trace_is_said_anew(const ExchangeTrace& trace, std::string_view name) {
  const bool is_parent = equals_ignoring_case(name, "traceparent");
  if (!trace.has_parent) {
    return is_parent ? "it is no trace context: a trace begins here" : "it belongs to no trace";
  }
  if (is_parent) {
    return "its trace goes on, with our span in between";
  }
  return trace.state.text().empty() ? "a member of it is malformed" : "said anew as one line, as far as it is kept";
}

std::string why_stripped(const ForwardFacts& facts, std::size_t field) {
  if (facts.trace != nullptr && is_trace_context(facts.head.fields[field].name)) {
    return why_trace_is_said_anew(*facts.trace, facts.head.fields[field].name);
  }
  switch (facts.snapshot.reserved.classify(facts.head.fields[field].name)) {
    case policy::NameClass::identity:
      return "only Keygate may say this";
    case policy::NameClass::credential:
      return "the credential stays here";
    case policy::NameClass::forwarding:
      return why_forwarding_is_stripped(facts);
    case policy::NameClass::framing:
      return "it is about this connection only";
    case policy::NameClass::plain:
      break;
  }
  if (policy::folds_alike(facts.head.fields[field].name, "authorization")) {
    return "the upstream is sent a token of its own";
  }
  return facts.head.fates[field] == FieldFate::cookie ? "the credential was all it held" : "Connection names it";
}

// A trace's state that goes on as it came is as good as kept.
void settle_trace(const ForwardFacts& facts, const std::string& line, Lines& added, SentHeader& sent) {
  const bool is_said_anew = facts.trace != nullptr && is_trace_context(sent.name);
  if (is_said_anew && take(added, [&](const std::string& other) { return other == line; })) {
    sent.fate = HeaderFate::kept;
    sent.why.clear();
  }
}

// What is asked about this connection is said anew to the next one: no loss, unless it is said otherwise.
void settle_framing(const ForwardFacts& facts, std::size_t field, const std::string& line, Lines& added,
                    SentHeader& sent) {
  const auto name_class = facts.snapshot.reserved.classify(sent.name);
  if (sent.fate != HeaderFate::stripped || name_class != policy::NameClass::framing) {
    return;
  }
  const auto anew = take(added, [&](const std::string& other) { return is_named(other, sent.name); });
  if (!anew) {
    return;
  }
  sent.fate = *anew == line || facts.head.fates[field] == FieldFate::drop ? HeaderFate::kept : HeaderFate::rewritten;
  const bool is_own = facts.host == facts.client_host;
  sent.why = sent.fate == HeaderFate::kept ? ""
             : is_own                      ? "in the one form that hosts have"
                                           : "the upstream's own name";
}

}  // namespace

HeaderWork header_work(const ForwardFacts& facts, const policy::Grant& grant) {
  const Written full = write(facts, grant);
  HeaderWork work{full.target, {}, {}};
  Lines added = full.lines;
  Lines sent_lines;
  for (std::size_t i = 0; i < facts.head.field_count; ++i) {
    const policy::HeaderField& field = facts.head.fields[i];
    const std::string line = std::string(field.name) + ": " + std::string(field.value);
    const RequestHead less = without(facts.head, i);
    const Written reduced = write(with_head(facts, less), grant);
    SentHeader sent{std::string(field.name), HeaderFate::kept, {}};
    if (reduced == full) {
      sent.fate = HeaderFate::stripped;
      sent.why = why_stripped(facts, i);
    } else if (std::ranges::count(full.lines, line) > std::ranges::count(reduced.lines, line)) {
      take(added, [&](const std::string& other) { return other == line; });
    } else {
      sent.fate = HeaderFate::rewritten;
      sent.why = "less the credential";
      take(added, [&](const std::string& other) { return is_named(other, field.name); });
    }
    sent_lines.push_back(line);
    work.sent.push_back(std::move(sent));
  }
  for (std::size_t i = 0; i < work.sent.size(); ++i) {
    settle_framing(facts, i, sent_lines[i], added, work.sent[i]);
    settle_trace(facts, sent_lines[i], added, work.sent[i]);
  }
  for (const std::string& line : added) {
    work.added.push_back({std::string(name_in(line)), line.substr(line.find(':') + 2)});
  }
  return work;
}

}  // namespace keygate::proxy
