// SPDX-License-Identifier: Apache-2.0

extension IPAddress {
    /// Dotted decimal with exactly four numbers and no leading zeros (some read those as octal),
    /// or RFC 4291 §2.2 without brackets and without a zone.
    package init?(_ text: Span<UInt8>) {
        if text.firstOffset(of: .colon) == nil {
            guard let value = Self.parseIPv4(text) else { return nil }
            self.init(ipv4: value)
        } else {
            guard let value = Self.parseIPv6(text) else { return nil }
            self.init(bits: value)
        }
    }

    package init?(_ text: String) {
        self.init(Array(text.utf8).span)
    }

    private static func parseIPv4(_ text: Span<UInt8>) -> UInt32? {
        guard text.count <= 15 else { return nil }
        var value: UInt32 = 0
        var offset = 0
        for part in 0..<4 {
            if part > 0 {
                guard offset < text.count, text[offset] == UInt8(ascii: ".") else { return nil }
                offset += 1
            }
            let start = offset
            while offset < text.count, text[offset].isDigit { offset += 1 }
            guard let number = text.extracting(start..<offset).decimal, number <= 255,
                offset - start == 1 || text[start] != UInt8(ascii: "0")
            else { return nil }
            value = value << 8 | UInt32(number)
        }
        return offset == text.count ? value : nil
    }

    private static func parseIPv6(_ text: Span<UInt8>) -> UInt128? {
        guard text.count >= 2, text.count <= 45 else { return nil }
        var high: UInt128 = 0
        var low: UInt128 = 0
        var lowCount = 0
        var count = 0
        var compressed = false
        var offset = 0
        if text[0] == .colon {
            guard text[1] == .colon else { return nil }
            compressed = true
            offset = 2
        }
        while offset < text.count {
            var end = offset
            while end < text.count, text[end] != .colon { end += 1 }
            let group = text.extracting(offset..<end)
            let isTail = end == text.count
            if isTail, let ipv4 = parseIPv4(group) {
                append(UInt128(ipv4), bits: 32)
                count += 2
            } else {
                guard let value = parseGroup(group) else { return nil }
                append(value, bits: 16)
                count += 1
            }
            guard count <= 8 else { return nil }
            if isTail { break }
            offset = end + 1
            if offset < text.count, text[offset] == .colon {
                guard !compressed else { return nil }
                compressed = true
                offset += 1
            } else if offset == text.count {
                return nil
            }
        }
        // `::` stands for at least one group.
        guard compressed ? count < 8 : count == 8 else { return nil }
        guard compressed else { return high }
        // A shift by all 128 bits gives zero in Swift.
        return high << (128 - (count * 16 - lowCount)) | low

        func append(_ value: UInt128, bits: Int) {
            if compressed {
                low = low << bits | value
                lowCount += bits
            } else {
                high = high << bits | value
            }
        }
    }

    private static func parseGroup(_ text: Span<UInt8>) -> UInt128? {
        guard (1...4).contains(text.count) else { return nil }
        var value: UInt128 = 0
        for index in text.indices {
            guard let digit = Hex.value(text[index]) else { return nil }
            value = value << 4 | UInt128(digit)
        }
        return value
    }
}

extension IPAddress: CustomStringConvertible {
    /// Dotted decimal, or the canonical text of RFC 5952.
    package var description: String {
        if let ipv4 {
            return stride(from: 24, through: 0, by: -8).map { String(ipv4 >> $0 & 255) }
                .joined(separator: ".")
        }
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: bits >> (112 - 16 * $0)) }
        let hex = groups.map { String($0, radix: 16) }
        let zeros = Self.longestZeroRun(groups)
        guard zeros.count >= 2 else { return hex.joined(separator: ":") }
        return hex[..<zeros.lowerBound].joined(separator: ":") + "::"
            + hex[zeros.upperBound...].joined(separator: ":")
    }

    /// RFC 5952 §4.2.3: the longest run, the first of equals.
    private static func longestZeroRun(_ groups: [UInt16]) -> Range<Int> {
        var best = 0..<0
        var start = 0
        for index in 0...groups.count where index == groups.count || groups[index] != 0 {
            if index - start > best.count { best = start..<index }
            start = index + 1
        }
        return best
    }
}

extension Buffer {
    /// As ``IPAddress/description`` has it, without allocating for IPv4.
    package mutating func append(_ address: IPAddress) {
        guard let ipv4 = address.ipv4 else { return append(text: address.description) }
        append(decimal: UInt(ipv4 >> 24))
        append(UInt8(ascii: "."))
        append(decimal: UInt(ipv4 >> 16 & 255))
        append(UInt8(ascii: "."))
        append(decimal: UInt(ipv4 >> 8 & 255))
        append(UInt8(ascii: "."))
        append(decimal: UInt(ipv4 & 255))
    }
}
