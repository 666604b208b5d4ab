// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto

extension TOTPSeed {
    /// The seed as people copy it: base32 without padding.
    package var base32: String { Base32.encode(secret.span) }

    /// The `otpauth://` URI that authenticator apps read from a QR code.
    package func uri(issuer: String, account: String) -> String {
        let algorithm =
            switch parameters.algorithm {
            case .sha1: "SHA1"
            case .sha256: "SHA256"
            case .sha512: "SHA512"
            }
        return "otpauth://totp/\(Self.escaped(issuer)):\(Self.escaped(account))"
            + "?secret=\(base32)&issuer=\(Self.escaped(issuer))&algorithm=\(algorithm)"
            + "&digits=\(parameters.digits)&period=\(parameters.periodSeconds)"
    }

    /// All but the unreserved characters of RFC 3986 §2.3 percent-encoded.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            let isUnreserved =
                byte.isLetter || byte.isDigit || byte == UInt8(ascii: "-")
                || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
                || byte == UInt8(ascii: "~")
            if isUnreserved {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                result += "%" + Hex.encode([byte].span).uppercased()
            }
        }
        return result
    }
}
