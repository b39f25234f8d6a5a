#include "keys/client_tls.hpp"

#include <boost/asio/ip/address.hpp>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <fstream>
#include <iterator>

namespace keygate::keys {

ClientTls::ClientTls() : context_(net::ssl::context::tls_client) {}

config::Parsed<std::shared_ptr<const ClientTls>> ClientTls::load(const std::string& ca_file) {
  std::shared_ptr<ClientTls> tls(new ClientTls);
  SSL_CTX* const context = tls->context_.native_handle();
  error_code failed;
  tls->context_.set_verify_mode(net::ssl::verify_peer, failed);
  if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) return config::Fault{"OpenSSL has no TLS 1.2", ""};
  if (ca_file.empty()) {
    tls->context_.set_default_verify_paths(failed);
    if (failed) return config::Fault{"the certificates that the system trusts cannot be read: " + failed.message(), ""};
  } else {
    tls->context_.load_verify_file(ca_file, failed);
    if (failed) {
      return config::Fault{config::quoted(ca_file) + " cannot be read as certificates: " + failed.message(),
                           "it has to be a PEM file that this process may read"};
    }
    std::ifstream file(ca_file, std::ios::binary);
    tls->trusted_.assign(std::istreambuf_iterator<char>(file), {});
  }
  return std::shared_ptr<const ClientTls>(std::move(tls));
}

bool expect_host(SSL* connection, const std::string& host) {
  error_code is_name;
  net::ip::make_address(host, is_name);
  if (!is_name) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), host.c_str()) == 1;
  SSL_set_hostflags(connection, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  std::string name = host;
  // What SSL_set_tlsext_host_name stands for, without its cast.
  const long is_named = SSL_ctrl(connection, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
  return SSL_set1_host(connection, host.c_str()) == 1 && is_named == 1;
}

}  // namespace keygate::keys
