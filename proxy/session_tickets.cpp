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
  return opening->is_sealing ? 1 : 2;
}

// A certificate is not verified again when a session is resumed: time is what has changed.
SSL_TICKET_RETURN on_opened(SSL*, SSL_SESSION* session, const unsigned char*, std::size_t, SSL_TICKET_STATUS status,
                            void*) {
  if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) {
    return SSL_TICKET_RETURN_IGNORE_RENEW;
  }
  const X509* const peer = SSL_SESSION_get0_peer(session);
  if (peer != nullptr && X509_cmp_current_time(X509_get0_notAfter(peer)) <= 0) {
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
         SSL_CTX_set_session_ticket_cb(context, nullptr, on_opened, nullptr) == 1;
}

}  // namespace keygate::proxy
