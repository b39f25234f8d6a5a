// What would become of this request? The steps of an exchange without a socket, a store or a clock: the same gate, head
// reader, canonical forms, route table, credential plan, decision and forwarded head. Pure; called by `keygate
// explain`.
#pragma once

#include "policy/decide.hpp"
#include "policy/path_changes.hpp"
#include "proxy/cross_origin.hpp"
#include "proxy/forwarding.hpp"
#include "proxy/header_work.hpp"
#include "proxy/judging.hpp"
#include "proxy/request_head.hpp"
#include "proxy/snapshot.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keygate::proxy {

// What stands for the request's id, which is a new one for each.
inline constexpr std::string_view rehearsed_request_id = "<new for each request>";
// The same of a trace that begins here, and of our span.
inline constexpr std::string_view rehearsed_trace_id = "<id of new trace, 32 hex digits>";
inline constexpr std::string_view rehearsed_span_id = "<id of new span>";

class Rehearsal {
 public:
  // `head`: the bytes that a client would send from `peer`; `is_secure`: over TLS, where it showed a certificate of
  // `client_subject`, if any. The snapshot outlives this.
  Rehearsal(const Snapshot& snapshot, std::string head, Address peer, bool is_secure = false,
            std::string client_subject = {});
  ~Rehearsal();  // wipes the head, which may hold a key
  Rehearsal(const Rehearsal&) = delete;
  Rehearsal& operator=(const Rehearsal&) = delete;

  // Whether all that is left to know is whose key or session it is: judge then needs an answer.
  bool needs_answer() const { return !reason_ && caller_.found == policy::Caller::Found::could_not_find_out; }

  // Decides, at `now` in unix seconds. `answer`: what a look-up says of the key; null: it could not find out.
  void judge(std::optional<policy::KeyAnswer> answer, std::int64_t now);

  // After judge. ok: granted, or `OPTIONS *`, or a preflight that is answered.
  policy::Reason reason() const { return *reason_; }
  std::string_view flaw() const { return flaw_; }  // what is wrong with a head, target or host; else empty

  bool is_asterisk() const { return head_->is_asterisk; }
  const RequestHead& head() const { return *head_; }
  std::string_view host() const { return host_; }  // canonical; empty: it was refused before that
  const std::optional<policy::RequestTarget>& target() const { return target_; }
  // What `paths` asks for and was done to it.
  const std::vector<policy::PathChange>& path_changes() const { return path_changes_; }
  policy::MatchInput match_input() const;  // where there is a target; of a preflight, the request that it asks about
  const std::optional<Preflight>& preflight() const { return preflight_; }  // one that route() answers
  const policy::Route* route() const { return route_; }
  const keys::Presented& presented() const { return presented_; }
  const policy::Caller& caller() const { return caller_; }
  policy::Reason shadowed() const { return shadowed_; }                  // what shadow mode has let through; or ok
  std::optional<std::size_t> upstream() const { return upstream_; }      // of a grant
  const std::optional<HeaderWork>& headers() const { return headers_; }  // of a grant
  const Snapshot& snapshot() const { return snapshot_; }

 private:
  std::optional<HeadRefusal> read();
  std::optional<HeadRefusal> read_otherwise();
  void forward(const policy::Grant& grant);
  void begin_trace(bool is_peer_trusted);

  const Snapshot& snapshot_;
  std::string bytes_;
  Address peer_;
  bool is_secure_ = false;
  std::string client_subject_;
  std::unique_ptr<RequestHead> head_ = std::make_unique<RequestHead>();
  std::array<char, 512> host_room_;
  std::string_view host_, flaw_;
  std::string reading_;
  std::optional<policy::RequestTarget> target_;
  std::vector<policy::PathChange> path_changes_;
  std::optional<Preflight> preflight_;
  const policy::Route* route_ = nullptr;
  keys::Presented presented_;
  policy::Caller caller_;
  std::optional<policy::KeyAnswer> answer_;
  policy::Held held_;
  std::optional<policy::Reason> reason_;  // once it is settled
  policy::Reason shadowed_ = policy::Reason::ok;
  std::optional<std::size_t> upstream_;
  std::optional<HeaderWork> headers_;
  ExchangeTrace trace_;
};

}  // namespace keygate::proxy
