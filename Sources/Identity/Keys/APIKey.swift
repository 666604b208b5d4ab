// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto

/// How an API key is written: a prefix that secret scanners can look for, and 256 random bits.
package enum APIKey {
    package static let prefix = "ap_"

    package static func generate(_ random: inout RandomSource) -> String {
        prefix + Base64URL.encode(random.bytes32().span)
    }
}
