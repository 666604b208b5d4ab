// SPDX-License-Identifier: Apache-2.0

/// An IPv4 or IPv6 address. An IPv4 address and its IPv4-mapped form (RFC 4291 §2.5.5.2) are one
/// and the same, so a peer is the same whether it came over a v4 or a dual-stack socket.
package struct IPAddress: Sendable, Hashable {
    /// In network order, most significant first; IPv4 as `::ffff:a.b.c.d`.
    package let bits: UInt128

    private static let mappedPrefix: UInt128 = 0xFFFF << 32

    @inlinable
    package init(bits: UInt128) {
        self.bits = bits
    }

    package init(ipv4 bits: UInt32) {
        self.init(bits: Self.mappedPrefix | UInt128(bits))
    }

    package var isIPv4: Bool { bits >> 32 == 0xFFFF }

    /// The four bytes of an IPv4 address.
    package var ipv4: UInt32? { isIPv4 ? UInt32(truncatingIfNeeded: bits) : nil }

    package var isLoopback: Bool {
        if let ipv4 { return ipv4 >> 24 == 127 }
        return bits == 1
    }

    /// `0.0.0.0` or `::`: every address of the host.
    package var isUnspecified: Bool { bits == 0 || bits == Self.mappedPrefix }

    /// Loopback, RFC 1918, link-local, or a unique local address (RFC 4193).
    package var isPrivate: Bool {
        if isLoopback { return true }
        guard let ipv4 else { return bits >> 121 == 0x7E || bits >> 118 == 0x3FA }
        return ipv4 >> 24 == 10 || ipv4 >> 20 == 0xAC1 || ipv4 >> 16 == 0xC0A8
            || ipv4 >> 16 == 0xA9FE
    }

    /// What a session is bound to: the address; all of 127.0.0.0/8 is one, this machine.
    package var bindingKey: UInt128 {
        isIPv4 && isLoopback ? Self.mappedPrefix | 0x7F00_0001 : bits
    }

    /// What limits are counted by: the address, or the /64 of an IPv6 address, since one
    /// subscriber commonly holds that many.
    package var limitKey: IPAddress { isIPv4 ? self : IPAddress(bits: (bits >> 64) << 64) }
}
