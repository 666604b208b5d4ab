// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto

/// How an agent's codes are made (RFC 6238 §4, RFC 4226 §5).
package struct TOTPParameters: Equatable, Sendable {
    package static let periodSecondsMax: UInt64 = 3600

    package let algorithm: HMACAlgorithm
    /// Invariant: 6 to 8.
    package let digits: Int
    /// Invariant: 1 to `periodSecondsMax`.
    package let periodSeconds: UInt64

    /// SHA-1, six digits, thirty seconds: what every authenticator takes for granted.
    package static let standard = TOTPParameters()

    private init() {
        algorithm = .sha1
        digits = 6
        periodSeconds = 30
    }

    package init(
        algorithm: HMACAlgorithm, digits: Int, periodSeconds: UInt64
    ) throws(IdentityError) {
        guard (6...8).contains(digits) else { throw .totpDigits(digits) }
        guard (1...Self.periodSecondsMax).contains(periodSeconds) else {
            throw .totpPeriod(periodSeconds)
        }
        self.algorithm = algorithm
        self.digits = digits
        self.periodSeconds = periodSeconds
    }

    /// The time step of RFC 6238 §4.2, with T0 = 0.
    package func step(atSeconds seconds: UInt64) -> UInt64 { seconds / periodSeconds }

    /// Whether a text has the form of a code; one that has not touches no state.
    package func isWellFormed(_ code: Span<UInt8>) -> Bool {
        guard code.count == digits else { return false }
        for index in code.indices where !code[index].isDigit { return false }
        return true
    }

    /// The code's value for a MAC of RFC 4226 §5.3 (dynamic truncation).
    ///
    /// - Parameter count: how many bytes of `mac` count: 20, 32 or 64.
    func truncate(_ mac: InlineArray<64, UInt8>, count: Int) -> UInt32 {
        let offset = Int(mac[count - 1] & 15)
        let word =
            UInt32(mac[offset] & 0x7F) << 24 | UInt32(mac[offset + 1]) << 16
            | UInt32(mac[offset + 2]) << 8 | UInt32(mac[offset + 3])
        return word % modulus
    }

    private var modulus: UInt32 {
        switch digits {
        case 6: 1_000_000
        case 7: 10_000_000
        default: 100_000_000
        }
    }
}
