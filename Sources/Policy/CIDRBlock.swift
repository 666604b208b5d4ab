// SPDX-License-Identifier: Apache-2.0

import Bytes

/// A range of addresses (RFC 4632): `10.0.0.0/8`, `fd00::/8`, or one address alone.
package struct CIDRBlock: Sendable, Hashable {
    package let network: IPAddress
    /// Leading bits that count, of the family's own 32 or 128.
    package let prefixLength: Int

    package enum Fault: Error, Equatable {
        case malformed
        /// Bits beyond the prefix are set; the block that was probably meant.
        case hostBits(CIDRBlock)
    }

    private init(network: IPAddress, prefixLength: Int) {
        self.network = network
        self.prefixLength = prefixLength
    }

    package init(_ text: String) throws(Fault) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(String(parts[0])) else { throw .malformed }
        guard parts.count == 2 else {
            self.init(network: address, prefixLength: address.isIPv4 ? 32 : 128)
            return
        }
        // The bits of a prefix are counted in the address as it is written, mapped or not.
        let isMapped = address.isIPv4 && parts[0].utf8.contains(UInt8(ascii: ":"))
        let width = address.isIPv4 && !isMapped ? 32 : 128
        let digits = Array(parts[1].utf8)
        guard let length = digits.span.decimal, length <= UInt64(width),
            digits.count == 1 || digits[0] != UInt8(ascii: "0")
        else { throw .malformed }
        // Of the 128 bits in which both families are kept.
        let keptBits = address.bits & (UInt128.max << (width - Int(length)))
        let network = IPAddress(bits: keptBits)
        let skipped = isMapped && network.isIPv4 ? Self.mappedPrefixLength : 0
        let block = CIDRBlock(network: network, prefixLength: Int(length) - skipped)
        guard network == address else { throw .hostBits(block) }
        self = block
    }

    /// What stands before the 32 bits of a mapped IPv4 address (RFC 4291 §2.5.5.2).
    private static let mappedPrefixLength = 96

    /// Over the 128 bits in which both families are kept.
    private var mask: UInt128 {
        UInt128.max << ((network.isIPv4 ? 32 : 128) - prefixLength)
    }

    /// A block holds addresses of its own family only: `::/0` is every IPv6 address.
    package func contains(_ address: IPAddress) -> Bool {
        address.isIPv4 == network.isIPv4 && address.bits & mask == network.bits
    }
}

extension CIDRBlock: CustomStringConvertible {
    package var description: String { "\(network)/\(prefixLength)" }
}
