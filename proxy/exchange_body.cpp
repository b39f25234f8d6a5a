#include "proxy/body_pace.hpp"
#include "proxy/exchange.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>
#include <tuple>

namespace keygate::proxy {
namespace {

using policy::Reason;

constexpr std::uint64_t bulk_after = 1U << 20U;  // a body past this length gets a large buffer
constexpr std::size_t copied_body = 4 * 1024;    // up to this much is cheaper to copy behind the head than to gather

// "5f\r\n" before a chunk of our own making.
class ChunkSizeLine {
 public:
  std::string_view of(std::size_t size) {
    char* end = std::to_chars(text_.data(), text_.data() + 16, size, 16).ptr;
    *end++ = '\r';
    *end++ = '\n';
    return {text_.data(), static_cast<std::size_t>(end - text_.data())};
  }

 private:
  std::array<char, 20> text_;
};

}  // namespace

// The rest of the request body goes up in a coroutine of its own, so that a response that comes early is passed on
// while the client still sends. join_upload waits for its end; until then this exchange stays.
void Exchange::start_upload() {
  upload_.is_running = true;
  upload_ended_ = std::make_unique<SteadyTimer>(worker_.io, SteadyClock::time_point::max());
  net::co_spawn(worker_.io, upload(), [this](const std::exception_ptr& thrown) {
    if (thrown) {
      upload_.failure = Reason::upstream_unreachable;
      connection_->abort();
    }
    upload_.is_running = false;
    upload_ended_->cancel();
  });
}

Awaitable<void> Exchange::upload() {
  co_await upload_rest();
  if (upload_.failure && !upload_.is_stopped) {
    connection_->abort();  // the upstream must not take what it has for the whole
    co_return;
  }
  if (!upload_.is_stopped && !has_final_head_) {
    // From here on it is the upstream's turn, whether it has read everything or has stopped reading.
    request_sent_ = SteadyClock::now();
    worker_.arm(connection_->deadline, upstream_->settings().response_header_timeout);
  }
}

Awaitable<void> Exchange::upload_rest() {
  const config::LimitSettings& limits = snapshot_.settings->limits;
  Buffer buffer = worker_.buffers.lease();
  BodyPace pace(limits);
  while (!is_request_body_done_ && !upload_.is_stopped) {
    if (bytes_in_ > bulk_after && buffer.capacity() == BufferPool::small_size) {
      if (Buffer bulk = worker_.buffers.lease_bulk()) {
        buffer = std::move(bulk);
      }
    }
    const std::size_t room = request_.is_chunked
                                 ? buffer.capacity()
                                 : static_cast<std::size_t>(std::min<std::uint64_t>(request_left_, buffer.capacity()));
    client_.limit(pace.longest_wait());
    const auto asked = SteadyClock::now();
    const auto [read_error, size] = co_await client_.stream.read_some(net::buffer(buffer.data(), room));
    client_.unlimit();
    if (upload_.is_stopped) {
      co_return;
    }
    if (read_error) {
      upload_.failure = client_.has_timed_out ? Reason::request_timeout : Reason::client_closed;
      co_return;
    }
    std::size_t to_send = size;
    bool is_last = false;
    if (request_.is_chunked) {
      const ChunkFilter::Step step = request_chunks_.feed({buffer.data(), size});
      bytes_in_ += step.data;
      to_send = step.produced;
      if (step.is_flawed) {
        upload_.failure = Reason::bad_request;
        co_return;
      }
      is_last = step.is_done;
      upload_.rest_begin = step.consumed;
      upload_.rest_end = size;
    } else {
      bytes_in_ += size;
      request_left_ -= size;
      is_last = request_left_ == 0;
    }
    const auto waited = std::chrono::duration_cast<BodyPace::Micros>(SteadyClock::now() - asked);
    if (!pace.note(size, waited) && !is_last) {
      upload_.failure = Reason::request_timeout;
      co_return;
    }
    if (bytes_in_ > limits.body_bytes) {
      upload_.failure = Reason::body_too_large;
      co_return;
    }
    connection_->limit_send(worker_, upstream_->settings().idle_timeout);
    const std::string_view piece(buffer.data(), to_send);
    const auto [write_error, sent] = co_await connection_->stream.send(piece);
    connection_->send_deadline.disarm();
    if (write_error) {
      co_return;  // not done: its answer, if there is one, is still worth passing on (F-34)
    }
    is_request_body_done_ = is_last;
  }
  if (upload_.rest_end > upload_.rest_begin) {
    upload_.rest = std::move(buffer);
  }
}

// Ends the upload, then waits until it has let go of both sockets. What it read beyond the body becomes the client's
// next unread bytes.
Awaitable<void> Exchange::join_upload() {
  if (upload_.is_running) {
    upload_.is_stopped = true;
    is_request_body_done_ = false;
    client_.stream.cancel();
  }
  while (upload_.is_running) {
    co_await upload_ended_->async_wait(use_tuple);
  }
}

// The head in `pending` and the whole body, of which `first` has come with the head. False: it broke off, on either
// side.
Awaitable<bool> Exchange::return_body(std::string_view pending, std::string_view first) {
  const BodyDelivery delivery = delivery_of(response_, request_);
  const bool is_chunked = response_.framing == BodyFraming::chunked;
  response_chunks_ = ChunkFilter(delivery != BodyDelivery::chunks ? ChunkFraming::strip
                                 : request_.accepts_trailers      ? ChunkFraming::keep_trailers
                                                                  : ChunkFraming::keep);
  std::uint64_t left = response_.framing == BodyFraming::length ? response_.content_length : 0;
  bool is_done = delivery == BodyDelivery::none;
  has_answer_more_ = is_done && !first.empty();
  std::span<char> piece{answer_.data() + answer_head_, is_done ? 0 : first.size()};
  bool has_piece = !piece.empty();
  Buffer bulk;
  ChunkSizeLine size_line;
  while (true) {
    // What of this piece goes on.
    std::size_t produced = 0;
    if (has_piece) {
      if (is_chunked) {
        const ChunkFilter::Step step = response_chunks_.feed(piece);
        if (step.is_flawed) {
          upstream_flaw_ = "malformed chunk";
          co_return false;
        }
        produced = step.produced;
        bytes_out_ += step.data;
        is_done = step.is_done;
        has_answer_more_ = step.consumed < piece.size();
      } else if (response_.framing == BodyFraming::length) {
        produced = static_cast<std::size_t>(std::min<std::uint64_t>(left, piece.size()));
        left -= produced;
        bytes_out_ += produced;
        is_done = left == 0;
        has_answer_more_ = produced < piece.size();
      } else {
        produced = piece.size();
        bytes_out_ += produced;
      }
    }
    const bool is_new_chunk = delivery == BodyDelivery::new_chunks && produced > 0;
    ToSend message =
        gather(pending, {piece.data(), produced}, is_new_chunk ? size_line.of(produced) : std::string_view{});
    if (is_chunked && is_done) {
      message.add(response_chunks_.tail());
    }
    error_code send_error;
    client_.limit_send(snapshot_.settings->limits.body_idle_timeout);
    std::size_t sent = 0;
    if (message.count > 0) {
      std::tie(send_error, sent) = co_await client_.stream.send_some(message);
    }
    if (!send_error && sent < message.size()) {
      const ToSend rest = message.after(sent);
      send_error = std::get<0>(co_await client_.stream.send(rest));
    }
    client_.send_deadline.disarm();
    if (send_error) {
      client_.has_left = true;
      co_return false;
    }
    pending = {};
    is_head_sent_ = true;
    if (is_done) {
      co_return true;
    }
    if (bytes_out_ > bulk_after && !bulk) {
      bulk = worker_.buffers.lease_bulk();
    }
    const std::span<char> room = bulk ? bulk.span() : answer_.span();
    const std::size_t wanted = response_.framing == BodyFraming::length
                                   ? static_cast<std::size_t>(std::min<std::uint64_t>(left, room.size()))
                                   : room.size();
    worker_.arm(connection_->deadline, upstream_->settings().idle_timeout);
    client_.awaited = connection_.get();
    const auto [error, size] = co_await connection_->stream.read_some(net::buffer(room.data(), wanted));
    client_.awaited = nullptr;
    connection_->deadline.disarm();
    if (error && response_.framing == BodyFraming::until_close && error == net::error::eof) {
      if (delivery != BodyDelivery::new_chunks) {
        co_return true;
      }
      const bool is_ended = co_await send_to_client("0\r\n\r\n");
      co_return is_ended;
    }
    if (error) {
      co_return false;
    }
    piece = room.first(size);
    has_piece = true;
  }
}

// Head, if it is still to be sent, and a piece of body: what goes to the client in one write.
ToSend Exchange::gather(std::string_view head, std::string_view body, std::string_view chunk_size) {
  ToSend to_send;
  const bool fits = body.size() <= copied_body && head.size() + body.size() <= out_.capacity();
  if (chunk_size.empty() && !head.empty() && head.data() == out_.data() && fits) {
    std::copy(body.begin(), body.end(), out_.data() + head.size());
    to_send.add({out_.data(), head.size() + body.size()});
    return to_send;
  }
  to_send.add(head);
  to_send.add(chunk_size);
  to_send.add(body);
  to_send.add(chunk_size.empty() ? std::string_view{} : std::string_view("\r\n"));
  return to_send;
}

}  // namespace keygate::proxy
