// Someone who can be asked whose key this is: the embedded store now; Redis and a key service are further ones.
#pragma once

#include "keys/asio.hpp"
#include "keys/digest.hpp"
#include "policy/principal.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string_view>

namespace keygate::keys {

// Why a source could not find out. Its answer, "unknown" included, is a value; this is not an answer.
enum class errc { unavailable = 1, timed_out, invalid_answer, overloaded, over_budget };
error_code make_error_code(errc error);

struct Found {
  policy::KeyAnswer answer;
  std::chrono::milliseconds age{0};  // how long before this answer the service itself had been asked
};

class Source {
 public:
  using Done = std::function<void(Result<Found>)>;

  virtual ~Source() = default;

  // "store", "redis", "service": the access log's `source` and a metric label.
  virtual std::string_view name() const = 0;

  // Asks. `done` is called exactly once, on the calling worker's thread, never before this returns, and within the
  // source's own deadline. `secret` is wiped when the last holder lets go.
  virtual void look_up(const KeyDigest& digest, std::shared_ptr<const Secret> secret, Done done) = 0;
};

}  // namespace keygate::keys

template <>
struct boost::system::is_error_code_enum<keygate::keys::errc> : std::true_type {};
