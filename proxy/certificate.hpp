// Certificates and keys from files into a TLS context, and everything that can be wrong with them said in a sentence.
#pragma once

#include "config/fault.hpp"

#include <cstddef>
#include <optional>
#include <string>

struct ssl_st;
struct ssl_ctx_st;

namespace keygate::proxy {

// What both ends of ours have in common: no renegotiation, memory given back while a connection rests, a partial write
// is one.
void set_common_options(ssl_ctx_st* context);

// The chain in `certificate_file`, the first one ours, with its key. Both have to be readable without a passphrase, to
// belong together, and to be valid now.
std::optional<config::Fault> use_certificate(ssl_ctx_st* context, const std::string& certificate_file,
                                             const std::string& private_key_file);

inline constexpr std::size_t max_subject = 512;

// Of the certificate that the other end has shown, in this session or in the one it resumes: as RFC 2253 writes it, in
// ASCII, cut to max_subject. Empty: it has shown none, or one whose subject is.
std::string peer_subject(const ssl_st* tls);

}  // namespace keygate::proxy
