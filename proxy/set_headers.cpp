#include "proxy/set_headers.hpp"

#include "policy/set_header.hpp"
#include "policy/target.hpp"

#include <algorithm>

namespace keygate::proxy {
namespace {

// In the spelling that was decided on and is forwarded: visible ASCII, whatever a client has escaped.
std::string_view value_of(const policy::HeaderPiece& piece, std::string_view path, const policy::Grant& grant) {
  using Kind = policy::HeaderPiece::Kind;
  const policy::Principal* const principal = grant.principal();
  switch (piece.kind) {
    case Kind::text:
      return piece.text;
    case Kind::segment:
      return policy::segment(path, piece.segment);
    case Kind::rest:
      return policy::rest_of(path, piece.segment);
    case Kind::organization:
      return principal != nullptr ? std::string_view(principal->organization) : std::string_view{};
    case Kind::key:
      return principal != nullptr ? std::string_view(principal->key_id) : std::string_view{};
    case Kind::user:
      return principal != nullptr ? std::string_view(principal->user) : std::string_view{};
    case Kind::environment:
      return policy::to_string(grant.environment());
    case Kind::method:
      return policy::to_string(grant.kind());
  }
  return {};
}

}  // namespace

std::size_t set_headers_bound(const policy::Grant& grant, std::string_view path) {
  std::size_t size = 0;
  for (const policy::SetHeader& header : *grant.route().set_headers) {
    size += header.name.size() + 4;
    for (const auto& piece : header.pieces) size += value_of(piece, path, grant).size();
  }
  return size;
}

void write_set_headers(const policy::Grant& grant, std::string_view path, HeadWriter& out) {
  for (const policy::SetHeader& header : *grant.route().set_headers) {
    const bool is_whole = std::ranges::none_of(
        header.pieces, [&](const policy::HeaderPiece& piece) { return value_of(piece, path, grant).empty(); });
    if (!is_whole) {
      continue;
    }
    out << header.name << ": ";
    for (const auto& piece : header.pieces) out << value_of(piece, path, grant);
    out << "\r\n";
  }
}

}  // namespace keygate::proxy
