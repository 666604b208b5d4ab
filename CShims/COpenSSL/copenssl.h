/* SPDX-License-Identifier: Apache-2.0
 *
 * The door to OpenSSL: its headers, and what of them Swift cannot import (function-like macros,
 * variadics). Imported by the modules Crypto and TLS alone.
 */
#ifndef AGENTPORT_COPENSSL_H
#define AGENTPORT_COPENSSL_H

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/opensslv.h>
#include <openssl/param_build.h>
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
static inline EVP_PKEY *co_rsa_generate(unsigned bits) { return EVP_RSA_gen(bits); }
static inline EVP_PKEY *co_ed25519_generate(void) {
    return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}
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
/* Writes an RSA key's modulus, or its exponent, big-endian without leading zeros; 0 where it has
 * none, or there is no room for it. */
static inline size_t co_rsa_number(const EVP_PKEY *key, int exponent, unsigned char *out,
                                   size_t room) {
    const char *name = exponent ? OSSL_PKEY_PARAM_RSA_E : OSSL_PKEY_PARAM_RSA_N;
    BIGNUM *number = NULL;
    size_t count = 0;
    if (EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bn_param(key, name, &number)
        && (size_t)BN_num_bytes(number) <= room)
        count = (size_t)BN_bn2bin(number, out);
    BN_free(number);
    return count;
}
static inline EVP_PKEY *co_public_key(const char *type, OSSL_PARAM *parameters) {
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (maker == NULL || EVP_PKEY_fromdata_init(maker) != 1
        || EVP_PKEY_fromdata(maker, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    EVP_PKEY_CTX_free(maker);
    return key;
}
/* A public key of an uncompressed point (65 bytes), or NULL where that is not on P-256. */
static inline EVP_PKEY *co_p256_public(const unsigned char *point, size_t count) {
    OSSL_PARAM parameters[3];
    parameters[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)"P-256", 0);
    parameters[1] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)point, count);
    parameters[2] = OSSL_PARAM_construct_end();
    EVP_PKEY *key = co_public_key("EC", parameters);
    EVP_PKEY_CTX *context = key == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    if (context == NULL || EVP_PKEY_public_check(context) != 1) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    EVP_PKEY_CTX_free(context);
    return key;
}
/* A public key of a modulus and an exponent, both big-endian. */
static inline EVP_PKEY *co_rsa_public(const unsigned char *modulus, size_t modulus_count,
                                      const unsigned char *exponent, size_t exponent_count) {
    EVP_PKEY *key = NULL;
    OSSL_PARAM *parameters = NULL;
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    BIGNUM *n = BN_bin2bn(modulus, (int)modulus_count, NULL);
    BIGNUM *e = BN_bin2bn(exponent, (int)exponent_count, NULL);
    if (builder != NULL && n != NULL && e != NULL
        && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n)
        && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e))
        parameters = OSSL_PARAM_BLD_to_param(builder);
    if (parameters != NULL) key = co_public_key("RSA", parameters);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(builder);
    BN_free(n);
    BN_free(e);
    return key;
}
/* Whether 32 bytes, little-endian and the highest bit left out, are the y of a point of
 * edwards25519 (RFC 8032 section 5.1.3): y < p, and x^2 = (y^2 - 1) / (d y^2 + 1) is a square,
 * which it is where the product of both is one. */
static inline int co_ed25519_on_curve(const unsigned char *encoded) {
    unsigned char bytes[32];
    memcpy(bytes, encoded, sizeof bytes);
    bytes[31] &= 0x7F;
    BN_CTX *scratch = BN_CTX_new();
    BIGNUM *p = NULL, *d = NULL, *u = BN_new(), *v = BN_new();
    BIGNUM *y = BN_lebin2bn(bytes, sizeof bytes, NULL);
    int done = scratch != NULL && y != NULL && u != NULL && v != NULL
        && BN_hex2bn(&p, "7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFED")
        && BN_hex2bn(&d, "52036CEE2B6FFE738CC740797779E89800700A4D4141D8AB75EB4DCA135978A3")
        && BN_cmp(y, p) < 0
        && BN_mod_sqr(u, y, p, scratch) && BN_mod_mul(v, u, d, p, scratch)
        && BN_add_word(v, 1) && BN_sub_word(u, 1) && BN_mod_mul(u, u, v, p, scratch)
        && BN_kronecker(u, p, scratch) >= 0;
    BN_free(p);
    BN_free(d);
    BN_free(y);
    BN_free(u);
    BN_free(v);
    BN_CTX_free(scratch);
    return done;
}
/* A context for signatures over a SHA-256 digest: with `rsa` 1 of RSASSA-PKCS1-v1_5, with 2 of
 * RSASSA-PSS whose salt has exactly 32 bytes, else ECDSA. */
static inline EVP_PKEY_CTX *co_signature_context(EVP_PKEY *key, int signing, int rsa,
                                                 const EVP_MD *sha256) {
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    int done = context != NULL
        && (signing ? EVP_PKEY_sign_init(context) : EVP_PKEY_verify_init(context)) == 1
        && (rsa != 1 || EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1)
        && (rsa == 0 || EVP_PKEY_CTX_set_signature_md(context, sha256) == 1)
        && (rsa != 2 || co_sign_with_pss(context, sha256));
    if (done) return context;
    EVP_PKEY_CTX_free(context);
    return NULL;
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
