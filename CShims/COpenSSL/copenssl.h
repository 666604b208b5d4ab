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
#include <openssl/opensslv.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

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
/* Contexts that generate keys to agree with, each time a new one. */
static inline EVP_PKEY_CTX *co_maker(const char *type, const char *curve) {
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (context != NULL
        && (EVP_PKEY_keygen_init(context) != 1
            || (curve != NULL && EVP_PKEY_CTX_set_group_name(context, curve) != 1))) {
        EVP_PKEY_CTX_free(context);
        context = NULL;
    }
    return context;
}
static inline EVP_PKEY_CTX *co_x25519_maker(void) { return co_maker("X25519", NULL); }
static inline EVP_PKEY_CTX *co_curve_maker(const char *curve) { return co_maker("EC", curve); }
/* 256, 384 or 521 for NIST's curves of that name; 0 for any other. */
static inline int co_curve_bits(const EVP_PKEY *key) {
    char name[32] = {0};
    if (!EVP_PKEY_get_group_name(key, name, sizeof name, NULL)) return 0;
    if (strcmp(name, "prime256v1") == 0) return 256;
    if (strcmp(name, "secp384r1") == 0) return 384;
    return strcmp(name, "secp521r1") == 0 ? 521 : 0;
}
/* RSASSA-PSS with a salt as long as the digest (RFC 8446 section 4.2.3). */
static inline int co_sign_with_pss(EVP_PKEY_CTX *context, const EVP_MD *hash) {
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1
        && EVP_PKEY_CTX_set_rsa_mgf1_md(context, hash) == 1
        && EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}
/* In seconds since 1970; `otherwise` where it cannot be read. */
static inline int64_t co_seconds(const ASN1_TIME *time, int64_t otherwise) {
    int days = 0, seconds = 0;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int known = epoch != NULL && ASN1_TIME_diff(&days, &seconds, epoch, time);
    ASN1_TIME_free(epoch);
    return known ? (int64_t)days * 86400 + seconds : otherwise;
}
/* Begin and end of validity in seconds since 1970; one that cannot be read is never valid. */
static inline int64_t co_certificate_start(const X509 *certificate) {
    return co_seconds(X509_get0_notBefore(certificate), INT64_MAX);
}
static inline int64_t co_certificate_expiry(const X509 *certificate) {
    return co_seconds(X509_get0_notAfter(certificate), 0);
}
/* Of the exponent of an RSA key; 0 where it cannot be read. */
static inline int co_rsa_exponent_bits(const EVP_PKEY *key) {
    BIGNUM *exponent = NULL;
    if (!EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent)) return 0;
    int bits = BN_num_bits(exponent);
    BN_free(exponent);
    return bits;
}
/* Whether the signature over a text is the key's; no hash for EdDSA, which has its own. */
static inline int co_verify_text(EVP_PKEY *key, const EVP_MD *hash, int is_pss,
                                 const unsigned char *signature, size_t signature_count,
                                 const unsigned char *text, size_t text_count) {
    EVP_PKEY_CTX *settings = NULL; /* the context's */
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int done = context != NULL && EVP_DigestVerifyInit(context, &settings, hash, NULL, key) == 1
        && (!is_pss || co_sign_with_pss(settings, hash))
        && EVP_DigestVerify(context, signature, signature_count, text, text_count) == 1;
    EVP_MD_CTX_free(context);
    return done;
}

/* Lists of certificates, which own what is in them. */
static inline STACK_OF(X509) *co_list(void) { return sk_X509_new_null(); }
static inline int co_list_add(STACK_OF(X509) *list, X509 *certificate) {
    return sk_X509_push(list, certificate) > 0;
}
static inline void co_list_free(STACK_OF(X509) *list) { sk_X509_pop_free(list, X509_free); }

/* X509_V_OK where a chain from the leaf over some of the others to one of the store's is good for a
 * TLS client at that time, and then when the first of them expires; else why it is not. */
static inline int co_verify_client(X509_STORE *store, X509 *leaf, STACK_OF(X509) *others,
                                   int64_t now, int depth, int64_t *expiry) {
    int error = X509_V_ERR_OUT_OF_MEM;
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    if (context != NULL && X509_STORE_CTX_init(context, store, leaf, others) == 1
        && X509_STORE_CTX_set_default(context, "ssl_client") == 1) {
        X509_VERIFY_PARAM *rules = X509_STORE_CTX_get0_param(context);
        X509_VERIFY_PARAM_set_depth(rules, depth);
        X509_VERIFY_PARAM_set_time(rules, (time_t)now);
        /* 112 bits of security: RSA with 2048 bits, no SHA-1. */
        X509_VERIFY_PARAM_set_auth_level(rules, 2);
        /* An authority in the middle can be named without the one above it. */
        X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
        int done = X509_verify_cert(context);
        error = X509_STORE_CTX_get_error(context);
        if (done != 1 && error == X509_V_OK) error = X509_V_ERR_UNSPECIFIED;
        const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(context);
        *expiry = co_certificate_expiry(leaf);
        for (int index = 0; done == 1 && index < sk_X509_num(chain); index++) {
            int64_t end = co_certificate_expiry(sk_X509_value(chain, index));
            if (end < *expiry) *expiry = end;
        }
    }
    X509_STORE_CTX_free(context);
    return error;
}
static inline BIO *co_memory_bio(const void *bytes, int count) { return BIO_new_mem_buf(bytes, count); }
static inline long co_bio_contents(BIO *bio, char **out) { return BIO_get_mem_data(bio, out); }

/* Crypto: parameter arrays and key construction, which read best in C. */

/* Keys an HMAC context; `hash` is 1, 256 or 512. */
static inline int co_hmac_init(EVP_MAC_CTX *context, int hash, const unsigned char *key, size_t count) {
    char name[8] = "SHA1";
    if (hash == 256) memcpy(name, "SHA256", 7);
    if (hash == 512) memcpy(name, "SHA512", 7);
    OSSL_PARAM parameters[2];
    parameters[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0);
    parameters[1] = OSSL_PARAM_construct_end();
    return EVP_MAC_init(context, key, count, parameters);
}
static inline EVP_PKEY *co_p256_generate(void) { return EVP_EC_gen("P-256"); }
/* No passphrase: without a callback the library would ask on the terminal. */
static inline int co_no_passphrase(char *buffer, int count, int writing, void *data) {
    (void)buffer; (void)count; (void)writing; (void)data;
    return -1;
}
static inline EVP_PKEY *co_private_key_from_pem(const void *pem, int count) {
    BIO *bio = BIO_new_mem_buf(pem, count);
    if (bio == NULL) return NULL;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, co_no_passphrase, NULL);
    BIO_free(bio);
    return key;
}
/* Writes x and y, 32 bytes each; 0 unless the key is one of P-256. */
static inline int co_p256_point(EVP_PKEY *key, unsigned char *point) {
    char group[32] = {0};
    if (!EVP_PKEY_is_a(key, "EC")) return 0;
    if (!EVP_PKEY_get_group_name(key, group, sizeof group, NULL)) return 0;
    if (strcmp(group, "prime256v1") != 0) return 0;
    BIGNUM *x = NULL, *y = NULL;
    int done = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x)
        && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y)
        && BN_bn2binpad(x, point, 32) == 32 && BN_bn2binpad(y, point + 32, 32) == 32;
    BN_free(x);
    BN_free(y);
    return done;
}
/* A context that verifies under an uncompressed point (65 bytes), or NULL where it is not on P-256. */
static inline EVP_PKEY_CTX *co_p256_verify_context(const unsigned char *point, size_t count) {
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = NULL;
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    OSSL_PARAM parameters[3];
    parameters[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)"P-256", 0);
    parameters[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)point, count);
    parameters[2] = OSSL_PARAM_construct_end();
    if (maker != NULL && EVP_PKEY_fromdata_init(maker) == 1
        && EVP_PKEY_fromdata(maker, &key, EVP_PKEY_PUBLIC_KEY, parameters) == 1) {
        context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
        if (context != NULL && (EVP_PKEY_public_check(context) != 1 || EVP_PKEY_verify_init(context) != 1)) {
            EVP_PKEY_CTX_free(context);
            context = NULL;
        }
    }
    EVP_PKEY_free(key);
    EVP_PKEY_CTX_free(maker);
    return context;
}

/* A certificate for the names given, signed by its own key; NULL on a fault. */
static inline X509 *co_self_signed(EVP_PKEY *key, const char *names, long seconds) {
    X509 *certificate = X509_new();
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
    int done = certificate != NULL && extension != NULL && X509_set_version(certificate, 2) &&
               ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), 1) &&
               X509_gmtime_adj(X509_getm_notBefore(certificate), -60) != NULL &&
               X509_gmtime_adj(X509_getm_notAfter(certificate), seconds) != NULL &&
               X509_set_pubkey(certificate, key) &&
               X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                                          (const unsigned char *)"localhost", -1, -1, 0) &&
               X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) &&
               X509_add_ext(certificate, extension, -1) && X509_sign(certificate, key, EVP_sha256());
    X509_EXTENSION_free(extension);
    if (!done) {
        X509_free(certificate);
        return NULL;
    }
    return certificate;
}

#endif
