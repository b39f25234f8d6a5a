// One request and its answer, from the head's bytes to the Outcome. Reads as docs/life-of-a-request.md does: judge
// (exchange.cpp), forward (_forward), return the response (_return), bodies (_body). One at a time a client.
#pragma once

#include "policy/decide.hpp"
#include "proxy/chunk_filter.hpp"
#include "proxy/client.hpp"
#include "proxy/exchange_parts.hpp"
#include "proxy/forward_head.hpp"
#include "proxy/return_head.hpp"
#include "proxy/to_send.hpp"
#include "proxy/vigil.hpp"
#include "telemetry/outcome.hpp"

#include <memory>
#include <optional>

namespace keygate::proxy {

// What happens to the client's connection next.
enum class After : std::uint8_t {
  keep,    // the next request may be read
  linger,  // say that we are done, take what still comes for a moment: a reset would eat the answer
  close,   // at once
};

class Exchange {
 public:
  Exchange(Client& client, ExchangeParts& room, std::shared_ptr<const Generation> generation);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  // Serves the head that stands in the client's first `head_size` unread bytes. Reports one Outcome.
  Awaitable<After> run(std::size_t head_size);

  // Answers a head that never became whole: too large, or too slow.
  Awaitable<After> refuse(policy::Reason reason);

 private:
  // A request body that did not come whole with its head, on its way up beside the response.
  struct Upload {
    bool is_running = false;
    bool is_stopped = false;                // the response is complete: no more is wanted
    std::optional<policy::Reason> failure;  // of the client's making; an upstream that stops reading is none
    Buffer rest;                            // what was read past the end of a chunked body
    std::size_t rest_begin = 0, rest_end = 0;
  };

  // What came of a try to get a response head.
  enum class Tried : std::uint8_t { answered, may_retry, failed };

  // exchange.cpp: judging. All but look_up are synchronous.
  std::optional<policy::Reason> read_head(std::span<char> head);
  void adopt_request_id();
  std::optional<policy::Reason> canonicalise();
  void extract();
  Awaitable<void> look_up();
  void take_record(std::shared_ptr<const keys::Record> record);
  policy::Decision judge() const;
  // exchange_limits.cpp
  bool is_limited(const policy::Principal* principal) const;
  Awaitable<bool> pass_limits(const policy::Principal* principal);
  bool has_changed_meanwhile();
  // exchange_reply.cpp
  Awaitable<After> deny(policy::Reason reason, std::string_view proxy_error = {});
  Awaitable<After> answer_locally();
  Awaitable<bool> send_to_client(std::string_view bytes);
  void finish(policy::Reason reason, int status);
  bool may_keep_client() const;
  Address client_address() const;
  bool step_over_body();
  void wipe_head();
  // exchange_forward.cpp
  Awaitable<After> forward(const policy::Grant& grant);
  Awaitable<bool> connect(bool must_be_new);
  std::size_t take_first_body(std::span<char> bytes);
  Awaitable<bool> send_request(const policy::Grant& grant);
  Awaitable<Tried> receive_head();
  Awaitable<bool> pass_interim();
  void note_final_head();
  bool may_resend() const;
  // exchange_return.cpp
  Awaitable<After> fail_upstream();
  Awaitable<After> return_response();
  Awaitable<After> switch_protocols();
  bool upstream_is_reusable(bool is_complete) const;
  policy::Reason leaving_reason() const;
  // exchange_body.cpp
  void start_upload();
  Awaitable<void> upload();
  Awaitable<void> upload_rest();
  Awaitable<void> join_upload();
  Awaitable<bool> return_body(std::string_view pending, std::string_view first);
  ToSend gather(std::string_view head, std::string_view body, std::string_view chunk_size);

  Worker& worker_;
  Client& client_;
  ExchangeParts& room_;
  RequestHead& request_;    // in room_
  ResponseHead& response_;  // in room_
  const std::shared_ptr<const Generation> generation_;
  const Snapshot& snapshot_;
  std::span<char> head_bytes_;
  SteadyClock::time_point began_, request_sent_;
  std::chrono::system_clock::time_point began_at_;
  std::chrono::nanoseconds auth_time_{0}, upstream_wait_{-1};
  std::string_view request_id_, host_, source_;
  std::optional<policy::RequestTarget> target_;
  const policy::Route* route_ = nullptr;
  keys::Presented presented_;
  keys::KeyDigest digest_;
  policy::Caller caller_;
  std::shared_ptr<const keys::Record> record_;
  policy::Held own_held_;
  Vigil vigil_;
  bool keeps_client_ = true, is_peer_trusted_ = false;

  // forwarding
  std::shared_ptr<Upstream> upstream_;
  Upstream::Choice choice_;
  std::unique_ptr<UpstreamConnection> connection_;
  error_code connect_error_;
  Buffer out_;
  Buffer answer_;                                             // what the upstream sent and we have not passed on
  std::size_t answer_end_ = 0, answer_head_ = 0;              // bytes in it; of these the response head
  bool has_answer_begun_ = false, has_answer_more_ = false;   // more: beyond its response
  bool has_final_head_ = false, is_head_sent_ = false;        // of the response: from here on nothing else can be said
  bool is_forwarding_ = false, is_request_body_done_ = true;  // forwarding: the request body is no longer untouched
  std::string_view upstream_flaw_;
  int interim_count_ = 0;
  ChunkFilter request_chunks_, response_chunks_;
  policy::Reason shadowed_ = policy::Reason::ok;  // what a route in shadow mode would have refused it for
  Upload upload_;
  std::unique_ptr<SteadyTimer> upload_ended_;
  std::uint64_t request_left_ = 0, bytes_in_ = 0, bytes_out_ = 0;  // left: of a counted body still to come; of bodies
};

// An exchange's memory, kept by the worker between exchanges so that an idle client holds none.
struct ExchangeRoom {
  ExchangeParts parts;
  std::optional<Exchange> exchange;
};

}  // namespace keygate::proxy
