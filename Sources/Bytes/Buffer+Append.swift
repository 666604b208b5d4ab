// SPDX-License-Identifier: Apache-2.0

extension Buffer {
    /// Claims `amount` bytes at the end, or notes the overflow.
    @inlinable
    mutating func claim(_ amount: Int) -> UnsafeMutablePointer<UInt8>? {
        guard let base = unsafe base, Int(capacity - end) >= amount else {
            overflowed = true
            return nil
        }
        // SAFETY: end + amount ≤ capacity, checked above.
        let place = unsafe base + Int(end)
        end += Int32(truncatingIfNeeded: amount)
        return unsafe place
    }

    /// For what is appended piece by piece: notes the overflow if not all of it will fit.
    @inlinable
    mutating func has(room amount: Int) -> Bool {
        if room < amount { overflowed = true }
        return room >= amount
    }

    @inlinable
    package mutating func append(_ byte: UInt8) {
        guard let place = unsafe claim(1) else { return }
        unsafe place.pointee = byte
    }

    @inlinable
    package mutating func append(_ bytes: borrowing Span<UInt8>) {
        guard let place = unsafe claim(bytes.count) else { return }
        // SAFETY: the claim is bytes.count long, and a slab is never the source of its own append:
        // a span of this buffer borrows it, which excludes this mutation.
        unsafe bytes.withUnsafeBufferPointer { source in
            if let address = source.baseAddress {
                unsafe place.update(from: address, count: source.count)
            }
        }
    }

    /// Always inlined: a literal's length is then known, and its copy is a few stores.
    @inlinable @inline(always)
    package mutating func append(_ text: StaticString) {
        guard let place = unsafe claim(text.utf8CodeUnitCount) else { return }
        unsafe place.update(from: text.utf8Start, count: text.utf8CodeUnitCount)
    }

    /// What waits in another buffer, which keeps it.
    package mutating func append(contentsOf other: borrowing Buffer) {
        append(other.readable)
    }

    /// For start-up and rare answers; the hot path appends spans and static strings.
    package mutating func append(text: String) {
        guard has(room: text.utf8.count) else { return }
        for byte in text.utf8 { append(byte) }
    }

    package mutating func append(array: [UInt8]) {
        append(array.span)
    }

    @inlinable
    package mutating func append(decimal value: Int) {
        guard value < 0 else { return append(decimal: value.magnitude) }
        let digits = Self.digitCount(value.magnitude)
        guard has(room: digits + 1) else { return }
        append(UInt8(ascii: "-"))
        append(decimal: value.magnitude, width: digits)
    }

    @inlinable
    package mutating func append(decimal value: UInt) {
        append(decimal: value, width: Self.digitCount(value))
    }

    @inlinable
    static func digitCount(_ value: UInt) -> Int {
        // Most numbers are short ones.
        if value < 10 { return 1 }
        if value < 100 { return 2 }
        if value < 1000 { return 3 }
        var digits = 4
        var rest = value / 10_000
        while rest > 0 {
            digits += 1
            rest /= 10
        }
        return digits
    }

    /// The last `width` decimal digits, with leading zeros.
    @inlinable
    package mutating func append(decimal value: UInt, width: Int) {
        guard let place = unsafe claim(width) else { return }
        var rest = value
        var index = width
        while index > 0 {
            index -= 1
            unsafe place[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }

    /// Hexadecimal in lower case without leading zeros, as chunk sizes are written.
    @inlinable
    package mutating func append(hexadecimal value: UInt) {
        var shift = max(0, (UInt.bitWidth - 1 - value.leadingZeroBitCount) & ~3)
        guard has(room: shift / 4 + 1) else { return }
        while shift >= 0 {
            append(Hex.digit(UInt8(truncatingIfNeeded: (value >> UInt(shift)) & 15)))
            shift -= 4
        }
    }

    /// The bytes as lower-case hexadecimal, two digits each.
    @inlinable
    package mutating func append(hexadecimal bytes: borrowing Span<UInt8>) {
        guard let place = unsafe claim(2 * bytes.count) else { return }
        // SAFETY: the claim is two bytes for each byte of the span.
        for index in 0..<bytes.count {
            let byte = bytes[index]
            unsafe place[2 &* index] = Hex.digit(byte >> 4)
            unsafe place[2 &* index &+ 1] = Hex.digit(byte & 15)
        }
    }

    /// `count` hexadecimal digits of a word, the highest first.
    ///
    /// - Parameter word: the digits to write are its highest bits.
    @inlinable
    package mutating func append(hexadecimalDigits word: UInt64, count: Int) {
        precondition(count >= 0 && count <= 16)
        guard let place = unsafe claim(count) else { return }
        var rest = word
        for index in 0..<count {
            unsafe place[index] = Hex.digit(UInt8(truncatingIfNeeded: rest >> 60))
            rest = rest &<< 4
        }
    }
}
