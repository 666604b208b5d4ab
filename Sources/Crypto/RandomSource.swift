// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// Random bytes for one worker, fetched a block at a time and wiped as they are handed out, so
/// that what was given is nowhere else.
package struct RandomSource: ~Copyable {
    package static let blockCapacity = 4096

    /// Invariant: bytes before `used` are wiped, those from it on were handed to no one.
    private var block: SecretBlock
    private var used: Int

    package init() {
        block = SecretBlock(capacity: Self.blockCapacity)
        used = Self.blockCapacity
    }

    package mutating func fill(_ bytes: inout MutableSpan<UInt8>) {
        var offset = 0
        while offset < bytes.count {
            if used == Self.blockCapacity { refill() }
            let amount = min(bytes.count - offset, Self.blockCapacity - used)
            for index in 0..<amount { bytes[offset + index] = block.take(at: used + index) }
            used += amount
            offset += amount
        }
    }

    package mutating func bytes16() -> InlineArray<16, UInt8> {
        var bytes = InlineArray<16, UInt8>(repeating: 0)
        var span = bytes.mutableSpan
        fill(&span)
        return bytes
    }

    package mutating func bytes32() -> InlineArray<32, UInt8> {
        var bytes = InlineArray<32, UInt8>(repeating: 0)
        var span = bytes.mutableSpan
        fill(&span)
        return bytes
    }

    package mutating func word() -> UInt64 {
        if used + 8 > Self.blockCapacity { refill() }
        var word: UInt64 = 0
        for index in 0..<8 { word = word << 8 | UInt64(block.take(at: used + index)) }
        used += 8
        return word
    }

    private mutating func refill() {
        block.refill()
        used = 0
    }
}

/// A heap block of random bytes that is wiped when dropped.
@safe
struct SecretBlock: ~Copyable {
    /// Invariant: `capacity` initialised bytes owned by this value.
    private let base: UnsafeMutablePointer<UInt8>
    private let capacity: Int

    init(capacity: Int) {
        // SAFETY: the allocation is ours alone until deinit.
        unsafe base = .allocate(capacity: capacity)
        unsafe base.initialize(repeating: 0, count: capacity)
        self.capacity = capacity
    }

    deinit {
        // SAFETY: by the invariant, and nothing uses self after this.
        unsafe OPENSSL_cleanse(base, capacity)
        unsafe base.deallocate()
    }

    /// The byte, which is zero from now on.
    mutating func take(at index: Int) -> UInt8 {
        precondition(index >= 0 && index < capacity)
        // SAFETY: index < capacity.
        let byte = unsafe base[index]
        unsafe base[index] = 0
        return byte
    }

    mutating func refill() {
        // SAFETY: the library writes `capacity` bytes.
        let done = unsafe RAND_bytes(base, Int32(capacity))
        precondition(done == 1, "no randomness from the system")
    }
}
