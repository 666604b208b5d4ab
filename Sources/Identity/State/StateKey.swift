// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto

/// The key that kept state is sealed under, and the form it has on the disk: eight bytes that say
/// what it is, then nonce, ciphertext and tag of AES-256-GCM.
package struct StateKey: Sendable {
    /// Fewer characters could be guessed.
    package static let textCountMin = 32
    private static let magic = Array("agntsta1".utf8)
    private static let label = Array("agentport-state-key\0".utf8)

    private let secret: SecretBytes

    /// - Parameter text: a secret file's content, without the white space around it.
    package init(text: Span<UInt8>) throws(IdentityError) {
        guard text.count >= Self.textCountMin else { throw .stateKeyTooShort }
        do throws(CryptoError) {
            var hasher = try Hasher256()
            let digest = hasher.digest(Self.label.span, text)
            secret = SecretBytes(copying: digest.bytes.span)
        } catch {
            throw .cryptography
        }
    }

    /// A new key's text.
    package static func generate(_ random: inout RandomSource) -> String {
        Base64URL.encode(random.bytes32().span)
    }

    package func seal(_ state: KeptState) throws(IdentityError) -> [UInt8] {
        let plain = try state.encoded()
        do throws(CryptoError) {
            return Self.magic
                + (try AES256GCM.seal(plain.span, key: secret, context: Self.magic.span))
        } catch {
            throw .cryptography
        }
    }

    /// - Parameter now: from when on what is to come is waited for.
    package func open(
        _ sealed: Span<UInt8>, at now: Moment
    ) throws(KeptStateFault) -> KeptState {
        let count = Self.magic.count
        guard sealed.count > count, sealed.extracting(0..<count).equals(Self.magic.span) else {
            throw .malformed
        }
        let body = sealed.extracting(count..<sealed.count)
        guard let plain = AES256GCM.open(body, key: secret, context: Self.magic.span) else {
            throw .wrongKey
        }
        return try KeptState(decoding: plain.span, at: now)
    }
}

/// Why a file of state is not read.
package enum KeptStateFault: Error, Equatable, CustomStringConvertible {
    case malformed
    /// Sealed under another key, or changed.
    case wrongKey
    case unknownVersion(UInt8)

    package var description: String {
        switch self {
        case .malformed: "not a file of state"
        case .wrongKey: "sealed under another state_key, or damaged"
        case .unknownVersion(let version): "state of version \(version), of a newer gateway"
        }
    }
}
