// SPDX-License-Identifier: Apache-2.0

/// The two spellings of a P-256 signature: DER (RFC 3279 §2.2.3), which the library speaks, and
/// r and s as 32 bytes each, which JOSE speaks (RFC 7518 §3.4).
enum ECDSASignature {
    /// - Parameter raw: has room for 64 bytes.
    /// - Returns: false for anything but a strict SEQUENCE of two positive INTEGERs of at most
    ///   32 bytes.
    static func raw(fromDER der: Span<UInt8>, into raw: inout MutableSpan<UInt8>) -> Bool {
        guard der.count >= 2, der[0] == 0x30, der[1] < 0x80, Int(der[1]) == der.count - 2 else {
            return false
        }
        var offset = 2
        for half in 0..<2 {
            guard offset + 2 <= der.count, der[offset] == 0x02 else { return false }
            let count = Int(der[offset + 1])
            offset += 2
            guard count > 0, count <= 33, offset + count <= der.count, der[offset] < 0x80 else {
                return false
            }
            // A leading zero byte is there only to keep a high bit from meaning a minus.
            let skip = count > 1 && der[offset] == 0 ? 1 : 0
            if skip == 1, der[offset + 1] < 0x80 { return false }
            let length = count - skip
            guard length <= 32 else { return false }
            write(der.extracting(offset + skip..<offset + count), half: half, into: &raw)
            offset += count
        }
        return offset == der.count
    }

    /// At most 32 bytes, with zeros in front of them.
    private static func write(
        _ number: Span<UInt8>, half: Int, into raw: inout MutableSpan<UInt8>
    ) {
        precondition(number.count <= 32 && raw.count >= 64)
        let pad = 32 - number.count
        // SAFETY: the half is 32 of the 64 bytes and more, which pad and number fill.
        unsafe raw.withUnsafeMutableBufferPointer { raw in
            unsafe number.withUnsafeBufferPointer { number in
                guard let place = raw.baseAddress, let source = number.baseAddress else { return }
                unsafe (place + half * 32).update(repeating: 0, count: pad)
                unsafe (place + half * 32 + pad).update(from: source, count: number.count)
            }
        }
    }

    /// - Parameter raw: 64 bytes.
    /// - Returns: how many bytes of `der` were written, at most 72.
    static func der(fromRaw raw: Span<UInt8>, into der: inout InlineArray<80, UInt8>) -> Int {
        precondition(raw.count == 64)
        var offset = 2
        for half in 0..<2 {
            var first = half * 32
            let end = first + 32
            while first < end - 1, raw[first] == 0 { first += 1 }
            let pad = raw[first] >= 0x80 ? 1 : 0
            der[offset] = 0x02
            der[offset + 1] = UInt8(end - first + pad)
            offset += 2
            if pad == 1 {
                der[offset] = 0
                offset += 1
            }
            for index in first..<end {
                der[offset] = raw[index]
                offset += 1
            }
        }
        der[0] = 0x30
        der[1] = UInt8(offset - 2)
        return offset
    }
}
