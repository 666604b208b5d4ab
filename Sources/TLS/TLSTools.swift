// SPDX-License-Identifier: Apache-2.0

/// What the handshakes of one thread use in turn, and would be costly to make anew for each:
/// contexts of libcrypto.
package final class TLSTools {
    let engine = HashEngine()
    let exchange = KeyExchange()

    package init() {}
}
