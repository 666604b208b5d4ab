// SPDX-License-Identifier: Apache-2.0

/// Which RSA keys are taken.
enum RSABounds {
    /// RFC 7518 §3.3 asks for 2048 at least. The upper bound keeps the cost of one signature
    /// within reason.
    static let believedBits = 2048...8192
    static let signingBits = 2048...4096
    static let generatedBits: UInt32 = 2048
    /// Holds the longest modulus.
    static let byteCountMax = 1024
    private static let exponentByteCountMax = 8

    /// - Parameters modulus, exponent: big-endian. Leading zeros do not count: some issuers write
    ///   one, against RFC 7518 §6.3.1.1, and a short key must not look longer for them.
    static func members(
        modulus: [UInt8], exponent: [UInt8], bits: ClosedRange<Int>
    ) -> PublicMembers? {
        let modulus = Array(modulus.drop { $0 == 0 })
        let exponent = Array(exponent.drop { $0 == 0 })
        guard let first = modulus.first, let last = modulus.last, let unit = exponent.last,
            bits.contains(modulus.count * 8 - first.leadingZeroBitCount),
            // An even modulus has the factor two, and with an even exponent nothing can be signed.
            last & 1 == 1, exponent.count <= exponentByteCountMax, unit & 1 == 1, exponent != [1]
        else { return nil }
        return .rsa(modulus: modulus, exponent: exponent)
    }
}
