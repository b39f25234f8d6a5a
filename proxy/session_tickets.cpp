#include "proxy/session_tickets.hpp"

#include "proxy/ticket_keys.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>

namespace keygate::proxy {
namespace {

constexpr int iv_size = 16;  // of AES-256-CBC

// Where a context's keys are found.
int keys_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

bool use_mac(EVP_MAC_CTX* mac, TicketKey& key) {
  std::string digest = "SHA256";
  const std::array<OSSL_PARAM, 3> parameters{
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), digest.size()),
      OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(mac, parameters.data()) == 1;
}

// RFC 5077 §4. 1: go on; 2: go on, with a new ticket; 0: no ticket, or none of ours; -1: it cannot be done.
int on_ticket(SSL* tls, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int is_new) {
  auto* const keys = static_cast<TicketKeys*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(tls), keys_index()));
  if (keys == nullptr) {
    return -1;
  }
  const auto now = SteadyClock::now();
  if (is_new == 1) {
    std::optional<TicketKey> key = keys->to_seal_with(now);
    if (!key || RAND_bytes(iv, iv_size) != 1 ||
        EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key->cipher.data(), iv) != 1 || !use_mac(mac, *key)) {
      return -1;
    }
    std::ranges::copy(key->name, name);
    return 1;
  }
  std::optional<TicketKeys::Opening> opening = keys->to_open_with(std::span<const unsigned char, 16>(name, 16), now);
  if (!opening) {
    return 0;
  }
  if (EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, opening->key.cipher.data(), iv) != 1 ||
      !use_mac(mac, opening->key)) {
    return -1;
  }
  // In TLS 1.3 a ticket is for one use (RFC 8446 appendix C.4). The new one is also the first thing the client hears,
  // so that its request waits for no delayed acknowledgement of its Finished.
  const bool is_for_one_use = SSL_version(tls) >= TLS1_3_VERSION;
  return opening->is_sealing && !is_for_one_use ? 1 : 2;
}

std::int64_t unix_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Nothing is verified when a session is resumed: so it is good as long as everything that was verified, and no longer
// than a ticket is, however often it is given anew. In unix seconds.
std::int64_t good_until(SSL* tls) {
  const std::int64_t now = unix_now();
  std::int64_t until = now + std::chrono::duration_cast<std::chrono::seconds>(TicketKeys::ticket_time).count();
  const STACK_OF(X509)* const chain = SSL_get0_verified_chain(tls);
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    int days = 0, seconds = 0;
    if (ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(sk_X509_value(chain, i))) != 1) {
      return now;
    }
    until = std::min(until, now + std::int64_t{days} * 86'400 + seconds);
  }
  return until;
}

// It goes along in the ticket, sealed; what is there already stays.
int on_sealing(SSL* tls, void*) {
  SSL_SESSION* const session = SSL_get_session(tls);
  void* known = nullptr;
  std::size_t size = 0;
  if (SSL_SESSION_get0_ticket_appdata(session, &known, &size) == 1 && size > 0) {
    return 1;
  }
  const std::int64_t until = good_until(tls);
  return SSL_SESSION_set1_ticket_appdata(session, &until, sizeof until);
}

SSL_TICKET_RETURN on_opened(SSL*, SSL_SESSION* session, const unsigned char*, std::size_t, SSL_TICKET_STATUS status,
                            void*) {
  if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) {
    return SSL_TICKET_RETURN_IGNORE_RENEW;
  }
  void* known = nullptr;
  std::size_t size = 0;
  std::int64_t until = 0;
  if (SSL_SESSION_get0_ticket_appdata(session, &known, &size) == 1 && size == sizeof until) {
    std::memcpy(&until, known, size);
  }
  if (unix_now() >= until) {
    return SSL_TICKET_RETURN_IGNORE_RENEW;
  }
  return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

}  // namespace

bool resume_by_tickets(SSL_CTX* context, TicketKeys& keys) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(context, std::chrono::duration_cast<std::chrono::seconds>(TicketKeys::ticket_time).count());
  return SSL_CTX_set_ex_data(context, keys_index(), &keys) == 1 &&
         SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket) == 1 &&
         SSL_CTX_set_session_ticket_cb(context, on_sealing, on_opened, nullptr) == 1;
}

}  // namespace keygate::proxy
