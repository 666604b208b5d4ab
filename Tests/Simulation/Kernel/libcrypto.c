/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys, nonces and ids from the seed: with them the sizes of signatures, and what is sent, are the
 * same in each run. A replaced RAND_METHOD is out of fashion, and still asked first.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "simulated_kernel.h"

#include <openssl/rand.h>

static uint64_t state;

static int draw(unsigned char *into, int count) {
    for (int at = 0; at < count; at++) {
        uint64_t mixed = state += 0x9e3779b97f4a7c15ull;
        mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ull;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebull;
        into[at] = (unsigned char)(mixed >> 56);
    }
    return 1;
}

static int status(void) { return 1; }

void sk_seed_libcrypto(uint64_t seed) {
    static RAND_METHOD method;
    method.bytes = draw;
    method.pseudorand = draw;
    method.status = status;
    state = seed;
    RAND_set_rand_method(&method);
}
