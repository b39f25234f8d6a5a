// The Asio types that everything above shares: one executor type, so that no operation pays for a type-erased one.
// One thread runs one io_context(1); posts from other threads stay legal.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/result.hpp>

namespace keygate {

namespace net = boost::asio;
using error_code = boost::system::error_code;
using Executor = net::io_context::executor_type;

template <class T>
using Awaitable = net::awaitable<T, Executor>;

// What fails in operation comes back as a value: co_await op(use_tuple) gives (error_code, …).
inline constexpr net::as_tuple_t<net::use_awaitable_t<Executor>> use_tuple{};

template <class T>
using Result = boost::system::result<T>;

}  // namespace keygate
