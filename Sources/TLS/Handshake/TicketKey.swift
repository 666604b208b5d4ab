// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// A key that session tickets are sealed with, and its name; changed by nobody after init, which
/// makes it shareable. Wiped when the last who uses it has let go of it.
@safe
final class TicketKey: @unchecked Sendable {
    static let nameCount = 16
    static let secretCount = 32

    let name: [UInt8]
    let secret: Secret

    /// A new one, at random.
    init() {
        let secret = Secret(count: Self.secretCount)
        var isDone = false
        let name = unsafe [UInt8](unsafeUninitializedCapacity: Self.nameCount) { room, used in
            // SAFETY: name and secret are filled over exactly their own size.
            isDone =
                unsafe RAND_bytes(room.baseAddress, Int32(Self.nameCount)) == 1
                && RAND_bytes(secret.bytes, Int32(Self.secretCount)) == 1
            used = isDone ? Self.nameCount : 0
        }
        // There is nothing to go on with.
        precondition(isDone, "libcrypto has no randomness")
        self.name = name
        self.secret = secret
    }

    func hasSealed(_ ticket: Span<UInt8>) -> Bool {
        guard ticket.count >= Self.nameCount else { return false }
        for index in 0..<Self.nameCount where ticket[index] != name[index] { return false }
        return true
    }
}
