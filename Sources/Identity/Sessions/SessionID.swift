// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto

/// 22 characters of base64url over 16 random bytes: the public names of sessions (`sid`) and of
/// tokens (`jti`). They are no credentials.
package typealias PublicID = InlineArray<22, UInt8>

/// 43 characters of base64url over 32 random bytes.
package typealias SessionToken = InlineArray<43, UInt8>

enum RandomText {
    static func publicID(_ random: inout RandomSource) -> PublicID {
        let bytes = random.bytes16()
        var text = PublicID(repeating: 0)
        var index = 0
        Base64URL.encode(bytes.span) {
            text[index] = $0
            index += 1
        }
        return text
    }

    static func sessionToken(_ random: inout RandomSource) -> SessionToken {
        let bytes = random.bytes32()
        var text = SessionToken(repeating: 0)
        var index = 0
        Base64URL.encode(bytes.span) {
            text[index] = $0
            index += 1
        }
        return text
    }
}
