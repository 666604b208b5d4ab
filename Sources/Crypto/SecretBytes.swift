// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// Bytes that must not be seen: wiped when the last owner drops them, and never printed.
@safe
package final class SecretBytes: @unchecked Sendable, CustomStringConvertible,
    CustomDebugStringConvertible, CustomReflectable
{
    package let count: Int
    /// Invariant: `capacity` bytes owned by this object, of which the first `count` are
    /// initialised and never change.
    private let base: UnsafeMutablePointer<UInt8>
    private let capacity: Int

    package convenience init(copying bytes: Span<UInt8>) {
        self.init(capacity: bytes.count) { output in
            for index in bytes.indices { output.append(bytes[index]) }
        }
    }

    /// Bytes that are written where they will stay, so that no copy is left behind.
    package init<Failure: Error>(
        capacity: Int, _ body: (inout OutputSpan<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        let room = max(capacity, 1)
        let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: room)
        // SAFETY: the output span covers the fresh allocation and is finalised before any use.
        guard let base = memory.baseAddress else { preconditionFailure("no memory") }
        unsafe base.initialize(repeating: 0, count: room)
        var output = unsafe OutputSpan(buffer: memory, initializedCount: 0)
        do throws(Failure) {
            try body(&output)
        } catch {
            _ = unsafe output.finalize(for: memory)
            unsafe OPENSSL_cleanse(base, room)
            unsafe base.deallocate()
            throw error
        }
        count = unsafe output.finalize(for: memory)
        self.capacity = room
        unsafe self.base = base
    }

    package static func random(_ count: Int) -> SecretBytes {
        SecretBytes(capacity: count) { output in
            output.append(repeating: 0, count: count)
            var bytes = output.mutableSpan
            Random.fill(&bytes)
        }
    }

    deinit {
        // SAFETY: by the invariant; spans borrow self, so none is left.
        unsafe OPENSSL_cleanse(base, capacity)
        unsafe base.deallocate()
    }

    package var span: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            // SAFETY: the memory is initialised, constant, and lives as long as self.
            let bytes = unsafe UnsafeBufferPointer(start: base, count: count)
            return unsafe _overrideLifetime(Span(_unsafeElements: bytes), borrowing: self)
        }
    }

    package var description: String { "<secret>" }
    package var debugDescription: String { "<secret>" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
