// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto

/// A secret shared with one agent or person, and how codes are made from it.
package struct TOTPSeed: Sendable {
    /// RFC 4226 §4, R6: a shared secret has at least 128 bits.
    package static let byteCountMin = 16
    /// The block of SHA-512: HMAC would shorten anything longer.
    package static let byteCountMax = 128
    /// RFC 4226 §4, R6 recommends 160 bits, the length of SHA-1's state.
    package static let byteCountNew = 20

    package let secret: SecretBytes
    package let parameters: TOTPParameters
    /// Names the seed in tables and listings without telling it: SHA-256 of a label, a zero
    /// byte, and the seed.
    package let fingerprint: SHA256Digest

    package init(secret: SecretBytes, parameters: TOTPParameters) throws(IdentityError) {
        guard secret.count > 0 else { throw .seedEmpty }
        guard secret.count >= Self.byteCountMin else { throw .seedTooShort(bits: secret.count * 8) }
        guard secret.count <= Self.byteCountMax else { throw .seedTooLong(bytes: secret.count) }
        self.secret = secret
        self.parameters = parameters
        fingerprint = try Self.fingerprint(of: secret)
    }

    /// - Parameter base32: a secret file's content: base32 in either case, with white space, a
    ///   byte order mark and padding as people leave them.
    package init(base32: Span<UInt8>, parameters: TOTPParameters) throws(IdentityError) {
        var start = 0
        if base32.count >= 3, base32[0] == 0xEF, base32[1] == 0xBB, base32[2] == 0xBF { start = 3 }
        let text = base32.extracting(start..<base32.count)
        let secret = try SecretBytes(capacity: text.count * 5 / 8) {
            (output: inout OutputSpan<UInt8>) throws(IdentityError) in
            guard Base32.decode(text, { output.append($0) }) else { throw .seedNotBase32 }
        }
        try self.init(secret: secret, parameters: parameters)
    }

    /// A fresh seed of 160 bits.
    package static func generate(parameters: TOTPParameters) throws(IdentityError) -> TOTPSeed {
        try TOTPSeed(secret: .random(byteCountNew), parameters: parameters)
    }

    /// The code of one step, as digits: for people and scripts, not for checking.
    package func code(step: UInt64) throws(IdentityError) -> String {
        do throws(CryptoError) {
            var key = try HMACKey(parameters.algorithm, key: secret.span)
            let digits = String(parameters.code(step: step, under: &key))
            let missing = max(0, parameters.digits - digits.utf8.count)
            return String(repeating: "0", count: missing) + digits
        } catch {
            throw .cryptography
        }
    }

    private static func fingerprint(of secret: SecretBytes) throws(IdentityError) -> SHA256Digest {
        do throws(CryptoError) {
            var hasher = try Hasher256()
            let label = Array("agentport-totp-seed\0".utf8)
            return hasher.digest(label.span, secret.span)
        } catch {
            throw .cryptography
        }
    }
}

extension TOTPParameters {
    /// RFC 4226 §5.3 over the step as eight big-endian bytes.
    func code(step: UInt64, under key: inout HMACKey) -> UInt32 {
        let counter = InlineArray<8, UInt8> {
            UInt8(truncatingIfNeeded: step >> UInt64(56 - $0 * 8))
        }
        var mac = InlineArray<64, UInt8>(repeating: 0)
        let count = key.authenticate(counter.span, into: &mac)
        return truncate(mac, count: count)
    }
}
