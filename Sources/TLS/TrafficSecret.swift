// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// One direction's secret, from which its keys are made (RFC 8446 §7.1), wiped when dropped.
@safe
struct TrafficSecret: ~Copyable {
    static let countMax = 48
    /// Of `key`, `iv` and `traffic upd`, in front of a length, a label's length and `tls13 `, and
    /// with an empty context and HKDF's counter behind.
    private static let infoMax = 2 + 1 + 6 + 11 + 1 + 1

    /// Invariant: `countMax` bytes owned by this value.
    private let bytes: UnsafeMutablePointer<UInt8>
    private(set) var count: Int

    init() {
        unsafe bytes = .allocate(capacity: Self.countMax)
        unsafe bytes.initialize(repeating: 0, count: Self.countMax)
        count = 0
    }

    deinit {
        unsafe OPENSSL_cleanse(bytes, Self.countMax)
        unsafe bytes.deallocate()
    }

    /// Takes the secret as libssl writes it to a key log: hexadecimal digits up to a zero byte.
    mutating func read(hexadecimal text: UnsafePointer<CChar>) {
        var offset = 0
        while offset < Self.countMax,
            let high = unsafe Self.digit(text[2 * offset]),
            let low = unsafe Self.digit(text[2 * offset + 1])
        {
            unsafe bytes[offset] = high << 4 | low
            offset += 1
        }
        count = offset
    }

    private static func digit(_ character: CChar) -> UInt8? {
        switch UInt8(bitPattern: character) {
        case let byte where byte >= 0x30 && byte <= 0x39: byte - 0x30
        case let byte where byte >= 0x61 && byte <= 0x66: byte - 0x61 + 10
        case let byte where byte >= 0x41 && byte <= 0x46: byte - 0x41 + 10
        default: nil
        }
    }

    /// HKDF-Expand-Label with an empty context (RFC 8446 §7.1; RFC 5869 §2.3). What is asked for
    /// never exceeds one output of the hash.
    ///
    /// - Parameter output: room for `outputCount` bytes.
    /// - Returns: false where libcrypto has failed.
    func expand(
        _ label: StaticString, _ suite: CipherSuite, into output: UnsafeMutablePointer<UInt8>,
        _ outputCount: Int
    ) -> Bool {
        precondition(outputCount <= suite.secretCount && count == suite.secretCount)
        return unsafe withUnsafeTemporaryAllocation(
            of: UInt8.self, capacity: Self.infoMax + Self.countMax
        ) { scratch in
            guard let info = scratch.baseAddress else { return false }
            let infoCount = unsafe Self.writeInfo(label, outputCount, info)
            let digest = unsafe info + Self.infoMax
            var digestCount: UInt32 = 0
            // SAFETY: the digest's room is that of the longest hash; the info ends before it.
            let done = unsafe HMAC(
                suite.hash, bytes, Int32(count), info, infoCount, digest, &digestCount)
            let isDone = unsafe done != nil && Int(digestCount) >= outputCount
            if isDone { unsafe output.update(from: digest, count: outputCount) }
            unsafe OPENSSL_cleanse(digest, Self.countMax)
            return isDone
        }
    }

    private static func writeInfo(
        _ label: StaticString, _ outputCount: Int, _ info: UnsafeMutablePointer<UInt8>
    ) -> Int {
        var offset = 0
        func append(_ byte: UInt8) {
            unsafe info[offset] = byte
            offset += 1
        }
        append(0)
        append(UInt8(truncatingIfNeeded: outputCount))
        append(UInt8(truncatingIfNeeded: 6 + label.utf8CodeUnitCount))
        for byte in "tls13 ".utf8 { append(byte) }
        precondition(label.utf8CodeUnitCount <= 11)
        // SAFETY: the label's code units live as long as the program.
        for index in 0..<label.utf8CodeUnitCount { append(unsafe label.utf8Start[index]) }
        append(0)
        append(1)
        return offset
    }

    /// The next generation (RFC 8446 §7.2).
    mutating func update(_ suite: CipherSuite) -> Bool {
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.countMax) { next in
            guard let base = next.baseAddress,
                unsafe expand("traffic upd", suite, into: base, count)
            else { return false }
            unsafe bytes.update(from: base, count: count)
            unsafe OPENSSL_cleanse(base, Self.countMax)
            return true
        }
    }
}
