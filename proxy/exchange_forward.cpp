#include "proxy/cross_origin.hpp"
#include "proxy/exchange.hpp"
#include "proxy/judging.hpp"
#include "proxy/tls_error.hpp"
#include "proxy/upgrade.hpp"
#include "proxy/upstream_error.hpp"

#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <tuple>

namespace keygate::proxy {
namespace {

using policy::Reason;

constexpr int max_interim = 8;
constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

Awaitable<After> Exchange::forward(const policy::Grant& grant) {
  upstream_ = generation_->upstreams[grant.upstream()];
  if (is_body_too_large(snapshot_, request_)) {
    keeps_client_ = false;
    co_return co_await deny(Reason::body_too_large);
  }
  is_forwarding_ = true;
  if (room_.trace.is_recorded) {
    room_.trace.upstream_began = SteadyClock::now();
  }
  shadowed_ = grant.shadowed();
  is_request_body_done_ = !request_.has_body();
  request_left_ = request_.content_length;
  const bool is_watched = record_ && grant.principal() != nullptr;
  if (is_watched && caller_.kind == policy::CredentialKind::api_key) {
    worker_.note_use(digest_, std::chrono::duration_cast<std::chrono::seconds>(began_at_.time_since_epoch()).count(),
                     grant.route().scopes_text);
  }
  if (is_watched) {
    vigil_.begin({snapshot_, route_, *target_, caller_, *record_, digest_, presented_.secret});
  }
  unsigned tries_left = 1 + upstream_->settings().retry_attempts;
  Tried tried = Tried::may_retry;
  bool must_be_new = false;
  while (tried == Tried::may_retry && tries_left > 0 && !client_.has_left && !client_.was_cut) {
    --tries_left;
    ++tries_;
    connection_.reset();
    if (!upstream_->choose(choice_)) {
      connect_error_ = UpstreamError::none_healthy;
      break;
    }
    if (!must_be_new) {
      connection_ = choice_.endpoint->take_idle();
    }
    if (!connection_) {
      const bool is_connected = co_await connect(must_be_new);
      if (!is_connected) {
        tries_left = connect_error_ == UpstreamError::full ? 0 : tries_left;
        continue;  // nothing has been sent: the next try is as good as the first
      }
      if (client_.has_left || client_.was_cut) {
        break;  // its key was revoked meanwhile, say: nothing is sent any more
      }
    }
    must_be_new = true;  // an idle connection that had gone stale is seldom the only one
    const bool is_sent = co_await send_request(grant);
    if (!is_sent && may_resend()) {
      continue;
    }
    if (!is_sent && upload_.failure) {
      tried = Tried::failed;
      continue;
    }
    if (!is_sent) {
      // The upstream has stopped reading; it may have said why before it did.
      worker_.arm(connection_->deadline, upstream_->settings().response_header_timeout);
    }
    client_.awaited = connection_.get();
    tried = co_await receive_head();
    client_.awaited = nullptr;
  }
  if (tried != Tried::answered) {
    co_return co_await fail_upstream();
  }
  if (response_.status == 101) {
    co_return co_await switch_protocols();
  }
  co_return co_await return_response();
}

// Into connection_. False: none could be had; connect_error_ says why.
Awaitable<bool> Exchange::connect(bool must_be_new) {
  connection_ = std::make_unique<UpstreamConnection>(worker_.io, *choice_.endpoint);
  client_.awaited = connection_.get();
  connect_error_ = co_await upstream_->connect(connection_, must_be_new);
  client_.awaited = nullptr;
  if (connect_error_) {
    connection_.reset();
    co_return false;
  }
  co_return true;
}

// Nothing has come back, nothing of a body has been used up, and doing it twice does no more than doing it once (N-12).
bool Exchange::may_resend() const {
  return connection_->is_reused && !connection_->has_timed_out && !has_answer_begun_ && !client_.has_left &&
         !client_.was_cut && policy::is_idempotent(request_.method) && !request_.has_body();
}

// Head, and as much of the body as has come with it, in one write; the rest of the body follows beside the response.
Awaitable<bool> Exchange::send_request(const policy::Grant& grant) {
  const bool keeps_host = upstream_->settings().preserve_host;
  const std::string_view client_host = host_with_port(request_, host_, room_.host);
  const ForwardFacts facts{.snapshot = snapshot_,
                           .head = request_,
                           .target = *target_,
                           .host = keeps_host ? client_host : std::string_view(connection_->endpoint.authority()),
                           .client_host = client_host,
                           .peer = client_.peer_text,
                           .is_peer_v6 = client_.peer.is_v6(),
                           .is_secure = client_.stream.is_secure(),
                           .is_peer_trusted = is_peer_trusted_,
                           .request_id = request_id_,
                           .is_degraded = record_ && record_->is_stale,
                           .trace = room_.trace.is_on ? &room_.trace : nullptr};
  const std::size_t bound = forward_head_bound(facts, grant);
  if (out_.capacity() < bound) {
    out_ = worker_.buffers.lease(bound);
  }
  const std::size_t head_size = write_forward_head(facts, grant, out_.span());
  const std::string_view unread = client_.unread();
  ToSend message;
  message.add({out_.data(), head_size});
  if (request_.has_body() && !is_request_body_done_ && !unread.empty()) {
    const std::size_t first = take_first_body({client_.in.data() + client_.begin, unread.size()});
    if (upload_.failure) {
      co_return false;
    }
    message.add(unread.substr(0, first));
  }
  connection_->limit_send(worker_, upstream_->settings().idle_timeout);
  // Nearly always all of it is taken at once, without the bookkeeping of a write in parts.
  error_code error;
  std::size_t sent = 0;
  std::tie(error, sent) = co_await connection_->stream.send_some(message);
  if (!error && sent < message.size()) {
    const ToSend rest = message.after(sent);
    error = std::get<0>(co_await connection_->stream.send(rest));
  }
  connection_->send_deadline.disarm();
  if (error) {
    co_return false;
  }
  request_sent_ = SteadyClock::now();
  if (is_request_body_done_) {
    worker_.arm(connection_->deadline, upstream_->settings().response_header_timeout);
    co_return true;
  }
  // Said before anything else can be on its way to the client, and only to one that waits for it.
  if (request_.expects_continue && bytes_in_ == 0) {
    const bool is_told = co_await send_to_client(continue_line);
    if (!is_told) {
      upload_.failure = Reason::client_closed;
      co_return false;
    }
  }
  start_upload();
  co_return true;
}

// The part of the body that came with the head: `bytes` is what stands behind it. Returns how many bytes at its start
// are to be sent; steps the client over what was used.
std::size_t Exchange::take_first_body(std::span<char> bytes) {
  if (!request_.is_chunked) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(request_left_, bytes.size()));
    request_left_ -= size;
    bytes_in_ += size;
    is_request_body_done_ = request_left_ == 0;
    client_.skip(size);
    return size;
  }
  const ChunkFilter::Step step = request_chunks_.feed(bytes);
  bytes_in_ += step.data;
  if (step.is_flawed) {
    upload_.failure = Reason::bad_request;
    return 0;
  }
  if (bytes_in_ > snapshot_.settings->limits.body_bytes) {
    upload_.failure = Reason::body_too_large;
    return 0;
  }
  is_request_body_done_ = step.is_done;
  client_.skip(step.consumed);
  return step.produced;
}

// Reads until a final response head stands at the start of answer_; interim ones go on as they come.
Awaitable<Exchange::Tried> Exchange::receive_head() {
  if (!answer_) {
    answer_ = worker_.buffers.lease();
  }
  answer_end_ = 0;
  std::size_t searched = 0;
  while (true) {
    const std::string_view bytes(answer_.data(), answer_end_);
    answer_head_ = head_size(bytes, searched);
    if (answer_head_ > 0) {
      if (const auto flaw = read_response_head(bytes.substr(0, answer_head_), request_.method, response_)) {
        upstream_flaw_ = *flaw;
        co_return Tried::failed;
      }
      if (!response_.is_interim()) {
        note_final_head();
        co_return Tried::answered;
      }
      if (response_.status == 101 && request_.is_upgrade) {
        if (const auto flaw = judge_switch(request_, response_)) {
          upstream_flaw_ = *flaw;
          co_return Tried::failed;
        }
        note_final_head();
        co_return Tried::answered;
      }
      if (!co_await pass_interim()) {
        co_return Tried::failed;
      }
      searched = 0;
      continue;
    }
    if (is_no_response(bytes)) {
      upstream_flaw_ = "not an HTTP response";
      co_return Tried::failed;
    }
    if (answer_end_ == answer_.capacity()) {
      if (answer_end_ >= max_response_head) {
        upstream_flaw_ = "response head too large";
        co_return Tried::failed;
      }
      Buffer larger = worker_.buffers.lease(max_response_head);
      std::memcpy(larger.data(), answer_.data(), answer_end_);
      answer_ = std::move(larger);
    }
    const auto [error, size] = co_await connection_->stream.read_some(
        net::buffer(answer_.data() + answer_end_, answer_.capacity() - answer_end_));
    if (error) {
      connect_error_ = error == TlsError::alert ? error : error_code{};
      co_return may_resend() ? Tried::may_retry : Tried::failed;
    }
    has_answer_begun_ = true;
    answer_end_ += size;
  }
}

void Exchange::note_final_head() {
  if (route_->cors) {
    drop_cors_fields(response_);
  }
  has_final_head_ = true;
  connection_->deadline.disarm();
  upstream_wait_ = SteadyClock::now() - request_sent_;
  upstream_->times->add(upstream_wait_);
}

// One interim response at the start of answer_: on to a client that can take it, then out of the buffer. False: one too
// many, a protocol switch that nobody asked for, or the client has gone.
Awaitable<bool> Exchange::pass_interim() {
  if (response_.status == 101 || ++interim_count_ > max_interim) {
    upstream_flaw_ = response_.status == 101 ? "101 to a request that was no upgrade" : "too many interim responses";
    co_return false;
  }
  const bool goes_on = request_.minor_version == 1 && response_.status != 100;
  if (goes_on) {
    Buffer room = worker_.buffers.lease(return_head_bound(response_));
    const std::size_t size = write_interim_head(response_, room.span());
    if (!co_await send_to_client({room.data(), size})) {
      client_.has_left = true;
      co_return false;
    }
  }
  std::memmove(answer_.data(), answer_.data() + answer_head_, answer_end_ - answer_head_);
  answer_end_ -= answer_head_;
  co_return true;
}

}  // namespace keygate::proxy
