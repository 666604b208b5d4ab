// SPDX-License-Identifier: Apache-2.0

/// Why a seed, key or table cannot be used; all of it at start, reload or an operator's call.
///
/// ``reason`` is for operators: it never holds a secret.
package enum IdentityError: Error, Equatable, CustomStringConvertible {
    case seedEmpty
    case seedNotBase32
    case seedTooShort(bits: Int)
    case seedTooLong(bytes: Int)
    case totpDigits(Int)
    case totpPeriod(UInt64)
    case keyUsedTwice
    case stepsForeign
    case stepsVersion(UInt64)
    case stepsTooSmall
    case stateKeyTooShort
    case seedMissing
    case cryptography

    package var description: String {
        switch self {
        case .seedEmpty: "the TOTP seed is empty"
        case .seedMissing: "an agent has no TOTP seed"
        case .seedNotBase32: "the TOTP seed is not base32"
        case .seedTooShort(let bits):
            "the TOTP seed has \(bits) bits, fewer than \(TOTPSeed.byteCountMin * 8)"
        case .seedTooLong(let bytes):
            "the TOTP seed has \(bytes) bytes, more than \(TOTPSeed.byteCountMax)"
        case .totpDigits(let digits): "TOTP codes have 6 to 8 digits, not \(digits)"
        case .totpPeriod(let seconds):
            "a TOTP period is 1 to \(TOTPParameters.periodSecondsMax) seconds, not \(seconds)"
        case .keyUsedTwice: "one API key stands for two agents"
        case .stepsForeign: "not a file of accepted TOTP steps"
        case .stepsVersion(let version):
            "accepted TOTP steps of version \(version), not \(AcceptedSteps.version)"
        case .stepsTooSmall: "too small for accepted TOTP steps"
        case .stateKeyTooShort:
            "the state key has fewer than \(StateKey.textCountMin) characters"
        case .cryptography: "the cryptographic library refused"
        }
    }
}
