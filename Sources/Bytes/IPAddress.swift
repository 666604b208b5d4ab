// SPDX-License-Identifier: Apache-2.0

/// An IPv4 or IPv6 address in 128 bits; IPv4 is kept in its mapped form, `::ffff:a.b.c.d`.
package struct IPAddress: Hashable, Sendable {
    package let high: UInt64
    package let low: UInt64

    @inlinable
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// - Parameter v4: the address in host byte order.
    @inlinable
    package init(v4: UInt32) {
        self.init(high: 0, low: 0xFFFF_0000_0000 | UInt64(v4))
    }

    @inlinable
    package var isV4: Bool { high == 0 && low >> 32 == 0xFFFF }

    /// The four bytes of an IPv4 address in host byte order.
    package var v4: UInt32 { UInt32(truncatingIfNeeded: low) }

    /// What limits are counted by: the address, or the /64 of an IPv6 address, since one
    /// subscriber commonly holds that many.
    package var limitKey: IPAddress { isV4 ? self : IPAddress(high: high, low: 0) }

    package var isLoopback: Bool { isV4 ? v4 >> 24 == 127 : high == 0 && low == 1 }

    /// Loopback, RFC 1918, link-local, or a unique local address (RFC 4193).
    package var isPrivate: Bool {
        if isLoopback { return true }
        guard isV4 else { return high >> 57 == 0x7E || high >> 54 == 0x3FA }
        return v4 >> 24 == 10 || v4 >> 20 == 0xAC1 || v4 >> 16 == 0xC0A8 || v4 >> 16 == 0xA9FE
    }

    /// The 16-bit group at `index`, 0 to 7.
    private func group(_ index: Int) -> UInt64 {
        (index < 4 ? high : low) >> UInt64(48 - 16 * (index & 3)) & 0xFFFF
    }

    /// Where the longest run of zero groups lies (RFC 5952 §4.2: two groups at least, the first
    /// of equals).
    fileprivate var zeroRun: Range<Int> {
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, group(end) == 0 { end += 1 }
            if end - start > max(best.count, 1) { best = start..<end }
            start = end + 1
        }
        return best
    }

    package var text: String {
        if isV4 {
            return "\(v4 >> 24).\(v4 >> 16 & 255).\(v4 >> 8 & 255).\(v4 & 255)"
        }
        var text = ""
        let zeros = zeroRun
        var index = 0
        while index < 8 {
            if !zeros.isEmpty, index == zeros.lowerBound {
                text += "::"
                index = zeros.upperBound
                continue
            }
            if index > 0, index != zeros.upperBound || zeros.isEmpty { text += ":" }
            text += String(group(index), radix: 16)
            index += 1
        }
        return text
    }

    fileprivate func append(to buffer: inout Buffer) {
        if isV4 {
            for shift in stride(from: UInt32(24), through: 0, by: -8) {
                buffer.append(decimal: UInt(v4 >> shift & 255))
                if shift > 0 { buffer.append(UInt8(ascii: ".")) }
            }
            return
        }
        let zeros = zeroRun
        var index = 0
        while index < 8 {
            if !zeros.isEmpty, index == zeros.lowerBound {
                buffer.append("::")
                index = zeros.upperBound
                continue
            }
            if index > 0, index != zeros.upperBound || zeros.isEmpty { buffer.append(.colon) }
            buffer.append(hexadecimal: UInt(group(index)))
            index += 1
        }
    }
}

extension Buffer {
    /// As text (RFC 5952).
    package mutating func append(_ address: IPAddress) {
        address.append(to: &self)
    }
}
