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
        let width = address.isIPv4 ? 32 : 128
        guard parts.count == 2 else {
            self.init(network: address, prefixLength: width)
            return
        }
        let digits = Array(parts[1].utf8)
        guard let length = digits.span.decimal, length <= UInt64(width),
            digits.count == 1 || digits[0] != UInt8(ascii: "0")
        else { throw .malformed }
        let block = CIDRBlock(network: address, prefixLength: Int(length))
        let network = IPAddress(bits: address.bits & block.mask)
        guard network == address else {
            throw .hostBits(CIDRBlock(network: network, prefixLength: Int(length)))
        }
        self = block
    }

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
