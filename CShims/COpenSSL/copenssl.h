/* SPDX-License-Identifier: Apache-2.0
 *
 * The door to OpenSSL: its headers, and what of them Swift cannot import (function-like macros,
 * variadics). Imported by the modules Crypto and TLS alone.
 */
#ifndef AGENTPORT_COPENSSL_H
#define AGENTPORT_COPENSSL_H

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/opensslv.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

static inline long co_set_min_version(SSL_CTX *context, int version) {
    return SSL_CTX_set_min_proto_version(context, version);
}
static inline long co_set_max_version(SSL_CTX *context, int version) {
    return SSL_CTX_set_max_proto_version(context, version);
}
static inline long co_set_mode(SSL_CTX *context, long mode) { return SSL_CTX_set_mode(context, mode); }
static inline long co_set_session_cache(SSL_CTX *context, long mode) {
    return SSL_CTX_set_session_cache_mode(context, mode);
}
static inline long co_set_groups(SSL_CTX *context, const char *list) {
    return SSL_CTX_set1_groups_list(context, list);
}
static inline int co_session_reused(SSL *session) { return SSL_session_reused(session); }
static inline void co_bio_retry_read(BIO *bio) { BIO_set_retry_read(bio); }
static inline void co_bio_retry_write(BIO *bio) { BIO_set_retry_write(bio); }
static inline void co_bio_clear_retry(BIO *bio) { BIO_clear_retry_flags(bio); }
static inline long co_set_ticket_callback(
    SSL_CTX *context,
    int (*callback)(SSL *, unsigned char *, unsigned char *, EVP_CIPHER_CTX *, EVP_MAC_CTX *, int)) {
    return SSL_CTX_set_tlsext_ticket_key_evp_cb(context, callback);
}
static inline int co_ticket_mac_init(EVP_MAC_CTX *mac, void *key, size_t count) {
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key, count),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, parameters);
}
static inline long co_add_chain_certificate(SSL_CTX *context, X509 *certificate) {
    return SSL_CTX_add0_chain_cert(context, certificate);
}
/* End of validity in seconds since 1970; 0 where it cannot be read. */
static inline int64_t co_certificate_expiry(const X509 *certificate) {
    int days = 0, seconds = 0;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int known = epoch != NULL && ASN1_TIME_diff(&days, &seconds, epoch, X509_get0_notAfter(certificate));
    ASN1_TIME_free(epoch);
    return known ? (int64_t)days * 86400 + seconds : 0;
}
static inline BIO *co_memory_bio(const void *bytes, int count) { return BIO_new_mem_buf(bytes, count); }
static inline long co_bio_contents(BIO *bio, char **out) { return BIO_get_mem_data(bio, out); }

#endif
